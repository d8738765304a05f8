"""A momentum encoder whose momenta are correlated."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flowjax.distributions import AbstractDistribution
from jax.scipy.linalg import solve_triangular

from .._types import Key
from ..dynamics import zero_start_mlp


class DenseGaussianMomentum(AbstractDistribution):
    """f(p | q) = N(p; mu(q), L(q) L(q)^T) with L lower triangular, from one network of d (d + 3) / 2 outputs.

    The network starts as zero: an untrained encoder is N(0, I) whatever q is.

    Args:
        dim: Dimension d of position and momentum.
        cond_dim: Length of a condition that follows the position, of flows that are conditional themselves.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        network: Makes the network from the numbers of its inputs and outputs and a key, instead of a perceptron of this
            width and depth; a `RadialNetwork` suits targets of several modes.
        key: Random key of the network's initial weights.
    """

    shape: tuple[int, ...]
    cond_shape: tuple[int, ...]
    network: eqx.Module

    def __init__(
        self,
        dim: int,
        *,
        cond_dim: int = 0,
        width: int = 64,
        depth: int = 2,
        network: Callable[[int, int, Key], eqx.Module] | None = None,
        key: Key,
    ):
        self.shape = (dim,)
        self.cond_shape = (dim + cond_dim,)
        sizes = (dim + cond_dim, dim * (dim + 3) // 2)
        if network is None:
            self.network = zero_start_mlp(*sizes, width=width, depth=depth, key=key)
        else:
            self.network = network(*sizes, key)

    def _moments(self, condition: Any):
        (dim,) = self.shape
        mean, log_diagonal, below = jnp.split(self.network(condition), [dim, 2 * dim])
        return mean, log_diagonal, jnp.diag(jnp.exp(log_diagonal)).at[np.tril_indices(dim, -1)].set(below)

    def _log_prob(self, x: Any, condition: Any = None):
        mean, log_diagonal, factor = self._moments(condition)
        white = solve_triangular(factor, x - mean, lower=True)
        return jnp.sum(-0.5 * white**2 - log_diagonal - 0.5 * jnp.log(2 * jnp.pi))

    def _sample(self, key: Key, condition: Any = None):
        mean, _, factor = self._moments(condition)
        return mean + factor @ jr.normal(key, self.shape, mean.dtype)
