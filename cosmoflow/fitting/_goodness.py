"""Goodness of fit: is chi^2 as large as it should be?"""

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.scipy.special import gammaincc
from jaxtyping import Array, Float

from ..targets import Posterior, Prior
from ._residual import as_parameters, flat, free_names, gaussian_members, linearise, num_rows

NUM_DRAWS = 8192


class Goodness(NamedTuple):
    """Of the fit to one data set, or to all.

    Attributes:
        name: Of the data set.
        chi2: chi^2 at the fit.
        num_points: Length of the data vector.
        num_parameters: How many parameters these data constrain beyond the prior and the other data.
    """

    name: str
    chi2: float
    num_points: int
    num_parameters: float

    @property
    def degrees_of_freedom(self) -> float:
        """What chi^2 is expected to be."""
        return self.num_points - self.num_parameters

    @property
    def p_value(self) -> float:
        """The probability of a larger chi^2; NaN where there are no degrees of freedom."""
        if self.degrees_of_freedom <= 0:
            return float("nan")
        return float(gammaincc(jnp.asarray(0.5 * self.degrees_of_freedom), jnp.asarray(0.5 * self.chi2)))


def goodness_of_fit(posterior: Posterior, parameters: Mapping) -> tuple[Goodness, ...]:
    """chi^2 of each data set and of all together ("total", the last) at a fit to all of them, and its p-value.

    With the Fisher information F of all data and P of the prior, a data set of information F_i takes

        N_i = tr(F_i (F + P)^-1)

    parameters, and chi^2 has the mean n_i - N_i, if the model is right and linear. Its law is that of chi^2 up to
    parameters of which data and prior know as much as each other, and, for one of several data sets, up to the
    parameters that it shares with the others. A prior counts by its covariance, a flat one too.

    Args:
        posterior: Of Gaussian data.
        parameters: The fit, as in `BestFit.parameters`; with Gaussian priors it is that of `maximum_posterior`.

    Raises:
        ValueError: A likelihood is not Gaussian, or a name is not in the prior.

    References:
        Raveri & Hu 2019, arXiv:1806.04649.
    """
    point = as_parameters(posterior, parameters)
    residual, jacobian = (np.asarray(a, float) for a in linearise(posterior, point))
    spread = np.linalg.cholesky(np.asarray(prior_covariance(posterior.prior), float))
    scaled = jacobian @ spread
    gain = np.linalg.inv(np.eye(len(spread)) + scaled.T @ scaled)
    share = np.einsum("ni,ij,nj->n", scaled, gain, scaled)
    members = gaussian_members(posterior.likelihood)
    sizes = [member.data.size for member in members.values()]
    bounds = np.cumsum(num_rows(posterior, point))[:-1]

    def over(name: str, size: int, rows: np.ndarray, shares: np.ndarray) -> Goodness:
        return Goodness(name, float(rows @ rows), size, float(np.sum(shares)))

    each = zip(members, sizes, np.split(residual, bounds), np.split(share, bounds), strict=True)
    return (*(over(*one) for one in each), over("total", sum(sizes), residual, share))


@eqx.filter_jit
def prior_covariance(prior: Prior) -> Float[Array, "free free"]:
    """Of the free parameters, from draws."""
    names = free_names(prior)
    half = jr.normal(jr.key(0), (NUM_DRAWS, prior.dim))
    draws = jax.vmap(lambda z: flat(prior.forward(z), names))(jnp.concatenate([half, -half]))
    return jnp.atleast_2d(jnp.cov(draws, rowvar=False))
