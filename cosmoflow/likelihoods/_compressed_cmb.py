"""The microwave background, compressed into the numbers that geometry sees."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters
from ..cosmology import acoustic_scale, shift_parameter, theta_star
from ..datasets import CompressedCMBData
from ._base import AbstractGaussianLikelihood
from ._covariance import lower_cholesky
from ._expansion import EXPANSION, RADIATION, expansion

_PREDICTION = {
    "R": shift_parameter,
    "l_A": acoustic_scale,
    "theta_star": theta_star,
    "omega_b": lambda cosmology: cosmology.omega_b,
    "omega_bc": lambda cosmology: cosmology.omega_bc,
}


class CompressedCMB(AbstractGaussianLikelihood):
    """A Gaussian in (theta_*, omega_b, omega_bc), in (R, l_A, omega_b), or in others of these.

    omega_bc = (Omega_m - Omega_nu) h^2 is the density of baryons and cold dark matter, without neutrinos. There is
    always radiation. `Omega_m`, `h` and `Omega_b` are required; `Omega_k`, `w0`, `wa`, `T_cmb`, `N_eff` and `m_nu` are
    optional (0, -1, 0, 2.7255 K, 3.044, 0 eV). The published summaries are for N_eff = 3.044 or 3.046 and one neutrino
    of 0.06 eV: give `m_nu` this value.

    Args:
        data: The summary.

    Raises:
        ValueError: If the covariance is not symmetric and positive definite.

    References:
        Wang & Mukherjee 2007, arXiv:astro-ph/0703780; Lemos & Lewis 2023, arXiv:2302.12911.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    quantity: tuple[str, ...] = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, data: CompressedCMBData):
        self.data = jnp.asarray(data.value)
        self.cholesky = jnp.asarray(lower_cholesky(data.covariance, of="the compressed CMB"))
        self.quantity = data.quantity
        self.required = ("Omega_m", "h", "Omega_b")
        self.optional = EXPANSION + RADIATION

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """The quantities of the summary."""
        cosmology = expansion(parameters, self.required, self.optional, radiation=True)
        return jnp.stack([_PREDICTION[quantity](cosmology) for quantity in self.quantity])
