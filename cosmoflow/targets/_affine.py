"""Affine coordinates as a bijection."""

import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from .._types import Vector


class Affine(AbstractBijection):
    """x = location + cholesky z, with a lower triangular matrix of positive diagonal.

    Unlike flowjax's `TriangularAffine` it holds arrays only: maps of one shape share one compilation.

    Args:
        location: Shape (dim,).
        cholesky: Shape (dim, dim).
    """

    location: Vector
    cholesky: Float[Array, "dim dim"]
    cond_shape: None = None

    @classmethod
    def identity(cls, dim: int, dtype) -> "Affine":
        """The coordinates as they are."""
        return cls(jnp.zeros(dim, dtype), jnp.eye(dim, dtype=dtype))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (dim,) of a point."""
        return self.location.shape

    @property
    def log_det(self) -> Float[Array, ""]:
        """log |dx / dz|."""
        return jnp.sum(jnp.log(jnp.diagonal(self.cholesky)))

    def transform_and_log_det(self, x, condition=None):
        """From whitened coordinates to the target's."""
        return self.location + self.cholesky @ x, self.log_det

    def inverse_and_log_det(self, y, condition=None):
        """From the target's coordinates to whitened ones."""
        return solve_triangular(self.cholesky, y - self.location, lower=True), -self.log_det
