"""Coordinates that scale every axis, and a few directions besides."""

import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float

from .._types import Vector


class LowRank(AbstractBijection):
    """x = location + scale * (z + U ((stretch - 1) * U^T z)), with orthonormal columns U.

    Args:
        location: Shape (dim,).
        scale: Positive, shape (dim,).
        directions: U, shape (dim, rank).
        stretch: Positive, shape (rank,).
    """

    location: Vector
    scale: Vector
    directions: Float[Array, "dim rank"]
    stretch: Float[Array, " rank"]
    cond_shape: None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (dim,) of a point."""
        return self.location.shape

    @property
    def log_det(self) -> Float[Array, ""]:
        """log |dx / dz|."""
        return jnp.sum(jnp.log(self.scale)) + jnp.sum(jnp.log(self.stretch))

    def transform_and_log_det(self, x, condition=None):
        """From whitened coordinates to the target's."""
        stretched = x + self.directions @ ((self.stretch - 1) * (x @ self.directions))
        return self.location + self.scale * stretched, self.log_det

    def inverse_and_log_det(self, y, condition=None):
        """From the target's coordinates to whitened ones."""
        u = (y - self.location) / self.scale
        return u + self.directions @ ((1 / self.stretch - 1) * (u @ self.directions)), -self.log_det
