"""First events of clocks whose rates are bounded by piecewise linear functions."""

from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from jaxtyping import Array, Float, Int

from ..._types import Key, Scalar, Vector
from .._motions import AbstractMotion


class Path(eqx.Module):
    """The piece of trajectory that lies ahead, with what is known where it starts.

    Attributes:
        position, velocity: Where it starts.
        energy: There, the target's potential without the motion's reference.
        rates: There, the signed rates of all clocks; true rates are their positive parts.
        motion: The deterministic motion.
        potential: The function whose value is `energy`.
        event_rates: Signed rates from the gradient of `potential`, a position and a velocity.
    """

    position: Vector
    velocity: Vector
    energy: Scalar
    rates: Float[Array, " clock"]
    motion: AbstractMotion
    potential: Callable
    event_rates: Callable

    def rates_at(self, time: Scalar) -> Float[Array, " clock"]:
        """The signed rates after a time; costs one gradient."""
        x, v = self.motion.move(self.position, self.velocity, time)
        return self.event_rates(jax.grad(self.potential)(x), x, v)

    def slope_at(self, time: Scalar) -> tuple[Scalar, Scalar]:
        """The potential after a time and its derivative along the path; costs one directional derivative."""

        def along(t):
            return self.potential(self.motion.move(self.position, self.velocity, t)[0])

        return jax.jvp(along, (time,), (jnp.ones_like(time),))


class Majorant(eqx.Module):
    """A function above the signed rate of every clock, linear in each of several cells of equal width."""

    left: Float[Array, "cell clock"]
    right: Float[Array, "cell clock"]
    width: Scalar

    def first_event(self, key: Key) -> tuple[Scalar, Int[Array, ""]]:
        """The time of the first event under the positive part, infinite where there is none, and its clock."""
        areas = _area(self.left, self.right, self.width)
        needed = jr.exponential(key, areas.shape[1:], areas.dtype) - jnp.cumsum(areas, axis=0) + areas
        starts = self.width * jnp.arange(len(areas), dtype=areas.dtype)[:, None]
        inside = (needed >= 0) & (needed < areas)
        times = jnp.where(inside, starts + _invert(self.left, self.right, self.width, needed), jnp.inf)
        first = jnp.min(times, axis=0)
        clock = jnp.argmin(first)
        return first[clock], clock

    def __call__(self, time: Scalar) -> Float[Array, " clock"]:
        """Its values at a time."""
        place = time / self.width
        cell = jnp.clip(place.astype(jnp.int32), 0, len(self.left) - 1)
        fraction = jnp.minimum(place - cell.astype(place.dtype), 1)
        return self.left[cell] + (self.right[cell] - self.left[cell]) * fraction

    def rise(self, time: Scalar) -> Scalar:
        """The most that the energy rises up to a time: the integral of the values of all clocks, with their signs."""
        passed = jnp.clip(time / self.width - jnp.arange(len(self.left), dtype=time.dtype), 0, 1)[:, None]
        return self.width * jnp.sum(passed * (self.left + 0.5 * passed * (self.right - self.left)))


class AbstractRateBound(eqx.Module):
    """A way to find a majorant of all event rates over a horizon, and what it evaluates for that."""

    num_gradients: AbstractVar[int]
    num_directional_derivatives: AbstractVar[int]

    @abstractmethod
    def majorant(self, path: Path, horizon: Scalar) -> Majorant:
        """A majorant from the start of the path to the horizon."""


def _area(left: Array, right: Array, width: Scalar) -> Array:
    """Integral over a cell of the positive part of a linear function."""
    both = (left >= 0) & (right >= 0)
    squares = jnp.maximum(right, 0) ** 2 - jnp.maximum(left, 0) ** 2
    crossing = squares / jnp.where(both | (left == right), 1.0, right - left)
    return 0.5 * width * jnp.where(both, left + right, crossing)


def _invert(left: Array, right: Array, width: Scalar, area: Array) -> Array:
    """Where in a cell the integral of the positive part of a linear function reaches an area."""
    slope = (right - left) / width
    height = jnp.maximum(left, 0)
    start = jnp.where(left < 0, -left / jnp.where(slope == 0, 1.0, slope), 0.0)
    root = jnp.sqrt(jnp.maximum(height**2 + 2 * slope * area, 0))
    return start + 2 * area / jnp.where(height + root == 0, 1.0, height + root)
