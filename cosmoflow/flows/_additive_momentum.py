"""A momentum encoder that treats coordinates one by one, with couplings by a network."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jaxtyping import Array, Float

from .._types import Key
from ..dynamics import zero_start_mlp


class AdditiveGaussianMomentum(AbstractDistribution):
    """f(p | q) = N(p; mu(q), diag sigma(q)^2), mu_i and log sigma_i being sums of bells of q_i and a network of q.

    The encoder that goes with `AdditivePotential`. It starts as N(0, I) whatever q is.

    Args:
        dim: Dimension of position and momentum.
        cond_dim: Length of a condition that follows the position, of flows that are conditional themselves; the
            network alone sees it.
        num_bells: Bells per coordinate, spread evenly over [-reach, reach] at first.
        reach: Half the length over which they are spread.
        width: Neurons per hidden layer of the network.
        depth: Number of hidden layers.
        key: Random key of the network's initial weights.
    """

    shape: tuple[int, ...]
    cond_shape: tuple[int, ...]
    slopes: Float[Array, "2 dim"]
    heights: Float[Array, "2 dim bell"]
    centres: Float[Array, "dim bell"]
    log_widths: Float[Array, "dim bell"]
    network: eqx.nn.MLP

    def __init__(
        self,
        dim: int,
        *,
        cond_dim: int = 0,
        num_bells: int = 16,
        reach: float = 3.0,
        width: int = 64,
        depth: int = 2,
        key: Key,
    ):
        self.shape = (dim,)
        self.cond_shape = (dim + cond_dim,)
        self.slopes = jnp.zeros((2, dim))
        self.heights = jnp.zeros((2, dim, num_bells))
        self.centres = jnp.broadcast_to(jnp.linspace(-reach, reach, num_bells), (dim, num_bells))
        self.log_widths = jnp.full((dim, num_bells), jnp.log(2 * reach / num_bells))
        self.network = zero_start_mlp(dim + cond_dim, 2 * dim, width=width, depth=depth, key=key)

    def _moments(self, condition: Any):
        q = condition[: self.shape[0]]
        bells = jnp.exp(-0.5 * ((q[:, None] - self.centres) * jnp.exp(-self.log_widths)) ** 2)
        alone = self.slopes * q + jnp.sum(self.heights * bells, axis=2)
        mean, log_sigma = alone + self.network(condition).reshape(2, -1)
        return mean, log_sigma

    def _log_prob(self, x: Any, condition: Any = None):
        mean, log_sigma = self._moments(condition)
        return jnp.sum(-0.5 * ((x - mean) * jnp.exp(-log_sigma)) ** 2 - log_sigma - 0.5 * jnp.log(2 * jnp.pi))

    def _sample(self, key: Key, condition: Any = None):
        mean, log_sigma = self._moments(condition)
        return mean + jnp.exp(log_sigma) * jr.normal(key, self.shape, mean.dtype)
