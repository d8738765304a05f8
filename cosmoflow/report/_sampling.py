"""Sections on the draws: have the chains converged, and what did the sampler do?"""

import numpy as np

from ..chains import Chain
from ..diagnostics import MAX_RHAT, MIN_ESS
from ..plotting import rank, trace
from ._html import Html, element, facts, joined, picture, table
from ._subject import Subject

_WATCHED = ("lp", "squared_norm", "energy", "energy_change")
_COUNTED = ("num_violations", "diverging", "num_cliffs", "num_stuck", "non_finite")
_PANEL = 3.6  # inches: the width of a telephone


def convergence(subject: Subject) -> Html:
    """R-hat and effective sample sizes of all, traces and ranks of what is shown."""
    summary = subject.summary
    rows = [row for row in (*summary.parameters, *summary.statistics) if not row.converged]
    limits = f"R-hat below {MAX_RHAT} and more than {MIN_ESS} effective draws"
    if not rows:
        verdict = element("p", f"All parameters, the log-density and the energies have {limits}.", class_="good")
    else:
        named = ", ".join(row.name for row in rows)
        verdict = element("p", f"Not all have {limits}: ", element("strong", named), ".", class_="bad")
    if summary.frozen:
        moved = f"Chains that hardly moved: {', '.join(map(str, summary.frozen))}."
        verdict = joined([verdict, element("p", moved, class_="bad")])
    statistics = [
        (
            element("code", row.name),
            f"{row.convergence.ess_bulk:.0f}",
            f"{row.convergence.ess_tail:.0f}",
            f"{row.convergence.rhat:.3f}",
        )
        for row in summary.statistics
    ]
    parts = [verdict, table(("", "ESS bulk", "ESS tail", "R-hat"), statistics) if statistics else None]
    panels = []
    for name in [*subject.shown, *(row.name for row in summary.statistics)]:
        pair = [
            picture(
                draw(subject.chain, [name], width=_PANEL),
                joined([element("code", name), told]),
                alt=f"{name}{told}, a line for each chain",
            )
            for draw, told in ((trace, " of each draw"), (rank, ", ranks"))
        ]
        panels.append(element("div", *pair))
    note = (
        "Of each scalar the draws in their order; and how many draws of each chain have their rank in each twentieth "
    )
    note += "of all, over what is expected, where grey is two standard deviations for the effective number of draws."
    return joined([*parts, element("p", note, class_="note"), element("div", *panels, class_="panels")])


def sampler(subject: Subject) -> Html:
    """What the sampler was, what it cost, and what went wrong in it."""
    summary, cost = subject.summary, subject.summary.cost
    per_gradients = summary.ess_per_1000_gradients
    rows = [
        ("sampler", subject.sampler or None),
        ("chosen by", "the warm-up" if subject.tables.get("sampler", {}).get("kind") == "auto" else None),
        ("chains", summary.num_chains),
        ("draws of each", summary.num_draws),
        ("cost", str(cost) if cost.sampling else None),
        ("seconds of sampling", f"{cost.seconds:.1f}" if np.isfinite(cost.seconds) else None),
        ("smallest bulk ESS", f"{summary.ess:.0f}" if summary.parameters else None),
        ("per 1000 gradients", f"{per_gradients:.1f}" if np.isfinite(per_gradients) else None),
        *((kind, f"{rate:.3g}") for kind, rate in summary.rates.items()),
        *((kind, count) for kind, count in summary.counts.items()),
    ]
    stats = subject.chain.sample_stats
    watched = [name for name in _WATCHED if name in stats and name not in {row.name for row in summary.statistics}]
    counted = {name: np.cumsum(stats[name], axis=1) for name in _COUNTED if name in stats and np.any(stats[name])}
    sums = Chain(subject.chain.posterior, counted)
    panels = [
        picture(trace(chain, [name], width=_PANEL), joined([element("code", name), told]), alt=f"{name}{told}")
        for chain, names, told in ((subject.chain, watched, " of each draw"), (sums, counted, ", counted up"))
        for name in names
    ]
    return joined([facts(rows), element("div", *panels, class_="panels") if panels else None])
