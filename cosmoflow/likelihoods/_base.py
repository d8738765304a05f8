"""Likelihoods: data and theory in, log L out."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from equinox import AbstractVar
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from .._types import Parameters, Scalar


class AbstractLikelihood(eqx.Module):
    """A log-likelihood of named parameters.

    `required` are the names it cannot do without, `optional` those it uses where given and
    replaces by a documented default otherwise.
    """

    required: AbstractVar[tuple[str, ...]]
    optional: AbstractVar[tuple[str, ...]]

    @abstractmethod
    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Normalised log-likelihood of the data given the parameters."""

    def observed_data(self) -> dict[str, Array]:
        """The data that are fitted, by name, for those who read the chain; none unless a likelihood tells."""
        return {}

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest values of parameters beyond which log L is NaN; none unless a likelihood tells."""
        return {}

    def derived(self, parameters: Parameters) -> Parameters:
        """What follows from the parameters and is worth keeping of each draw; nothing unless a likelihood tells."""
        return {}

    def averaged(self, parameters: Parameters) -> Parameters:
        """What follows from them whose mean and spread over all draws are worth keeping; as `derived` otherwise."""
        return {}


class AbstractGaussianLikelihood(AbstractLikelihood):
    """Gaussian data: log L = -(d - m)^T C^-1 (d - m) / 2 - log det(2 pi C) / 2.

    `cholesky` is the lower Cholesky factor of the covariance C.
    """

    data: AbstractVar[Float[Array, " data"]]
    cholesky: AbstractVar[Float[Array, "data data"]]

    @abstractmethod
    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """The model of the data."""

    def observed_data(self) -> dict[str, Array]:
        """The data vector."""
        return {"data": self.data}

    def residual(self, parameters: Parameters) -> Float[Array, " row"]:
        """L^-1 (m - d), L the Cholesky factor, or a vector with fewer elements and the same scalar products."""
        return solve_triangular(self.cholesky, self.predict(parameters) - self.data, lower=True)

    def chi2(self, parameters: Parameters) -> Scalar:
        """Squared Mahalanobis distance of the data from the model."""
        residual = self.residual(parameters)
        return residual @ residual

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Normalised log-likelihood of the data given the parameters."""
        log_norm = jnp.sum(jnp.log(jnp.diagonal(self.cholesky))) + 0.5 * self.data.size * jnp.log(2 * jnp.pi)
        return -0.5 * self.chi2(parameters) - log_norm
