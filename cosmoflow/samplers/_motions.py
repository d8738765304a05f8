"""Deterministic motions between events, and the energy of the reference law that each of them preserves."""

import math
from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Scalar, Vector


class AbstractMotion(eqx.Module):
    """A volume-preserving flow of (x, v) that returns to its start when v is reversed.

    It preserves a reference law exp(-U_0(x)) N(v; 0, I), so that only the rest W = U - U_0 makes events.
    """

    @abstractmethod
    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """Follow the flow for a time."""

    @abstractmethod
    def longest(self, spread: float) -> float:
        """The longest step that may serve, for draws of a standard deviation `spread`: no acceptance rate limits it."""

    @abstractmethod
    def reference(self, position: Vector) -> Scalar:
        """The reference energy U_0."""

    @abstractmethod
    def reference_gradient(self, position: Vector) -> Vector:
        """The gradient of U_0."""

    @abstractmethod
    def moments(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Float[Array, "dim dim"]]:
        """The integrals of x and of x x^T over a time."""


class Straight(AbstractMotion):
    """x(t) = x + v t, with U_0 = 0."""

    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """A straight line."""
        return position + velocity * time, velocity

    def longest(self, spread: float) -> float:
        """Four standard deviations."""
        return 4 * spread

    def reference(self, position: Vector) -> Scalar:
        """Zero."""
        return jnp.zeros((), position.dtype)

    def reference_gradient(self, position: Vector) -> Vector:
        """Zero."""
        return jnp.zeros_like(position)

    def moments(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Float[Array, "dim dim"]]:
        """The integrals of x and of x x^T over a time."""
        xx, xv, vv = _products(position, velocity)
        return position * time + velocity * time**2 / 2, xx * time + xv * time**2 / 2 + vv * time**3 / 3


class Rotation(AbstractMotion):
    """x(t) = x cos t + v sin t, v(t) = v cos t - x sin t, with U_0 = |x|^2 / 2: the boomerang's motion about N(0, I).

    References:
        Bierkens, Grazzi, Kamatani, Roberts 2020, arXiv:2006.13777.
    """

    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """An ellipse about the origin."""
        cos, sin = jnp.cos(time), jnp.sin(time)
        return position * cos + velocity * sin, velocity * cos - position * sin

    def longest(self, spread: float) -> float:
        """A quarter turn, which forgets the position."""
        return math.pi / 2

    def reference(self, position: Vector) -> Scalar:
        """|x|^2 / 2."""
        return 0.5 * (position @ position)

    def reference_gradient(self, position: Vector) -> Vector:
        """x."""
        return position

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
