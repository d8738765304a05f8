"""Prior times likelihood in standard-normal coordinates."""

from collections.abc import Iterable
from difflib import get_close_matches

import jax.numpy as jnp

from .._types import Parameters, Scalar, Vector
from ..likelihoods._base import AbstractLikelihood
from ._base import AbstractTarget
from ._prior import Prior


class Posterior(AbstractTarget):
    """The posterior in the standard-normal coordinates of its prior.

        log_density(z) = log N(z; 0, I) + log L(prior.forward(z))

    The Gaussian is normalised, so the integral of the density is the evidence E_N(0,I)[L].

    Args:
        prior: The prior of all parameters.
        likelihood: The likelihood of the data.

    Raises:
        ValueError: If the likelihood requires a name that the prior lacks, or the prior has a name that neither the
            likelihood nor the prior of another parameter uses.

    Examples:
        >>> import cosmoflow as cf
        >>> prior = cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)})
        >>> posterior = cf.Posterior(prior, cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()))
        >>> posterior.dim
        2
        >>> cf.Posterior(cf.Prior({"Omega_M": cf.Uniform(0.01, 0.99)}), cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()))
        Traceback (most recent call last):
        ValueError: The likelihood requires 'Omega_m', which the prior lacks; the nearest name is 'Omega_M'.
    """

    prior: Prior
    likelihood: AbstractLikelihood

    def __check_init__(self):
        names, required, optional = self.prior.names, self.likelihood.required, self.likelihood.optional
        for name in required:
            if name not in names:
                raise ValueError(f"The likelihood requires {name!r}, which the prior lacks{_hint(name, names)}.")
        known = (*required, *optional, *self.prior.conditions)
        for name in names:
            if name not in known:
                raise ValueError(f"The prior has {name!r}, which no likelihood uses{_hint(name, known)}.")

    @property
    def dim(self) -> int:
        """Number of standard-normal coordinates."""
        return self.prior.dim

    def log_density(self, x: Vector) -> Scalar:
        """Log of prior density times likelihood at standard-normal coordinates x."""
        log_normal = -0.5 * (x @ x) - 0.5 * self.dim * jnp.log(2 * jnp.pi)
        return log_normal + self.likelihood.log_likelihood(self.prior.forward(x))

    def constrain(self, x: Vector) -> Parameters:
        """The named parameters of one point, in their own units."""
        return self.prior.forward(x)


def _hint(name: str, candidates: Iterable[str]) -> str:
    close = get_close_matches(name, candidates, n=1)
    return f"; the nearest name is {close[0]!r}" if close else ""
