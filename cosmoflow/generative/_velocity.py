"""The law of a velocity given the position: what a reversed process needs to know, and a mixture that learns it."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._network import TimeNetwork


class AbstractVelocity(eqx.Module):
    """The law p_t(v | x), at the clock sqrt(t / T)."""

    @abstractmethod
    def __call__(self, x: Vector, clock: Scalar, condition: Condition = None) -> AbstractDistribution:
        """The law of the velocity at one position and one time."""

    @abstractmethod
    def num_evaluations(self, num_calls: int) -> int:
        """Evaluations of networks for one law and so many of its log-densities and draws."""


class DiagonalMixture(AbstractDistribution):
    """sum_k w_k N(v; mu_k, diag sigma_k^2).

    Attributes:
        log_weights: log w, normalised.
        means: mu.
        log_scales: log sigma.
    """

    log_weights: Float[Array, " component"]
    means: Float[Array, "component dim"]
    log_scales: Float[Array, "component dim"]

    cond_shape = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a draw."""
        return self.means.shape[1:]

    def _log_prob(self, x, condition=None):
        normal = jax.scipy.stats.norm.logpdf((x - self.means) * jnp.exp(-self.log_scales)) - self.log_scales
        return jax.nn.logsumexp(self.log_weights + jnp.sum(normal, axis=-1))

    def _sample(self, key, condition=None):
        key_component, key_noise = jr.split(key)
        k = jr.categorical(key_component, self.log_weights)
        noise = jr.normal(key_noise, self.shape, self.means.dtype)
        return self.means[k] + jnp.exp(self.log_scales[k]) * noise


class VelocityMixture(AbstractVelocity):
    """A mixture of normal laws whose weights, means and scales are those of one network.

    Before the first event of a straight motion, v given x is such a mixture if the data are. One evaluation of the
    network gives the whole law, however often it is asked for densities and draws.

    Args:
        dim: Numbers of a datum.
        num_components: Normal laws in the mixture.
        cond_size: Numbers of the condition.
        width: Neurons per hidden layer.
        depth: Hidden layers.
        key: Random key of the weights.
    """

    dim: int = eqx.field(static=True)
    network: TimeNetwork

    def __init__(
        self,
        dim: int,
        *,
        num_components: int = 8,
        cond_size: int = 0,
        width: int = 128,
        depth: int = 3,
        key: Key,
    ):
        if num_components < 1:
            raise ValueError(f"VelocityMixture's num_components is {num_components}, but it needs one at least.")
        self.dim = dim
        outputs = num_components * (1 + 2 * dim)
        self.network = TimeNetwork(dim, outputs, cond_size=cond_size, width=width, depth=depth, key=key)

    def __call__(self, x: Vector, clock: Scalar, condition: Condition = None) -> AbstractDistribution:
        """The mixture at one position and one time."""
        outputs = self.network(x, clock, condition).reshape(-1, 1 + 2 * self.dim)
        logits, means, log_scales = outputs[:, 0], outputs[:, 1 : 1 + self.dim], outputs[:, 1 + self.dim :]
        return DiagonalMixture(jax.nn.log_softmax(logits), means, log_scales)

    def num_evaluations(self, num_calls: int) -> int:
        """One."""
        return 1
