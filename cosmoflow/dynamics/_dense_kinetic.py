"""A kinetic energy with correlated masses."""

import jax
import jax.numpy as jnp
import jax.random as jr
import paramax
from jaxtyping import Array, ArrayLike, Float
from paramax import AbstractUnwrappable

from .._types import Key, Scalar, Vector
from ._kinetic import AbstractKinetic


class DenseKinetic(AbstractKinetic):
    """K(p) = p^T M^-1 p / 2 with M^-1 = C C^T, C lower triangular.

    Args:
        cholesky: C, of which what stands above the diagonal is not read, shape (dim, dim); an array is trained by
            `fit`, a `paramax.NonTrainable` is not.

    Raises:
        ValueError: If C is not square.
    """

    cholesky: Float[Array, "..."] | AbstractUnwrappable

    def __init__(self, cholesky: ArrayLike | AbstractUnwrappable):
        self.cholesky = cholesky if isinstance(cholesky, AbstractUnwrappable) else jnp.asarray(cholesky, float)
        shape = jnp.shape(paramax.unwrap(self.cholesky))
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"DenseKinetic needs a square Cholesky factor, but its shape is {shape}.")

    @property
    def _factor(self) -> Float[Array, "dim dim"]:
        return jnp.tril(self.cholesky)  # pyright: ignore[reportArgumentType]

    def __call__(self, p: Vector) -> Scalar:
        """Energy of one momentum."""
        return 0.5 * jnp.sum((p @ self._factor) ** 2)

    def drift(self, q: Vector, p: Vector, h: Scalar) -> tuple[Vector, Vector]:
        """Free motion for a time h."""
        return q + h * (self._factor @ (p @ self._factor)), p

    def kick(self, p: Vector, gradient: Vector, h: Scalar) -> Vector:
        """Motion under a constant force -gradient for a time h."""
        return p - h * gradient

    def sample(self, like: Vector, *, key: Key) -> Vector:
        """A momentum from exp(-K), of the shape and type of `like`."""
        noise = jr.normal(key, like.shape, like.dtype)
        return jax.scipy.linalg.solve_triangular(self._factor, noise, lower=True, trans="T")
