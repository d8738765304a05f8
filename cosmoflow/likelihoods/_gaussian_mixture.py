"""A likelihood of several modes, on which samplers are tried."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, ArrayLike, Float

from .._types import Parameters, Scalar
from ._base import AbstractLikelihood


class GaussianMixture(AbstractLikelihood):
    """A normalised mixture of Gaussians in named parameters.

        L = sum_k weights_k prod_i N(parameter_i; means_ki, sd^2)

    Under a flat prior of volume V that holds all modes the evidence is 1 / V, and the modes have the weights given.

    Args:
        parameters: Their names.
        weights: Positive, normalised here, shape (components,).
        means: Shape (components, parameters).
        sd: Standard deviation, one for all or broadcast against `means`.

    Raises:
        ValueError: If not weights > 0 and sd > 0, or the means have another shape.
    """

    weights: Float[Array, " components"]
    means: Float[Array, "components parameters"]
    sd: Float[Array, "components parameters"]
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        parameters: Sequence[str],
        weights: ArrayLike | Sequence[float],
        means: ArrayLike | Sequence[Sequence[float]],
        sd: ArrayLike = 1.0,
    ):
        weights, means = jnp.asarray(weights, float), jnp.asarray(means, float)
        if means.shape != (weights.size, len(parameters)):
            raise ValueError(
                f"GaussianMixture needs means of shape {(weights.size, len(parameters))}, one row for each weight and "
                f"one column for each parameter, but theirs is {means.shape}."
            )
        self.weights = weights / jnp.sum(weights)
        self.means = means
        self.sd = jnp.broadcast_to(jnp.asarray(sd, float), means.shape)
        if not (jnp.all(weights > 0) and jnp.all(self.sd > 0)):
            raise ValueError(f"GaussianMixture needs positive weights and sd, but they are {weights} and {sd}.")
        self.required, self.optional = tuple(parameters), ()

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Log of the mixture's density."""
        point = jnp.stack([parameters[name] for name in self.required])
        white = (point - self.means) / self.sd
        log_norms = jnp.log(self.weights) - jnp.sum(jnp.log(self.sd), axis=1) - 0.5 * point.size * jnp.log(2 * jnp.pi)
        return logsumexp(log_norms - 0.5 * jnp.sum(white**2, axis=1))
