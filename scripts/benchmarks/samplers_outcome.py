"""What a sampler hands back, and the loop that spends a budget of gradients."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np
from samplers_clock import Clock

CHAINS = 4
WARMUP_DRAWS = 1000
MAX_SECONDS = 60.0
"""Time after which a run ends with what it has, because its budget is out of reach."""


class Counts(NamedTuple):
    """Evaluations of a log-density by all chains."""

    gradients: float = 0.0
    densities: float = 0.0
    directional_derivatives: float = 0.0

    @property
    def cost(self) -> float:
        """In units of one gradient."""
        return self.gradients + (self.densities + 1.5 * self.directional_derivatives) / 3

    def plus(self, other: "Counts") -> "Counts":
        """Together with others."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass
class Outcome:
    """Draws in the target's own coordinates, shape (chain, draw, dim), and what they took."""

    draws: np.ndarray
    warmup: Counts
    sampling: Counts
    warmup_clock: Clock
    sampling_clock: Clock
    notes: dict[str, Any] = field(default_factory=dict)


Sampler = Callable[[jax.Array, np.ndarray], Outcome]
"""From a key and initial positions of shape (chain, dim), of which it takes as many as it has chains."""


def spend(
    budget: float, advance: Callable[[Any, float], tuple[Any, jax.Array, Counts]], state: Any
) -> tuple[Any, list[jax.Array], Counts, Clock]:
    """Call `advance` with the state and the share of the budget that is left, until nothing is left."""
    pieces: list[jax.Array] = []
    counts = Counts()
    with Clock() as clock:
        while counts.cost < budget and clock.running() < MAX_SECONDS:
            state, draws, more = advance(state, 1 - counts.cost / budget)
            pieces.append(jax.block_until_ready(draws))
            counts = counts.plus(more)
    return state, pieces, counts, clock


def joined(pieces: list[jax.Array]) -> np.ndarray:
    """Pieces of shape (chain, draw, dim), one after the other."""
    return np.concatenate([np.asarray(piece) for piece in pieces], axis=1)
