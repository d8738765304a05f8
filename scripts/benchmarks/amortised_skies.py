"""Summaries of noisy maps of convergence, what is learned of parameters from them, and pairs of both by simulation."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from field_skies import simulated
from jaxtyping import Array, Float

from cosmoflow.fields import WavenumberBins
from cosmoflow.fields._grid import filtered
from cosmoflow.targets import Posterior
from cosmoflow.training import AbstractLoss, default_optimizer, fit

EDGES = (0.5, 1.5, 2.5, 4, 6, 9, 13, 19, 28, 40, 64, 91)
"""Of bins of |k|, in units of the fundamental wave number."""

SMOOTHING = (1.0, 2.0, 4.0)
"""Standard deviations of Gaussian filters, in cells."""

THRESHOLDS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Where the distribution function of a smoothed map is read, in units of its standard deviation among pilot maps."""

TOGETHER = 50
WIDTH, DEPTH, STEPS, LEARNING_RATE = 64, 2, 3000, 3e-3


class Summary(eqx.Module):
    """Logarithms of band powers of a noisy map, and the distribution functions of its smoothed versions.

    Args:
        bins: Bands of |k|.
        filters: Of the smoothing, shape (filter, *half).
        thresholds: Shape (filter, threshold).
    """

    bins: WavenumberBins
    filters: Float[Array, "filter ..."]
    thresholds: Float[Array, "filter threshold"]

    @classmethod
    def of(cls, posterior: Posterior, key: Array) -> "Summary":
        """With thresholds in units of the deviations of some maps."""
        grid = posterior.likelihood.model.grid
        bins = WavenumberBins(grid, tuple(2 * np.pi / max(grid.box_size) * np.array(EDGES)))
        k = jnp.asarray(grid.wavenumber * max(grid.cell_size), float)
        filters = jnp.stack([jnp.exp(-0.5 * (k * scale) ** 2) for scale in SMOOTHING])
        plain = cls(bins, filters, jnp.zeros((len(SMOOTHING), len(THRESHOLDS))))
        maps = jax.jit(jax.vmap(lambda k: plain.smoothed(simulated(posterior, k)[1])))(jr.split(key, TOGETHER))
        return cls(bins, filters, jnp.outer(jnp.std(maps, axis=(0, 2)), jnp.asarray(THRESHOLDS)))

    def smoothed(self, data: Float[Array, "*grid"]) -> Float[Array, "filter cell"]:
        """The smoothed maps, flat."""
        modes = self.bins.grid.modes(data)
        maps = jax.vmap(lambda gain: self.bins.grid.field(filtered(modes, gain)))(self.filters)
        return maps.reshape(len(self.filters), -1)

    def __call__(self, data: Float[Array, "*grid"]) -> Float[Array, " number"]:
        """The summary of one map."""
        power = self.bins.power_spectrum(self.bins.grid.modes(data))
        below = jnp.mean(self.smoothed(data)[:, None] < self.thresholds[..., None], axis=-1)
        return jnp.concatenate([jnp.log(power), below.ravel()])


@eqx.filter_jit
def _some_pairs(posterior: Posterior, statistic: Any, keys: Array) -> tuple[Array, Array]:
    def one(key):
        truth, data = simulated(posterior, key)
        return truth[:2], statistic(data)

    return jax.vmap(one)(keys)


def pairs(posterior: Posterior, statistic: Any, keys: Array) -> tuple[np.ndarray, np.ndarray]:
    """Both parameters in coordinates of the prior, shape (sky, 2), and a statistic of the map, (sky, number)."""
    parts = [_some_pairs(posterior, statistic, some) for some in keys.reshape(-1, TOGETHER)]
    z, statistics = (np.concatenate([np.asarray(part) for part in those]) for those in zip(*parts, strict=True))
    return z, statistics


class Compressed(eqx.Module):
    """The posterior mean of both parameters given a summary, as learned: two numbers for two parameters.

    Args:
        summary: Of a map.
        centre: Mean of summaries.
        scale: Their standard deviations.
        network: From standardised summaries.
    """

    summary: Summary
    centre: Array
    scale: Array
    network: eqx.nn.MLP

    def __call__(self, data: Float[Array, "*grid"]) -> Float[Array, "2"]:
        """The statistic of one map."""
        return self.network((self.summary(data) - self.centre) / self.scale)


class SquaredError(AbstractLoss):
    """E|f(s) - z|^2, which the mean of z given s makes least."""

    def __call__(self, model: eqx.nn.MLP, batch: Any, *, key: Array) -> Array:
        """The mean over a batch of pairs of z and s."""
        z, s = batch
        return jnp.mean((jax.vmap(model)(s) - z) ** 2)


def compressed(summary: Summary, z: np.ndarray, summaries: np.ndarray, key: Array) -> Compressed:
    """The statistic, learned from pairs.

    References:
        Jeffrey & Wandelt 2020, arXiv:2011.05991.
    """
    key_network, key_fit = jr.split(key)
    centre, scale = summaries.mean(axis=0), summaries.std(axis=0)
    network = eqx.nn.MLP(len(centre), 2, WIDTH, DEPTH, activation=jax.nn.silu, key=key_network)
    data = jnp.asarray(z), jnp.asarray((summaries - centre) / scale)
    optimizer = default_optimizer(STEPS, LEARNING_RATE)
    network, _ = fit(network, SquaredError(), num_steps=STEPS, chunk=500, data=data, optimizer=optimizer, key=key_fit)
    return Compressed(summary, jnp.asarray(centre), jnp.asarray(scale), network)
