"""Sections on the posterior: its parameters, its figures, and how it differs from others."""

import math

import numpy as np

from ..chains import Chain
from ..diagnostics import FlowEvidence, Row, convergence, rounded, stepping_stone, summarize, summarize_fields, varying
from ..plotting import corner, plot_fields
from ._html import Html, element, joined, picture, symbol, table
from ._subject import Subject

_CONVERGENCE = ("ESS bulk", "ESS tail", "R-hat", "MCSE")


def parameters(subject: Subject) -> Html | None:
    """The table of all parameters that vary, with the draw of highest likelihood."""
    best = None if subject.best is None else subject.best.parameters
    header = ("", "mean", "sd", "16 % to 84 %", "5 % to 95 %", *(["best"] if best else []), *_CONVERGENCE)
    rows = []
    for row in subject.rows:
        value = [] if best is None else [rounded(_entry(best, row.name), row.sd)]
        rows.append((*_distribution(subject.chain, row), *value, *_known(row)))
    if not rows:
        return element("p", "No parameter varies.")
    note = "Best is the draw of highest likelihood. " if best else ""
    return joined(
        [table(header, rows), element("p", note, "MCSE is the Monte Carlo standard error of the mean.", class_="note")]
    )


def _distribution(chain: Chain, row: Row) -> tuple[object, ...]:
    values = (row.q05, row.q16, row.mean, row.sd, row.q84, row.q95)
    low, lower, mean, sd, higher, high = (rounded(value, row.sd) for value in values)
    name = joined([symbol(chain.label(row.name), row.name), " ", element("code", row.name)])
    return name, mean, sd, f"{lower} to {higher}", f"{low} to {high}"


def _known(row: Row) -> tuple[object, ...]:
    known = row.convergence
    numbers = (f"{known.ess_bulk:.0f}", f"{known.ess_tail:.0f}", f"{known.rhat:.3f}", f"{known.mcse_mean:.1g}")
    return numbers if row.converged else tuple(element("strong", number) for number in numbers)


def _entry(values: dict[str, np.ndarray], name: str) -> float:
    """One number by its name, `x` or `x[0,1]`."""
    head, _, index = name.partition("[")
    return float(values[head][tuple(map(int, index.rstrip("]").split(",")))] if index else values[head])


def marginals(subject: Subject) -> Html | None:
    """The corner plot."""
    if not subject.shown:
        return None
    try:
        figure = corner(subject.chain, subject.shown)
    except ValueError as error:
        return element("p", str(error))
    left_out = len(subject.summary.parameters) - len(subject.shown)
    caption = "Marginal posteriors with regions of 68 and 95 %."
    caption += f" {left_out} parameters are left out; the table has them." if left_out > 0 else ""
    return picture(figure, caption, alt=f"Corner plot of {', '.join(subject.shown)}", class_="wide")


def comparison(subject: Subject) -> Html | None:
    """The run over the others: marginals of the parameters they share, and by how much their means differ."""
    if not subject.others:
        return None
    parts = []
    for name, other in subject.others.items():
        there = set(other.scalars(varying(other))) if varying(other) else set()
        shared = [row.name for row in subject.rows if row.name in there]
        if not shared:
            parts.append(element("p", f"{name} shares no parameter with this run."))
            continue
        rows = [_shift(subject.chain, other, scalar) for scalar in shared]
        header = ("", subject.name, name, "difference / sd", "difference / MCSE")
        parts.append(table(header, rows))
        parts.append(_doubts(name, other))
    shown = [name for name in subject.shown if all(_varies(other, name) for other in subject.others.values())]
    if shown:
        figure = corner({subject.name: subject.chain, **subject.others}, shown)
        caption = "Filled: this run; lines: the others."
        parts.append(picture(figure, caption, alt=f"Corner plot of {', '.join(shown)}, all runs", class_="wide"))
    told = [(name, evidence_of(chain)) for name, chain in {subject.name: subject.chain, **subject.others}.items()]
    if len(known := [(name, *found) for name, found in told if found]) > 1:
        parts.append(table(("", "log evidence", "error"), [(n, f"{z:.3f}", f"{e:.3f}") for n, z, e in known]))
    note = "sd is that of the difference of the two posteriors, if they were independent; MCSE that of both means, "
    note += "which counts where both runs sample one posterior."
    return joined([*parts, element("p", note, class_="note")])


def _doubts(name: str, other: Chain) -> Html | None:
    """What speaks against a run that this one is compared with."""
    summary = summarize(other, varying(other))
    ended = [] if summary.status.good else [summary.status.value]
    rough = summary.not_converged
    ended += [f"Not converged: {', '.join(rough)}."] if rough else []
    return element("p", element("strong", name), ": ", " ".join(ended), class_="bad") if ended else None


def _varies(chain: Chain, name: str) -> bool:
    head = name.split("[")[0]
    return head in chain.posterior and any(np.ptp(x) > 0 for key, x in chain.scalars([head]).items() if key == name)


def _shift(one: Chain, other: Chain, scalar: str) -> tuple[object, ...]:
    draws = [chain.scalars([scalar])[scalar].astype(float) for chain in (one, other)]
    (m1, m2), (s1, s2) = [d.mean() for d in draws], [d.std(ddof=1) for d in draws]
    error = math.hypot(*(convergence(d).mcse_mean for d in draws))
    values = [f"{rounded(m, s)} ± {rounded(s, s)}" for m, s in ((m1, s1), (m2, s2))]
    shift = m1 - m2
    return symbol(one.label(scalar), scalar), *values, f"{shift / math.hypot(s1, s2):+.2f}", f"{shift / error:+.1f}"


def evidence_of(chain: Chain) -> tuple[float, float] | None:
    """The log-evidence and its error, by the flow or else by tempering."""
    if found := FlowEvidence.from_attributes(chain.attributes):
        return found.log_evidence, found.log_evidence_error
    return None if (found := stepping_stone(chain)) is None else (found.log_evidence, found.log_evidence_error)


def field(subject: Subject) -> Html | None:
    """Maps, spectra and modes of a field."""
    if not subject.is_field:
        return None
    captions = {
        "maps": "The field: data, posterior mean and standard deviation, and the truth where it is known.",
        "power": "Power spectra: median, 68 and 95 %.",
        "coherence": "Agreement of the draws with the truth, by wave number.",
        "modes": "Effective sample sizes and R-hat of the modes, by wave number.",
    }
    try:
        figures = plot_fields(subject.chain)
        text = str(summarize_fields(subject.chain))
    except ValueError as error:
        return element("p", str(error))
    order = [name for name in captions if name in figures]
    pictures = [picture(figures[name], captions[name], alt=captions[name], class_="wide") for name in order]
    return joined([*pictures, element("pre", text)])
