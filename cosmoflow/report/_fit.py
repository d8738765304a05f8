"""Sections on the data: what they are, how well they are fitted, and the evidence."""

from typing import Any

from ..datasets import catalogue
from ..diagnostics import FlowEvidence
from ..likelihoods import AbstractGaussianLikelihood, JointLikelihood, Supernovae
from ._citations import DATA, bibliography
from ._data_figures import data_figures
from ._html import Html, element, facts, joined, picture, table
from ._subject import Subject


def data(subject: Subject) -> Html:
    """What was fitted, with sources, chi^2 at the best draw, and residuals."""
    tables = subject.tables.get("likelihood", {})
    if not tables:
        return element("p", str(subject.likelihood))
    chi2 = {} if subject.best is None else subject.best.chi2
    sizes = _sizes(subject)
    rows: list[tuple[object, ...]] = [
        (element("code", name), _what(name, options), _sources(name), sizes.get(name, ""), _number(chi2.get(name)))
        for name, options in tables.items()
    ]
    if len(chi2) > 1:
        rows.append(("all", "", "", sum(sizes[name] for name in chi2), _number(sum(chi2.values()))))
    parts = [table(("", "data", "source", "points", "chi² at the best draw"), rows, class_="words")]
    if any(options.get("absolute_magnitude") == "marginalized" for options in tables.values()):
        note = "An absolute magnitude that is marginalised is one more parameter of the fit."
        parts.append(element("p", note, class_="note"))
    if isinstance(subject.likelihood, str):
        parts.append(element("p", f"chi² is not known: {subject.likelihood}"))
    for name, figure in data_figures(subject).items():
        caption = f"{name}: the data (points, with their errors) and the posterior's median, 68 and 95 % (line, bands)."
        parts.append(picture(figure, caption, alt=caption, class_="wide"))
    return joined(parts)


def _sizes(subject: Subject) -> dict[str, int]:
    if not isinstance(subject.likelihood, JointLikelihood):
        return {}
    members = zip(subject.likelihood.names, subject.likelihood.members, strict=True)
    return {
        name: member.reference.size if isinstance(member, Supernovae) else member.data.size
        for name, member in members
        if isinstance(member, AbstractGaussianLikelihood)
    }


def _what(name: str, options: dict[str, Any]) -> Html:
    """The title of a published set, or the files of one's own, with the options."""
    sources = ("values", "sacc", "two_point_fits", "field", "python")
    files = [str(options[key]) for key in sources if key in options]
    known = catalogue()
    title = known[name].title if name in known and not files else ", ".join(files)
    chosen = ", ".join(
        f"{key} = {value}" for key, value in options.items() if isinstance(value, str | bool) and key not in sources
    )
    return joined([title, Html("<br>") if title and chosen else None, element("small", chosen) if chosen else None])


def _sources(name: str) -> Html:
    parts = []
    for key in DATA.get(name, ()):
        parts += [", "] if parts else []
        parts.append(element("a", key, href=f"#cite-{key}") if key in bibliography() else key)
    return joined(parts)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def evidence(subject: Subject) -> Html | None:
    """What is known of the evidence, and whether it can be relied on."""
    parts = []
    if found := FlowEvidence.from_attributes(subject.chain.attributes):
        rows = [
            ("log evidence", f"{found.log_evidence:.4f} ± {found.log_evidence_error:.4f}"),
            ("from", "an importance sample of the flow"),
            ("ESS fraction", f"{found.importance_ess_fraction:.3f}"),
            ("Pareto k", f"{found.importance_pareto_k:.2f} (up to 0.7 the evidence and its error can be relied on)"),
        ]
        parts.append(facts(rows))
    if (tempered := subject.summary.tempered) is not None:
        rows = [
            ("log evidence", f"{tempered.log_evidence:.4f} ± {tempered.log_evidence_error:.4f}"),
            ("from", "stepping stones"),
            ("round trips", tempered.round_trips),
            ("rungs", tempered.num_rungs),
            ("barrier", f"{tempered.barrier:.1f}"),
        ]
        parts.append(facts(rows))
    return joined(parts) if parts else None
