"""The page as a whole."""

from collections.abc import Callable
from importlib.resources import files

from ._fit import data, evidence
from ._html import Html, element
from ._posterior import comparison, field, marginals, parameters
from ._sampling import convergence, sampler
from ._source import citations, configuration, provenance
from ._subject import Subject

SECTIONS: dict[str, tuple[str, Callable[[Subject], Html | None]]] = {
    "parameters": ("Parameters", parameters),
    "marginals": ("Marginal posteriors", marginals),
    "data": ("Data and fit", data),
    "evidence": ("Evidence", evidence),
    "comparison": ("Comparison", comparison),
    "field": ("Field", field),
    "convergence": ("Convergence", convergence),
    "sampler": ("Sampler", sampler),
    "configuration": ("Configuration", configuration),
    "provenance": ("Provenance", provenance),
    "citations": ("Citations", citations),
}
"""By their names in addresses; those that return None have nothing to say of the run."""


def page(subject: Subject) -> str:
    """The run as an HTML page that asks for no other file: style and figures are in it.

    Args:
        subject: the run, and what it is compared with.

    Raises:
        ImportError: matplotlib or GetDist is not installed.
        StoreError: the chain's manifest is damaged.
        ValueError: a parameter that was asked for is not in the chain.
    """
    written = {name: (title, write(subject)) for name, (title, write) in SECTIONS.items()}
    written = {name: (title, body) for name, (title, body) in written.items() if body is not None}
    links = (element("a", title, href=f"#{name}") for name, (title, _) in written.items())
    style = Html(files("cosmoflow.report").joinpath("page.css").read_text(encoding="utf-8"))
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", subject.name),
        element("style", style),
    )
    body = element(
        "body",
        element("header", element("h1", subject.name), _headline(subject), element("nav", *links)),
        element("main", *(element("section", element("h2", t), b, id=name) for name, (t, b) in written.items())),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _headline(subject: Subject) -> Html:
    """What the run is of, how it ended, and whether it has converged."""
    summary = subject.summary
    names = ", ".join(subject.tables.get("likelihood", {}))
    about = f"{summary.num_chains} chains of {summary.num_draws:,} draws" + (f" from {names}." if names else ".")
    ended = element("strong", summary.status.value, class_="good" if summary.status.good else "bad")
    converged = all(row.converged for row in (*summary.parameters, *summary.statistics))
    doubt = element("a", "Not converged.", href="#convergence", class_="bad")
    verdict = [ended] if converged else [ended, " ", doubt]
    return element("p", about, " ", *verdict, f" Started {subject.origin.created_at[:10]}.")
