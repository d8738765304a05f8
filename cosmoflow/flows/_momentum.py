"""Momentum encoders: what a Hamiltonian flow says about the momentum given the position."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution

from .._types import Key
from ..dynamics import zero_start_mlp


class GaussianMomentum(AbstractDistribution):
    """f(p | q) = N(p; mu(q), diag sigma(q)^2), with mu and log sigma from one network.

    The network starts as zero: an untrained encoder is N(0, I) whatever q is.

    Args:
        dim: Dimension of position and momentum.
        cond_dim: Length of a condition that follows the position, of flows that are conditional themselves.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the network's initial weights.

    References:
        Souveton et al. 2024, arXiv:2302.01955.
    """

    shape: tuple[int, ...]
    cond_shape: tuple[int, ...]
    network: eqx.nn.MLP

    def __init__(self, dim: int, *, cond_dim: int = 0, width: int = 64, depth: int = 2, key: Key):
        self.shape = (dim,)
        self.cond_shape = (dim + cond_dim,)
        self.network = zero_start_mlp(dim + cond_dim, 2 * dim, width=width, depth=depth, key=key)

    def _log_prob(self, x: Any, condition: Any = None):
        mean, log_sigma = jnp.split(self.network(condition), 2)
        return jnp.sum(-0.5 * ((x - mean) * jnp.exp(-log_sigma)) ** 2 - log_sigma - 0.5 * jnp.log(2 * jnp.pi))

    def _sample(self, key: Key, condition: Any = None):
        mean, log_sigma = jnp.split(self.network(condition), 2)
        return mean + jnp.exp(log_sigma) * jr.normal(key, self.shape, mean.dtype)
