"""Splittings with one step size, and how step sizes are tuned."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Float, Int

from ..._types import Key, Scalar, Vector
from .._base import AbstractInfo, AbstractSampler, AbstractTunedKernel, scaled
from .._jumps import refresh
from ._base import AbstractSplitting, SplittingState, Steps


class SplittingInfo(AbstractInfo):
    """Of the steps of one draw; `num_events` counts those in which the velocity jumped."""

    acceptance_rate: Float[Array, "..."]
    num_events: Int[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class AbstractTunedSplitting(AbstractSplitting[SplittingInfo], AbstractTunedKernel[SplittingState, SplittingInfo]):
    """A splitting whose steps are all of one kind.

    Each step's length is drawn within a fraction `jitter` of `step_size`, without which signs and axes as velocities
    would keep the position on a lattice.

    The acceptance rate alone does not limit the step: reflections off the level sets of a Gaussian are always accepted,
    and where every step reflects, the energy no longer mixes. So the tuning keeps the share of steps that jump below
    `max_jumps`, and the step below what can serve the motion.
    """

    persistence: AbstractVar[Scalar]
    jitter: AbstractVar[float]
    max_jumps: AbstractVar[float]

    def __check_init__(self):
        name = type(self).__name__
        if not 0 < self.step_size < jnp.inf:
            raise ValueError(f"{name}'s step_size is {self.step_size}, but must be positive and finite.")
        if not 0 <= self.persistence <= 1:
            raise ValueError(f"{name}'s persistence is {self.persistence}, but must lie in [0, 1].")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"{name}'s jitter is {self.jitter}, but must lie in [0, 1).")
        if self.num_steps < 1:
            raise ValueError(f"{name}'s num_steps is {self.num_steps}, but a draw needs at least one step.")

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """N(0, I)."""
        return jr.normal(key, position.shape, position.dtype)

    def refresh(self, velocity: Vector, kind: Int[Array, ""], *, key: Key) -> Vector:
        """A partial refreshment, the same before every step."""
        return refresh(velocity, self.persistence.astype(velocity.dtype), key=key)

    def choose(self, *, key: Key) -> tuple[Scalar, Int[Array, ""]]:
        """A jittered step size."""
        factor = jr.uniform(key, (), self.step_size.dtype, 1 - self.jitter, 1 + self.jitter)
        return self.step_size * factor, jnp.zeros((), jnp.int32)

    def event_rates(self, gradient: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """One clock: v . g."""
        return (gradient @ velocity)[None]

    def info(self, steps: Steps) -> SplittingInfo:
        """Sums over the steps."""
        count = jnp.asarray(self.num_steps, jnp.int32)
        return SplittingInfo(
            acceptance_rate=jnp.mean(steps.acceptance),
            num_events=jnp.sum(steps.jumped, dtype=jnp.int32),
            non_finite=jnp.sum(steps.non_finite, dtype=jnp.int32),
            num_gradients=count,
            num_densities=count,
        )

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The splitting with its step moved towards the acceptance rate, or to fewer jumps."""
        acceptance = (float(np.mean(stats["acceptance_rate"])) - self.target_acceptance) / (1 - self.target_acceptance)
        jumps = 1 - float(np.mean(stats["num_events"])) / self.num_steps / self.max_jumps
        longest = self.motion.longest(spread(positions))
        change = limited(self.step_size, gain * min(acceptance, jumps), longest)
        return eqx.tree_at(lambda s: s.step_size, self, scaled(self.step_size, change))


LARGEST_DECREASE = -2.0


def spread(positions: Float[np.ndarray, "chain draw dim"]) -> float:
    """The root mean square standard deviation of a coordinate."""
    return float(np.sqrt(np.mean(np.var(positions, axis=(0, 1)))))


def limited(step: Scalar, change: float, longest: float) -> float:
    """A change of a step's logarithm that takes it no further than `longest`, where that is known, nor down at once."""
    room = float(np.log(longest / float(step))) if 0 < longest < np.inf else np.inf
    return max(min(change, room), LARGEST_DECREASE)
