"""Straight lines with events where they go uphill, known by the density of the velocity."""

from abc import abstractmethod

import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._piecewise import happens, straight, straight_event_time
from ._velocity_model import AbstractVelocityModel


class AbstractStraightModel(AbstractVelocityModel):
    """Straight lines with events at the rate (v . x)_+ and refreshments at a constant one."""

    @abstractmethod
    def reversed_event(self, law: AbstractDistribution, x: Vector, v: Vector, *, key: Key) -> tuple[Scalar, Vector]:
        """The rate of events of the reversed process, and the velocity after one; none can follow it at the same x."""

    def move(self, x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """A straight line."""
        return straight(x, v, time)

    def event_time(self, x: Vector, v: Vector, exponential: Scalar) -> Scalar:
        """In closed form."""
        return straight_event_time(x, v, exponential)

    def turned(self, x: Vector, v: Vector, clock: Scalar, step: Scalar, condition: Condition, *, key: Key) -> Vector:
        """Half the refreshments, an event, half the refreshments."""
        key_before, key_time, key_event, key_after = jr.split(key, 4)
        law = self.velocity(x, clock, condition)
        v = self.refreshed(law, v, step / 2, key=key_before)
        rate, after = self.reversed_event(law, x, v, key=key_event)
        v = jnp.where(happens(rate, step, key=key_time), after, v)
        return self.refreshed(law, v, step / 2, key=key_after)
