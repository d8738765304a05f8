"""A potential of periodic fields that knows no origin."""

import math
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._potential import AbstractPotential


class ConvolutionalPotential(AbstractPotential):
    """V(q) = k |q|^2 / 2 + sum_x network(q)(x), the network of periodic convolutions: invariant under translations.

    The last layer starts as zero. The position is flat, the field's cells and then those of other fields that the
    network sees, shape ((1 + num_conditions) cells,).

    Args:
        grid: Cells along each axis, of one to three axes.
        num_conditions: Number of other fields; a `ConditionalPotential` of this one hands them over.
        channels: Channels of the hidden layers.
        depth: Number of hidden layers.
        kernel_size: Cells along each axis of a kernel, an odd number.
        key: Random key of the initial weights.

    Raises:
        ValueError: `kernel_size` is even.

    References:
        Rezende et al. 2019, arXiv:1909.13739, on invariant potentials.
    """

    stiffness: Float[Array, ""]
    layers: tuple[eqx.nn.Conv, ...]
    weights: Float[Array, " channel"]
    grid: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        grid: tuple[int, ...],
        *,
        num_conditions: int = 0,
        channels: int = 8,
        depth: int = 2,
        kernel_size: int = 3,
        key: Key,
    ):
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {kernel_size}, but must be odd, to be centred on a cell.")
        sizes = [1 + num_conditions] + [channels] * depth
        self.layers = tuple(
            eqx.nn.Conv(
                len(grid), a, b, kernel_size, padding=kernel_size // 2, padding_mode="CIRCULAR", key=jr.fold_in(key, i)
            )
            for i, (a, b) in enumerate(pairwise(sizes))
        )
        self.stiffness = jnp.ones(())
        self.weights = jnp.zeros(channels)
        self.grid = grid

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy of one field."""
        field = q.reshape(-1, *self.grid)
        quadratic = 0.5 * self.stiffness * jnp.sum(field[0] ** 2)
        for layer in self.layers:
            field = jax.nn.softplus(layer(field))
        return quadratic + self.weights @ jnp.sum(field, axis=range(1, field.ndim))

    @property
    def dim(self) -> int:
        """Number of cells."""
        return math.prod(self.grid)
