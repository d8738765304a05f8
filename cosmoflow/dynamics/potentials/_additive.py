"""A potential that treats coordinates one by one, with couplings by a network: for nearly independent coordinates."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._network import zero_start_mlp
from .._potential import AbstractPotential


class AdditivePotential(AbstractPotential):
    """V(q) = sum_i [k_i q_i^2 / 2 + sum_m a_im exp(-(q_i - c_im)^2 / (2 s_im^2))] + network(q).

    Bells along each coordinate: a sum of double wells in many dimensions needs few parameters, where a network would
    have to find the coordinates first. It starts as the harmonic well.

    Args:
        dim: Dimension of the position.
        num_bells: Bells per coordinate, spread evenly over [-reach, reach] at first.
        reach: Half the length over which they are spread.
        width: Neurons per hidden layer of the network.
        depth: Number of hidden layers.
        key: Random key of the network's initial weights.
    """

    stiffness: Float[Array, " dim"]
    heights: Float[Array, "dim bell"]
    centres: Float[Array, "dim bell"]
    log_widths: Float[Array, "dim bell"]
    network: eqx.nn.MLP

    def __init__(self, dim: int, *, num_bells: int = 16, reach: float = 3.0, width: int = 64, depth: int = 2, key: Key):
        shape = (dim, num_bells)
        self.stiffness = jnp.ones(dim)
        self.heights = jnp.zeros(shape)
        self.centres = jnp.broadcast_to(jnp.linspace(-reach, reach, num_bells), shape)
        self.log_widths = jnp.full(shape, jnp.log(2 * reach / num_bells))
        self.network = zero_start_mlp(dim, "scalar", width=width, depth=depth, key=key)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        distance = (q[:, None] - self.centres) * jnp.exp(-self.log_widths)
        bells = jnp.sum(self.heights * jnp.exp(-0.5 * distance**2))
        return 0.5 * jnp.sum(self.stiffness * q**2) + bells + self.network(q)
