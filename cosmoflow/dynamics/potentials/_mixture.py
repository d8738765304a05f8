"""Potentials made of bells: wells and hills at learned places, for targets of several modes."""

import jax.numpy as jnp
import jax.random as jr
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._potential import AbstractPotential


class RadialPotential(AbstractPotential):
    """V(q) = sum_i k_i q_i^2 / 2 + sum_j a_j exp(-|q - c_j|^2 / (2 s_j^2)): a harmonic well with bumps and holes.

    It starts as the harmonic well, with all a_j zero.

    Args:
        dim: Dimension of the position.
        num_bells: Number of bells.
        key: Random key of their places, drawn from N(0, I).
    """

    stiffness: Float[Array, " dim"]
    heights: Float[Array, " bell"]
    centres: Float[Array, "bell dim"]
    log_widths: Float[Array, " bell"]

    def __init__(self, dim: int, *, num_bells: int = 64, key: Key):
        self.stiffness = jnp.ones(dim)
        self.heights = jnp.zeros(num_bells)
        self.centres = jr.normal(key, (num_bells, dim))
        self.log_widths = jnp.full(num_bells, 0.5 * jnp.log(0.25 * dim))

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        distance = jnp.sum((q - self.centres) ** 2, axis=1) * jnp.exp(-2 * self.log_widths)
        return 0.5 * jnp.sum(self.stiffness * q**2) + self.heights @ jnp.exp(-0.5 * distance)


class MixturePotential(AbstractPotential):
    """V(q) = -log sum_j exp(a_j - sum_i (q_i - c_ji)^2 / (2 s_ji^2)), that of a Gaussian mixture.

    It starts close to the harmonic well, its centres being a tenth of N(0, I).

    Args:
        dim: Dimension of the position.
        num_components: Number of components.
        key: Random key of the centres.
    """

    log_weights: Float[Array, " component"]
    centres: Float[Array, "component dim"]
    log_widths: Float[Array, "component dim"]

    def __init__(self, dim: int, *, num_components: int = 32, key: Key):
        self.log_weights = jnp.full(num_components, -jnp.log(float(num_components)))
        self.centres = 0.1 * jr.normal(key, (num_components, dim))
        self.log_widths = jnp.zeros((num_components, dim))

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        distance = jnp.sum((q - self.centres) ** 2 * jnp.exp(-2 * self.log_widths), axis=1)
        return -logsumexp(self.log_weights - 0.5 * distance)
