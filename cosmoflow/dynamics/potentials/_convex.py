"""A potential without saddles."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._potential import AbstractPotential

_FLAT = -6.0
"""Start of the weights between hidden layers, whose softplus is 0.0025: nearly the harmonic well."""


class ConvexPotential(AbstractPotential):
    """V(q) = sum_i e^k_i q_i^2 / 2 + an input-convex network: convex in q whatever its parameters.

    z_1 = softplus(W_1 q + b_1),  z_(l+1) = softplus(softplus(U_l) z_l + W_l q + b_l): weights between hidden layers are
    positive, activations convex and rising.

    Args:
        dim: Dimension of the position.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the initial weights.

    References:
        Amos, Xu & Kolter 2017, arXiv:1609.07152.
    """

    log_stiffness: Float[Array, " dim"]
    layers: tuple[eqx.nn.Linear, ...]
    between: tuple[Float[Array, "out in"], ...]

    def __init__(self, dim: int, *, width: int = 64, depth: int = 2, key: Key):
        self.log_stiffness = jnp.zeros(dim)
        self.layers = tuple(eqx.nn.Linear(dim, width, key=k) for k in jr.split(key, depth))
        sizes = [width] * (depth - 1) + [1]
        self.between = tuple(jnp.full((size, width), _FLAT) for size in sizes)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        z = jax.nn.softplus(self.layers[0](q))
        for layer, between in zip(self.layers[1:], self.between[:-1], strict=True):
            z = jax.nn.softplus(jax.nn.softplus(between) @ z + layer(q))
        return 0.5 * jnp.sum(jnp.exp(self.log_stiffness) * q**2) + (jax.nn.softplus(self.between[-1]) @ z)[0]
