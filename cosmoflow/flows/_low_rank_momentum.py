"""A momentum encoder whose momenta are correlated along a few directions."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jaxtyping import Array, Float

from .._types import Key
from ..dynamics import zero_start_mlp


class LowRankGaussianMomentum(AbstractDistribution):
    """f(p | q) = N(p; mu(q), S (I + U U^T) S) with S = diag sigma(q) and U = U_0 + U(q) of a few columns.

    One network gives mu, log sigma and U(q); it starts as zero, and U_0 as small numbers.

    Args:
        dim: Dimension d of position and momentum.
        rank: Columns of U.
        cond_dim: Length of a condition that follows the position, of flows that are conditional themselves.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the initial weights.
    """

    shape: tuple[int, ...]
    cond_shape: tuple[int, ...]
    network: eqx.nn.MLP
    columns: Float[Array, "dim rank"]

    def __init__(self, dim: int, *, rank: int = 4, cond_dim: int = 0, width: int = 64, depth: int = 2, key: Key):
        self.shape = (dim,)
        self.cond_shape = (dim + cond_dim,)
        key_network, key_columns = jr.split(key)
        self.network = zero_start_mlp(dim + cond_dim, dim * (2 + rank), width=width, depth=depth, key=key_network)
        self.columns = 0.01 * jr.normal(key_columns, (dim, rank))

    def _moments(self, condition: Any):
        (dim,) = self.shape
        mean, log_sigma, columns = jnp.split(self.network(condition), [dim, 2 * dim])
        return mean, log_sigma, self.columns + columns.reshape(self.columns.shape)

    def _log_prob(self, x: Any, condition: Any = None):
        mean, log_sigma, columns = self._moments(condition)
        white = (x - mean) * jnp.exp(-log_sigma)
        capacity = jnp.linalg.cholesky(jnp.eye(columns.shape[1], dtype=white.dtype) + columns.T @ columns)
        along = jax.scipy.linalg.solve_triangular(capacity, columns.T @ white, lower=True)
        log_det = jnp.sum(log_sigma) + jnp.sum(jnp.log(jnp.diagonal(capacity)))
        return -0.5 * (white @ white - along @ along) - log_det - 0.5 * white.size * jnp.log(2 * jnp.pi)

    def _sample(self, key: Key, condition: Any = None):
        mean, log_sigma, columns = self._moments(condition)
        key_each, key_along = jr.split(key)
        noise = jr.normal(key_each, self.shape, mean.dtype)
        return mean + jnp.exp(log_sigma) * (noise + columns @ jr.normal(key_along, columns.shape[1:], mean.dtype))
