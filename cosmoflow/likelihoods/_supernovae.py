"""Type Ia supernovae."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters
from ..cosmology import distance_modulus
from ..datasets import SupernovaData
from ._base import AbstractGaussianLikelihood
from ._expansion import EXPANSION, NUM_NODES, RADIATION, expansion


class Supernovae(AbstractGaussianLikelihood):
    r"""Distance moduli whose common offset M is marginalised under a flat prior of density one per magnitude.

    The data are the differences to the first modulus, d_i = mu_i - mu_1, which do not contain M. Their Gaussian
    likelihood is the marginal one, constant included:

        N(d; m, D C D^T) = int dM N(mu; m + M, C)
                         = (2 pi)^((1 - n) / 2) (|C| 1^T C^-1 1)^(-1/2) exp(-chi2 / 2),    chi2 = min_M chi2(M)

    and does not depend on which modulus is subtracted. The Hubble constant is part of M. `Omega_k`, `w0` and `wa` are
    optional (0, -1, 0). With radiation `h` is required, and `T_cmb` (2.7255 K), `N_eff` (3.044) and `m_nu` (0 eV) are
    optional.

    Args:
        data: The measurements.
        radiation: Whether photons and neutrinos take part in the expansion.

    Raises:
        ValueError: If the covariance is not positive definite.

    References:
        Goliath et al. 2001, arXiv:astro-ph/0104009, Appendix A.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    redshift: Float[Array, " node"]
    radiation: bool = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, data: SupernovaData, *, radiation: bool = False):
        covariance = data.covariance
        differences = covariance[1:, 1:] - covariance[1:, :1] - covariance[:1, 1:] + covariance[0, 0]
        self.data = jnp.asarray(data.distance_modulus[1:] - data.distance_modulus[0])
        self.cholesky = jnp.asarray(np.linalg.cholesky(differences))
        self.redshift = jnp.asarray(data.redshift)
        self.radiation = radiation
        self.required = ("Omega_m", "h") if radiation else ("Omega_m",)
        self.optional = EXPANSION + (RADIATION if radiation else ())

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """Distance moduli minus the first one [mag]."""
        cosmology = expansion(parameters, self.required, self.optional, radiation=self.radiation)
        modulus = distance_modulus(cosmology, self.redshift, num_nodes=NUM_NODES)
        return modulus[1:] - modulus[0]
