"""Cosmic chronometers."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters
from ..cosmology import hubble_rate
from ..datasets import ChronometerData
from ._base import AbstractGaussianLikelihood
from ._covariance import lower_cholesky
from ._expansion import EXPANSION, RADIATION, expansion


class Chronometers(AbstractGaussianLikelihood):
    """Expansion rates H(z) [km/s/Mpc].

    `Omega_m` and `h` are required; `Omega_k`, `w0` and `wa` are optional (0, -1, 0), and with radiation so are `T_cmb`
    (2.7255 K), `N_eff` (3.044) and `m_nu` (0 eV).

    Args:
        data: The measurements.
        radiation: Whether photons and neutrinos take part in the expansion.

    Raises:
        ValueError: If the covariance is not symmetric and positive definite.

    References:
        Jimenez & Loeb 2002, arXiv:astro-ph/0106145.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    redshift: Float[Array, " data"]
    radiation: bool = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, data: ChronometerData, *, radiation: bool = False):
        self.data = jnp.asarray(data.hubble_rate)
        self.cholesky = jnp.asarray(lower_cholesky(data.covariance, of="the chronometers"))
        self.redshift = jnp.asarray(data.redshift)
        self.radiation = radiation
        self.required = ("Omega_m", "h")
        self.optional = EXPANSION + (RADIATION if radiation else ())

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """Expansion rate at each redshift [km/s/Mpc]."""
        cosmology = expansion(parameters, self.required, self.optional, radiation=self.radiation)
        return hubble_rate(cosmology, self.redshift)
