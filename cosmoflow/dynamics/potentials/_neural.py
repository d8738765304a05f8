"""A potential that is a multilayer perceptron."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._network import zero_start_mlp
from .._potential import AbstractPotential


class NeuralPotential(AbstractPotential):
    """V(q) = sum_i k_i q_i^2 / 2 + network(q), a learned potential that starts as a harmonic well.

    The network starts as zero, so an untrained flow is the quarter turn of phase space that is exact for a standard
    normal target.

    Args:
        dim: Dimension of the position.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the network's initial weights.
    """

    stiffness: Float[Array, " dim"]
    network: eqx.nn.MLP

    def __init__(self, dim: int, *, width: int = 64, depth: int = 2, key: Key):
        self.stiffness = jnp.ones(dim)
        self.network = zero_start_mlp(dim, "scalar", width=width, depth=depth, key=key)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        return 0.5 * jnp.sum(self.stiffness * q**2) + self.network(q)
