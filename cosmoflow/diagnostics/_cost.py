"""What a run cost, in gradients of the log-density."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..chains import Chain


@dataclass(frozen=True)
class Cost:
    """The cost of a run over all chains.

    Evaluations other than gradients count as the share of a gradient that they take:

        cost = gradients + (densities + 1.5 x directional derivatives) / 3

    Attributes:
        gradients: evaluations of the gradient.
        densities: evaluations of the log-density alone.
        directional_derivatives: evaluations of the derivative along one direction.
        warmup: the cost of everything before the first draw [gradients]; NaN where it is not known.
        seconds: wall time of sampling [s]; NaN where it is not known.
    """

    gradients: int
    densities: int
    directional_derivatives: int
    warmup: float
    seconds: float

    @property
    def sampling(self) -> float:
        """The cost of the draws [gradients]."""
        return self.gradients + (self.densities + 1.5 * self.directional_derivatives) / 3

    @property
    def total(self) -> float:
        """The cost of the draws and of the warm-up [gradients]."""
        return self.sampling + self.warmup

    def __str__(self) -> str:
        before = f", {self.warmup:,.0f} of warm-up" if math.isfinite(self.warmup) else ""
        return f"{self.sampling:,.0f} gradients of sampling{before}"


def gradient_cost(stats: Mapping[str, np.ndarray]) -> float:
    """The cost of some draws in gradients, from their sample statistics."""
    gradients, densities, derivatives = _counts(stats)
    return Cost(gradients, densities, derivatives, 0.0, math.nan).sampling


def _counts(stats: Mapping[str, np.ndarray]) -> list[int]:
    names = ("num_gradients", "num_densities", "num_directional_derivatives")
    return [int(stats[name].sum()) if name in stats else 0 for name in names]


def cost(chain: Chain) -> Cost:
    """The cost of a chain, from the counts in its sample statistics and its attributes.

    Args:
        chain: counts are read from `num_gradients`, `num_densities` and `num_directional_derivatives`, those of the
            warm-up from the attribute `warmup_gradients`, the time from `sampling_seconds`.
    """
    return Cost(
        *_counts(chain.sample_stats),
        warmup=float(chain.attributes.get("warmup_gradients", "nan")),
        seconds=float(chain.attributes.get("sampling_seconds", "nan")),
    )
