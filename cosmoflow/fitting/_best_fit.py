"""Best fits to Gaussian data: the maximum of the likelihood, and that of the posterior density."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._results import StartError
from .._types import Key, Parameters, Vector
from ..targets import Delta, LogNormal, Normal, Posterior, Prior, explain_non_finite
from ._levenberg_marquardt import FitStatus, Minimum, least_squares
from ._residual import as_parameters, entries, flat, linearise, linearise_prior, num_rows, transport

EDGE = 5.0
"""Standard-normal coordinate at which the support of a bounded prior is taken to end, which cuts off 3e-7 of it."""

Penalty = Callable[[Parameters, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class BestFit(NamedTuple):
    """A best fit.

    Attributes:
        parameters: All parameters, those held fixed included.
        position: The same in the standard-normal coordinates of the prior.
        chi2: Of the data.
        penalty: What was added to chi^2: -2 log of the prior's density, up to a constant; zero for the likelihood.
        status: How the search ended; its value is a sentence.
        num_jacobians: Derivatives of the data vector that were computed.
    """

    parameters: Parameters
    position: Vector
    chi2: float
    penalty: float
    status: FitStatus
    num_jacobians: int

    def entries(self) -> dict[str, float]:
        """Every number by name, `x[1]` for an entry of a vector, as in `Fisher.names`."""
        values = flat(self.parameters, self.parameters).tolist()
        return dict(zip(entries(self.parameters, self.parameters), values, strict=True))


def best_fit(
    posterior: Posterior, *, start: Mapping | None = None, num_starts: int = 1, key: Key | None = None
) -> BestFit:
    """The maximum of the likelihood within the support of the prior: the least chi^2.

    The density of the prior does not matter, only where it ends. Where data constrain a parameter by a Gaussian prior
    alone, take `maximum_posterior` instead.

    Args:
        posterior: Of Gaussian data.
        start: Parameters to start from; those not given, or all, start at the centre of the prior.
        num_starts: Searches; those after the first start from draws of the prior, and the best end is taken.
        key: Random key of these draws.

    Raises:
        ValueError: A likelihood is not Gaussian, a starting value has no such parameter or lies outside the prior,
            there is no start, or several but no key.
        StartError: The likelihood is not finite at any start.

    Examples:
        >>> import cosmoflow as cf
        >>> prior = cf.Prior({"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)})
        >>> posterior = cf.Posterior(prior, cf.likelihoods.BAO(cf.datasets.desi_dr2_bao()))
        >>> best = cf.fitting.best_fit(posterior)
        >>> round(float(best.parameters["Omega_m"]), 3), round(float(best.chi2), 1)
        (0.297, 10.3)
        >>> round(cf.fitting.fisher(posterior, best.parameters).sd["Omega_m"], 3)
        0.009
    """
    return _search(posterior, _none, start, num_starts, key)


def maximum_posterior(
    posterior: Posterior, *, start: Mapping | None = None, num_starts: int = 1, key: Key | None = None
) -> BestFit:
    """The maximum of the posterior density in the parameters: the least chi^2 - 2 log prior.

    This is what is quoted where nuisance parameters have Gaussian priors. Under flat priors it is `best_fit`. It is not
    the maximum of `Posterior.log_density`, which is a density of other coordinates.

    Args:
        posterior: Of Gaussian data and uniform, (truncated) normal or log-normal priors.
        start: Parameters to start from; those not given, or all, start at the centre of the prior.
        num_starts: Searches; those after the first start from draws of the prior, and the best end is taken.
        key: Random key of these draws.

    Raises:
        ValueError: As `best_fit`, or the density of a prior is not known.
        StartError: The likelihood is not finite at any start.
    """

    def density(parameters: Parameters, z: np.ndarray, by_z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        residual, jacobian = map(np.asarray, linearise_prior(posterior.prior, parameters))
        return residual, jacobian @ by_z

    return _search(posterior, density, start, num_starts, key)


def search_from(posterior: Posterior, penalty: Penalty, start: np.ndarray, limit: np.ndarray) -> Minimum:
    """One search in the standard-normal coordinates of the prior; a penalty gives rows beneath those of the data."""
    dtype = jnp.zeros(0, float).dtype

    def evaluate(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parameters, by_z = transport(posterior.prior, jnp.asarray(z, dtype))
        by_z = np.asarray(by_z, float)
        residual, jacobian = map(np.asarray, linearise(posterior, parameters))
        rows, slopes = penalty(parameters, z, by_z)
        return np.concatenate([residual, rows], dtype=float), np.concatenate([jacobian @ by_z, slopes], dtype=float)

    return least_squares(evaluate, start, limit, float(jnp.finfo(dtype).eps))


def inside(posterior: Posterior, start: Mapping) -> np.ndarray:
    """The standard-normal coordinates of some parameters, the others being at the centre of the prior."""
    z = np.asarray(posterior.prior.inverse(as_parameters(posterior, start)), float)
    if not np.all(np.isfinite(z)):
        values = ", ".join(f"{name} = {value}" for name, value in start.items())
        raise ValueError(f"The start {values} lies outside the prior, or at its very edge.")
    return z


def _none(parameters: Parameters, z: np.ndarray, by_z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(0), np.zeros((0, z.size))


def _search(posterior: Posterior, penalty: Penalty, start: Mapping | None, num_starts: int, key: Key | None) -> BestFit:
    if num_starts < 1 or (num_starts > 1 and key is None):
        raise ValueError(f"`num_starts` is {num_starts}, but must be at least 1, and more than 1 need a `key`.")
    first = inside(posterior, {} if start is None else start)
    others = [] if key is None else np.asarray(jr.normal(key, (num_starts - 1, posterior.dim)), float)
    limit = _limits(posterior.prior)
    ends = [search_from(posterior, penalty, np.clip(z, -limit, limit), limit) for z in (first, *others)]
    best = min(ends, key=lambda end: end.cost if np.isfinite(end.cost) else np.inf)
    position = jnp.asarray(best.position, float)
    if not np.isfinite(best.cost):
        raise StartError(explain_non_finite(posterior, position))
    parameters = posterior.constrain(position)
    num_data = sum(num_rows(posterior, parameters))
    chi2, added = (float(rows @ rows) for rows in np.split(best.residual, [num_data]))
    cost = sum(end.num_jacobians for end in ends)
    return BestFit(parameters, position, chi2, added, best.status, cost)


def _limits(prior: Prior) -> np.ndarray:
    """How far each standard-normal coordinate may go."""
    unbounded = [isinstance(block, Normal | LogNormal | Delta) for block in prior.blocks]
    pairs = zip(prior.blocks, unbounded, strict=True)
    return np.concatenate([np.full(int(np.prod(b.shape)), np.inf if free else EDGE) for b, free in pairs])
