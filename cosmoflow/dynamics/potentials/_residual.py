"""A potential that is a deep residual network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._potential import AbstractPotential


class ResidualPotential(AbstractPotential):
    """V(q) = sum_i k_i q_i^2 / 2 + a . h_B, with h_0 = W q and h_(b+1) = h_b + U_b softplus(W_b h_b + c_b).

    It starts as the harmonic well, a being zero.

    Args:
        dim: Dimension of the position.
        width: Length of h.
        num_blocks: Number B of residual blocks.
        key: Random key of the initial weights.

    References:
        He et al. 2016, arXiv:1603.05027.
    """

    stiffness: Float[Array, " dim"]
    first: eqx.nn.Linear
    blocks: tuple[tuple[eqx.nn.Linear, eqx.nn.Linear], ...]
    last: Float[Array, " width"]

    def __init__(self, dim: int, *, width: int = 64, num_blocks: int = 3, key: Key):
        self.stiffness = jnp.ones(dim)
        key, *keys = jr.split(key, 1 + 2 * num_blocks)
        self.first = eqx.nn.Linear(dim, width, key=key)
        linears = [eqx.nn.Linear(width, width, key=k) for k in keys]
        self.blocks = tuple(zip(linears[::2], linears[1::2], strict=True))
        self.last = jnp.zeros(width)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        h = self.first(q)
        for inner, outer in self.blocks:
            h = h + outer(jax.nn.softplus(inner(h)))
        return 0.5 * jnp.sum(self.stiffness * q**2) + self.last @ h
