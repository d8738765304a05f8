"""The momentum encoder of periodic fields."""

import math
from typing import Any

import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution

from .._types import Key
from ..dynamics import FieldNetwork
from ._spectral_scale import SpectralScale


class FieldMomentum(AbstractDistribution):
    """f(p | q): p = mu(q) + sigma(q) S^(1/2) e, e standard normal, S a spectrum: equivariant under translations.

    mu is a filter of q plus neurons, log sigma neurons, of one `FieldNetwork` of q and the condition's fields; S is
    learned. Its density is exact at the price of a few Fourier transforms. It starts as N(0, I) whatever q is.

    Args:
        grid: Cells along each axis; position and momentum are flat.
        num_conditions: Fields that follow the position in the condition, of flows that are conditional themselves.
        num_filters: Filtered fields that the neurons see.
        width: Neurons per cell.
        num_modes: Cosines per filter.
        num_knots: Knots of the spectrum.
        key: Random key of the network.
    """

    shape: tuple[int, ...]
    cond_shape: tuple[int, ...]
    network: FieldNetwork
    scale: SpectralScale

    def __init__(
        self,
        grid: tuple[int, ...],
        *,
        num_conditions: int = 0,
        num_filters: int = 4,
        width: int = 16,
        num_modes: int = 8,
        num_knots: int = 12,
        key: Key,
    ):
        cells = math.prod(grid)
        self.shape = (cells,)
        self.cond_shape = ((1 + num_conditions) * cells,)
        self.network = FieldNetwork(
            grid,
            1 + num_conditions,
            2,
            num_filters=num_filters,
            width=width,
            num_modes=num_modes,
            activation=jnp.tanh,
            key=key,
        )
        self.scale = SpectralScale(grid, num_knots=num_knots)

    def _moments(self, condition: Any):
        linear, (mean, log_sigma) = self.network(condition.reshape(-1, *self.network.grid))
        return (linear + mean).ravel(), log_sigma.ravel()

    def _log_prob(self, x: Any, condition: Any = None):
        mean, log_sigma = self._moments(condition)
        white, log_det = self.scale.inverse_and_log_det((x - mean) * jnp.exp(-log_sigma))
        return jnp.sum(-0.5 * white**2 - log_sigma - 0.5 * jnp.log(2 * jnp.pi)) + log_det

    def _sample(self, key: Key, condition: Any = None):
        mean, log_sigma = self._moments(condition)
        return mean + jnp.exp(log_sigma) * self.scale.transform(jr.normal(key, self.shape, mean.dtype))

    def _sample_and_log_prob(self, key: Key, condition: Any = None):
        mean, log_sigma = self._moments(condition)
        white = jr.normal(key, self.shape, mean.dtype)
        noise, log_det = self.scale.transform_and_log_det(white)
        log_prob = jnp.sum(-0.5 * white**2 - log_sigma - 0.5 * jnp.log(2 * jnp.pi)) - log_det
        return mean + jnp.exp(log_sigma) * noise, log_prob
