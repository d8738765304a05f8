"""What is wrong with a run that counts of single draws do not show."""

import numpy as np
from jaxtyping import Shaped

from .._results import Status

FEWEST_DRAWS = 100
"""Draws per chain below which nothing is said."""

FROZEN_SHARE = 0.01
"""Of the other chains' variance, below which a chain hardly moved."""

OCTAVES = 5
"""The last half of a run, the quarter before it, the eighth before that, ..."""

RUNAWAY_GROWTH, RUNAWAY_SLOPE = 8.0, 0.5
"""Of the squared norm over the octaves, and of its binary logarithm from octave to octave, the median of all pairs: 32
and one for a random walk, 1024 and two for a straight line, one and zero for a chain that has arrived."""


def symptom(draws: Shaped[np.ndarray, "chain draw scalar"]) -> tuple[Status, str] | None:
    """The status of a run that ran away or of which a chain froze, and what it is about; None of a sound one.

    Args:
        draws: scalars of all draws at equal distances, the squared norm of the sampler's coordinates the second.
    """
    squared_norm = draws[:, :, 1]
    if not np.all(np.isfinite(squared_norm)):
        return Status.RUNAWAY, "the positions overflow"
    if growth := _growth(squared_norm):
        return Status.RUNAWAY, f"their distance from the centre grew {growth**0.5:.2g}-fold in the run"
    if frozen := frozen_chains(draws):
        return Status.FROZEN, f"chain {', '.join(map(str, frozen))}"
    return None


def _growth(squared_norm: Shaped[np.ndarray, "chain draw"]) -> float:
    """How much the squared norm grew over the octaves of a run, where it did so throughout; else zero."""
    num_draws = squared_norm.shape[1]
    if num_draws < FEWEST_DRAWS:
        return 0.0
    ends = [num_draws >> k for k in range(OCTAVES, -1, -1)]
    starts = [num_draws >> (OCTAVES + 1), *ends[:-1]]
    medians = [np.median(squared_norm[:, start:end]) for start, end in zip(starts, ends, strict=True)]
    if min(medians) <= 0:
        return 0.0
    octaves, logs = np.arange(OCTAVES + 1), np.log2(medians)
    later, earlier = np.tril_indices(OCTAVES + 1, -1)
    slope = np.median((logs[later] - logs[earlier]) / (octaves[later] - octaves[earlier]))
    growth = float(medians[-1] / medians[0])
    return growth if slope > RUNAWAY_SLOPE and growth > RUNAWAY_GROWTH else 0.0


def frozen_chains(draws: Shaped[np.ndarray, "chain draw scalar"]) -> list[int]:
    """The numbers, from zero, of chains that never moved, or whose variance is far below that of the others throughout.

    Scalars that no chain moved do not count.
    """
    if draws.shape[1] < FEWEST_DRAWS:
        return []
    still = np.all(draws == draws[:, :1], axis=(1, 2))
    with np.errstate(invalid="ignore", over="ignore"):
        variance = draws.var(axis=1)
    variance = variance[:, np.any(variance > 0, axis=0)]
    frozen = []
    for chain, own in enumerate(variance):
        others = np.delete(variance, chain, axis=0)
        alone = len(others) > 0 and own.size > 0 and np.all(own < FROZEN_SHARE * np.median(others, axis=0))
        frozen += [chain] if still[chain] or alone else []
    return frozen
