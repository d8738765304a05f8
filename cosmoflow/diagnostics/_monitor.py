"""Convergence while a run goes on, from a bounded memory of its draws."""

import math
import time
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from ._convergence import convergence

FOLLOWED = ("lp", "squared_norm")
MAX_SCALARS = 64
GLANCE_DRAWS = 2**14
"""Draws of all chains that are kept for the eye: 8 MB for 64 scalars."""

EXACT_DRAWS = 2**18
"""Draws of all chains that are kept for a stop criterion: 134 MB for 64 scalars."""

FIRST_GLANCE = 5.0
GLANCE_SHARE = 0.01
"""Share of the time that may be spent on what is only looked at."""

SCALAR_SECONDS = 0.01
"""What one scalar may cost at the first glance, before any was measured."""


class Monitor:
    """The smallest effective sample size and the largest R-hat of a run so far.

    It follows the log-density, the squared norm of the sampler's coordinates, and the first 64 scalar parameters. Where
    its memory is full, every second draw is dropped; which draws are kept depends on their numbers alone. Effective
    sample sizes are those of the kept draws, hence never too large.

    Args:
        num_chains: Chains of the run.
        exact: Whether a stop criterion depends on it, so that many more draws are kept.
    """

    def __init__(self, num_chains: int, *, exact: bool = False):
        self._capacity = max((EXACT_DRAWS if exact else GLANCE_DRAWS) // num_chains, 256)
        self._stride, self._seen = 1, 0
        self._pieces: list[np.ndarray] = []
        self._start, self._due = time.monotonic(), 0.0
        self._last = (math.nan, math.nan)

    def update(
        self,
        posterior: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
        sample_stats: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    ) -> None:
        """Take the next draws of all chains into account."""
        followed = [sample_stats[name] for name in FOLLOWED]
        first, self._seen = self._seen, self._seen + followed[0].shape[1]
        stride = self._stride
        while self._seen > self._stride * self._capacity:
            self._stride *= 2
        if self._pieces and self._stride > stride:
            self._pieces = [self.draws()[:, :: self._stride // stride].copy()]
        kept = slice(-first % self._stride, None, self._stride)
        scalars, room = [draws[:, kept, None] for draws in followed], MAX_SCALARS
        for draws in posterior.values():
            scalars.append(draws.reshape(*draws.shape[:2], -1)[:, kept, :room])
            room -= scalars[-1].shape[2]
        self._pieces.append(np.concatenate(scalars, axis=2, dtype=float))
        if first == 0:
            wait = SCALAR_SECONDS * self._pieces[0].shape[2] / GLANCE_SHARE
            self._due = self._start + max(FIRST_GLANCE, wait)

    def worst(self) -> tuple[float, float]:
        """The smallest bulk or tail effective sample size, and the largest R-hat; 0 and infinity where all is still."""
        draws = self.draws()
        moving = [scalar for scalar in np.moveaxis(draws, 2, 0) if np.ptp(scalar) != 0]
        found = [convergence(np.ascontiguousarray(scalar)) for scalar in moving]
        self._last = (
            min((min(one.ess_bulk, one.ess_tail) for one in found), default=0.0),
            max((one.rhat for one in found), default=math.inf),
        )
        return self._last

    def glance(self) -> tuple[float, float]:
        """As `worst`, but of some time ago where computing it again would slow the run down; NaN before the first."""
        if self._pieces and time.monotonic() >= self._due:
            import arviz_stats.base  # noqa: F401  (a second, which is not part of what a glance costs)

            began = time.monotonic()
            self.worst()
            ended = time.monotonic()
            self._due = ended + (ended - began) * (1 / GLANCE_SHARE - 1)
        return self._last

    def draws(self) -> Shaped[np.ndarray, "chain draw scalar"]:
        """The kept draws of all scalars, the log-density and the squared norm first."""
        self._pieces = [np.concatenate(self._pieces, axis=1)]
        return self._pieces[0]
