"""How a run stands, from what was counted in it."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Array

from ._results import Status

NON_FINITE_BUDGET = 0.05
"""NaN log-densities per draw above which a run ends."""

DIVERGENCE_BUDGET = 0.05
"""Divergent trajectories per draw above which a run counts as failed."""

VIOLATION_BUDGET = 0.005
"""Exceeded bounds per event above which a run ends: at 0.014 a bias was seen on a two-mode target."""

CLIFF_BUDGET = 0.005
"""Cliffs per draw above which a run ends: smooth targets show none, steps of height one show them in 1 of 70."""

FEW_CLIFFS = 10
"""Cliffs that are forgiven, so that a start far out on a steep slope does not end a run."""

HOPELESS = (Status.NON_FINITE, Status.STUCK, Status.BOUND_VIOLATIONS, Status.DISCONTINUOUS)
"""Outcomes that more draws cannot mend: the run ends."""

FAILED = (*HOPELESS, Status.RUNAWAY, Status.FROZEN, Status.DIVERGENCES)
"""Outcomes after which the draws cannot be used as they are."""


def judge(totals: Mapping[str, float], num_draws: int, sound: Status = Status.SUCCESSFUL) -> Status:
    """How a run stands, from the sums of its statistics over all draws; `sound` where nothing is wrong."""
    if totals.get("non_finite", 0) > NON_FINITE_BUDGET * num_draws:
        return Status.NON_FINITE
    if totals.get("num_violations", 0) > VIOLATION_BUDGET * totals.get("num_events", np.inf):
        return Status.BOUND_VIOLATIONS
    if totals.get("num_stuck", 0) > 0:
        return Status.STUCK
    if totals.get("num_cliffs", 0) > CLIFF_BUDGET * num_draws + FEW_CLIFFS:
        return Status.DISCONTINUOUS
    if totals.get("diverging", 0) > DIVERGENCE_BUDGET * num_draws:
        return Status.DIVERGENCES
    return sound


def total(stats: Mapping[str, Array | np.ndarray]) -> dict[str, float]:
    """The sums of what is counted, over all draws of all chains."""
    return {name: float(np.sum(values)) for name, values in stats.items() if values.dtype.kind in "biu"}


def added(totals: Mapping[str, float], more: Mapping[str, float]) -> dict[str, float]:
    """Sums with the next draws in them."""
    return {name: totals.get(name, 0.0) + value for name, value in more.items()}
