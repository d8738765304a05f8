"""Processes with one clock and Gaussian velocities."""

import jax.random as jr
from jaxtyping import Array, Float

from ..._types import Key, Vector
from ._base import AbstractPDMP


class AbstractOneClock(AbstractPDMP):
    """Velocities from N(0, I), and events at the rate <v, grad U>_+ at which the potential rises."""

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """A standard normal velocity."""
        return jr.normal(key, position.shape, position.dtype)

    def event_rates(self, gradient: Vector, position: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """<v, grad U>."""
        return (velocity @ gradient)[None]
