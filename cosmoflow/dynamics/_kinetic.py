"""Kinetic energies, with the exact flows that an integrator splits into: drift and kick."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float
from paramax import AbstractUnwrappable

from .._types import Key, Scalar, Vector


class AbstractKinetic(eqx.Module):
    """A kinetic energy K(p) and its two exact motions."""

    @abstractmethod
    def __call__(self, p: Vector) -> Scalar:
        """Energy of one momentum."""

    @abstractmethod
    def drift(self, q: Vector, p: Vector, h: Scalar) -> tuple[Vector, Vector]:
        """Free motion for a time h."""

    @abstractmethod
    def kick(self, p: Vector, gradient: Vector, h: Scalar) -> Vector:
        """Motion under a constant force -gradient for a time h."""


class GaussianKinetic(AbstractKinetic):
    """K(p) = sum_i p_i^2 / (2 m_i), the fixed kinetic energy of diagonal masses.

    Args:
        inverse_mass: 1 / m, a scalar or one value per coordinate; an array is trained by `fit`, a
            `paramax.Parameterize` keeps it positive meanwhile, a `paramax.NonTrainable` fixes it.
    """

    inverse_mass: Any

    def __init__(self, inverse_mass: float | Float[Array, "..."] | AbstractUnwrappable = 1.0):
        wrapped = isinstance(inverse_mass, AbstractUnwrappable)
        self.inverse_mass = inverse_mass if wrapped else jnp.asarray(inverse_mass, float)

    def __call__(self, p: Vector) -> Scalar:
        """Energy of one momentum."""
        return 0.5 * jnp.sum(self.inverse_mass * p**2)

    def drift(self, q: Vector, p: Vector, h: Scalar) -> tuple[Vector, Vector]:
        """Free motion for a time h."""
        return q + h * self.inverse_mass * p, p

    def kick(self, p: Vector, gradient: Vector, h: Scalar) -> Vector:
        """Motion under a constant force -gradient for a time h."""
        return p - h * gradient

    def sample(self, like: Vector, *, key: Key) -> Vector:
        """A momentum from exp(-K), of the shape and type of `like`."""
        return jr.normal(key, like.shape, like.dtype) / jnp.sqrt(self.inverse_mass)

    def refreshed(self, p: Vector, persistence: Scalar, *, key: Key) -> Vector:
        """a p + sqrt(1 - a^2) xi with xi from exp(-K), which stays invariant; a is the `persistence`."""
        persistence = persistence.astype(p.dtype)
        return persistence * p + jnp.sqrt(1 - persistence**2) * self.sample(p, key=key)

    def gauged(self, p: Vector) -> Vector:
        """The momentum itself: its length matters."""
        return p
