"""Deterministic motions between events."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Scalar, Vector


class AbstractMotion(eqx.Module):
    """A flow of position and velocity that preserves exp(-reference(x)) times the law of the velocities."""

    @abstractmethod
    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """The position and velocity after a time."""

    @abstractmethod
    def reference(self, position: Vector) -> Scalar:
        """The potential that the motion accounts for by itself; events account for the rest."""

    @abstractmethod
    def moments(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Float[Array, "dim dim"]]:
        """The integrals of x and of x x^T over a time."""


class StraightLine(AbstractMotion):
    """x + v t, for velocities of any law."""

    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """The position and velocity after a time."""
        return position + velocity * time, velocity

    def reference(self, position: Vector) -> Scalar:
        """Zero: a straight line preserves the flat measure."""
        return jnp.zeros((), position.dtype)

    def moments(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Float[Array, "dim dim"]]:
        """The integrals of x and of x x^T over a time."""
        xx, xv, vv = _products(position, velocity)
        return position * time + velocity * time**2 / 2, xx * time + xv * time**2 / 2 + vv * time**3 / 3


class Rotation(AbstractMotion):
    """x cos t + v sin t, for velocities from N(0, I): it preserves N(0, I) in x and in v.

    References:
        Bierkens, Grazzi, Kamatani, Roberts 2020, arXiv:2006.13777.
    """

    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """The position and velocity after a time."""
        cos, sin = jnp.cos(time), jnp.sin(time)
        return position * cos + velocity * sin, velocity * cos - position * sin

    def reference(self, position: Vector) -> Scalar:
        """The potential of N(0, I)."""
        return 0.5 * (position @ position)

    def moments(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Float[Array, "dim dim"]]:
        """The integrals of x and of x x^T over a time."""
        xx, xv, vv = _products(position, velocity)
        cos, sin = jnp.cos(time), jnp.sin(time)
        first = position * sin + velocity * (1 - cos)
        return first, xx * (time + sin * cos) / 2 + xv * sin**2 / 2 + vv * (time - sin * cos) / 2


def _products(x: Vector, v: Vector) -> tuple[Array, Array, Array]:
    """x x^T, x v^T + v x^T, v v^T."""
    xv = jnp.outer(x, v)
    return jnp.outer(x, x), xv + xv.T, jnp.outer(v, v)
