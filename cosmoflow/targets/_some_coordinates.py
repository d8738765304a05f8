"""A bijection of some coordinates, the others staying."""

from typing import Any

import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Int


class SomeCoordinates(AbstractBijection):
    """A bijection that acts on some coordinates of a point.

    Args:
        bijection: Of shape (number of these coordinates,).
        indices: Which, in the order in which the bijection takes them.
        dim: Number of all coordinates.
    """

    bijection: AbstractBijection
    indices: Int[Array, " some"]
    shape: tuple[int, ...]
    cond_shape: None = None

    def __init__(self, bijection: AbstractBijection, indices: tuple[int, ...], dim: int):
        self.bijection = bijection
        self.indices = jnp.asarray(indices, jnp.int32)
        self.shape = (dim,)

    def transform_and_log_det(self, x: Any, condition=None):
        """Forwards."""
        new, log_det = self.bijection.transform_and_log_det(x[self.indices])
        return x.at[self.indices].set(new), log_det

    def inverse_and_log_det(self, y: Any, condition=None):
        """Backwards."""
        new, log_det = self.bijection.inverse_and_log_det(y[self.indices])
        return y.at[self.indices].set(new), log_det
