"""The learned kinetic energy of the original neural Hamiltonian flow."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._kinetic import AbstractKinetic
from ._network import zero_start_mlp


class NeuralKinetic(AbstractKinetic):
    """K(p) = sum_i p_i^2 / (2 m_i) + network(p): any smooth function of the momentum.

    The network starts as zero, so that an untrained flow is that of unit masses.

    Args:
        dim: Dimension of the momentum.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the network's initial weights.

    References:
        Toth et al. 2020, arXiv:1909.13789.
    """

    inverse_mass: Float[Array, " dim"]
    network: eqx.nn.MLP

    def __init__(self, dim: int, *, width: int = 64, depth: int = 2, key: Key):
        self.inverse_mass = jnp.ones(dim)
        self.network = zero_start_mlp(dim, "scalar", width=width, depth=depth, key=key)

    def __call__(self, p: Vector) -> Scalar:
        """Energy of one momentum."""
        return 0.5 * jnp.sum(self.inverse_mass * p**2) + self.network(p)

    def drift(self, q: Vector, p: Vector, h: Scalar) -> tuple[Vector, Vector]:
        """Free motion for a time h."""
        return q + h * jax.grad(self)(p), p

    def kick(self, p: Vector, gradient: Vector, h: Scalar) -> Vector:
        """Motion under a constant force -gradient for a time h."""
        return p - h * gradient
