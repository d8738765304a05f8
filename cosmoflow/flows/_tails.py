"""Heavier tails for a normal law, learned on either side."""

from typing import ClassVar

import jax.numpy as jnp
import paramax
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float

from .._types import Scalar, Vector

START = 0.1


class SinhTails(AbstractBijection):
    """y = sinh(a x) / a on each coordinate, with one a > 0 for x > 0 and another for x < 0.

    Near zero it is the identity; a normal law gets tails as heavy as exp(-log(2 a |y|)^2 / (2 a^2)). A map that
    preserves volume keeps the tails of its base: a posterior with slow sides needs a base that has them.

    Args:
        dim: Number of coordinates.

    References:
        Jones, Pewsey 2009, Biometrika 96, 761, for the sinh-arcsinh transform.
    """

    shape: tuple[int, ...]
    cond_shape: ClassVar[None] = None
    below: Float[Array, " dim"] | paramax.AbstractUnwrappable
    above: Float[Array, " dim"] | paramax.AbstractUnwrappable

    def __init__(self, dim: int):
        self.shape = (dim,)
        self.below = paramax.Parameterize(jnp.exp, jnp.full(dim, jnp.log(START)))
        self.above = paramax.Parameterize(jnp.exp, jnp.full(dim, jnp.log(START)))

    def _rates(self, x: Vector) -> Vector:
        return jnp.where(x > 0, jnp.asarray(self.above), jnp.asarray(self.below))

    def transform_and_log_det(self, x: Vector, condition: None = None) -> tuple[Vector, Scalar]:
        """Image of a point and the logarithm of the Jacobian."""
        a = self._rates(x)
        return jnp.sinh(a * x) / a, jnp.sum(_log_cosh(a * x))

    def inverse_and_log_det(self, y: Vector, condition: None = None) -> tuple[Vector, Scalar]:
        """Preimage of a point and the logarithm of the inverse's Jacobian."""
        a = self._rates(y)
        x = jnp.arcsinh(a * y) / a
        return x, -jnp.sum(_log_cosh(a * x))


def _log_cosh(x: Vector) -> Vector:
    return jnp.logaddexp(x, -x) - jnp.log(2.0)
