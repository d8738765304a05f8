"""Laplace's approximation to the posterior of Gaussian data, from first derivatives alone."""

import jax.numpy as jnp
import numpy as np

from .._results import StartError
from .._types import Parameters, Vector
from ..targets import Affine, Posterior, explain_non_finite
from ._best_fit import search_from


def laplace_whitening(posterior: Posterior, start: Vector | None = None) -> Affine:
    """Coordinates in which the posterior is nearly N(0, I): `Pullback(posterior, laplace_whitening(posterior))`.

    In the standard-normal coordinates z of the prior, -2 log of the density is |r(z)|^2 + |z|^2 with the whitened
    residuals r; the normal law around its maximum has the covariance (J^T J + I)^-1, J = dr/dz. It costs one Jacobian
    of the data vector per step, where `whiten` takes second derivatives of any density.

    Args:
        posterior: Of Gaussian data.
        start: Where the search begins, in standard-normal coordinates; `BestFit.position` saves steps.

    Raises:
        ValueError: A likelihood is not Gaussian.
        StartError: The likelihood is not finite at the start.
    """

    def standard_normal(parameters: Parameters, z: np.ndarray, by_z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return z, np.eye(z.size)

    z = np.zeros(posterior.dim) if start is None else np.asarray(start, float)
    mode = search_from(posterior, standard_normal, z, np.full(posterior.dim, np.inf))
    if not np.isfinite(mode.cost):
        raise StartError(explain_non_finite(posterior, jnp.asarray(mode.position, float)))
    cholesky = np.linalg.cholesky(np.linalg.inv(mode.jacobian.T @ mode.jacobian))
    return Affine(jnp.asarray(mode.position, float), jnp.asarray(cholesky, float))
