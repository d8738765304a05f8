"""The Fisher matrix."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..targets import Posterior
from ._residual import as_parameters, entries, free_names, linearise, linearise_prior


class Fisher(NamedTuple):
    """Fisher information of the data, and that of the priors that have a curvature.

    Attributes:
        names: Of rows and columns, `x[1]` for an entry of a vector.
        likelihood: J^T C^-1 J.
        prior: 1 / sd^2 on the diagonal for normal priors, zero for flat ones.
    """

    names: tuple[str, ...]
    likelihood: Float[np.ndarray, "free free"]
    prior: Float[np.ndarray, "free free"]

    @property
    def matrix(self) -> Float[np.ndarray, "free free"]:
        """Both together."""
        return self.likelihood + self.prior

    @property
    def covariance(self) -> Float[np.ndarray, "free free"]:
        """The inverse. Directions without information have an enormous variance rather than an infinite one."""
        diagonal = np.diagonal(self.matrix)
        scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1))
        information, axes = np.linalg.eigh(scale[:, None] * self.matrix * scale)
        information = np.maximum(information, np.finfo(float).eps * information[-1])
        return scale[:, None] * (axes / information) @ axes.T * scale

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each parameter, the others being free."""
        return dict(zip(self.names, np.sqrt(np.diagonal(self.covariance)).tolist(), strict=True))


def fisher(posterior: Posterior, parameters: Mapping) -> Fisher:
    """Fisher information J^T C^-1 J at a point, J the derivatives of the data vector by the free parameters.

    Args:
        posterior: Of Gaussian data and uniform, (truncated) normal or log-normal priors.
        parameters: The point, as in `BestFit.parameters`.

    Raises:
        ValueError: A likelihood is not Gaussian, the density of a prior is not known, or a name is not in the prior.

    References:
        Tegmark, Taylor & Heavens 1997, arXiv:astro-ph/9603021.
    """
    point = as_parameters(posterior, parameters)
    (_, data), (_, prior) = linearise(posterior, point), linearise_prior(posterior.prior, point)
    data, prior = np.asarray(data, float), np.asarray(prior, float)
    return Fisher(entries(point, free_names(posterior.prior)), data.T @ data, prior.T @ prior)
