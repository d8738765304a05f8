"""The growth rate of structure."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters, Scalar
from ..cosmology import Cosmology, growth_factor, growth_rate, hubble_distance, transverse_comoving_distance
from ..cosmology._background import SPEED_OF_LIGHT
from ..datasets import GrowthData
from ._base import AbstractGaussianLikelihood
from ._covariance import lower_cholesky
from ._expansion import EXPANSION, RADIATION, expansion


class GrowthRate(AbstractGaussianLikelihood):
    """Growth rates times the amplitude of fluctuations, f sigma8(z) = f(z) D(z) / D(0) sigma8.

    A survey that turns redshifts and angles into distances by a fiducial cosmology sees the anisotropy of its mistake
    as growth. Where the data tell the H D_A of that cosmology, the prediction is

        f sigma8(z) (H D_A)_fid / (H D_A)

    `Omega_m` and `sigma8` are required; `Omega_k`, `w0` and `wa` are optional (0, -1, 0). With radiation `h` is
    required, and `T_cmb` (2.7255 K), `N_eff` (3.044) and `m_nu` (0 eV) are optional.

    Args:
        data: The measurements.
        radiation: Whether photons and neutrinos take part in the expansion.

    Raises:
        ValueError: If the covariance is not symmetric and positive definite.

    References:
        Sagredo, Nesseris & Sapone 2018, arXiv:1806.10822; Macaulay, Wehus & Eriksen 2013, arXiv:1303.6583.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    redshift: Float[Array, " data"]
    fiducial: Float[Array, " data"] | None
    radiation: bool = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, data: GrowthData, *, radiation: bool = False):
        self.data = jnp.asarray(data.f_sigma8)
        self.cholesky = jnp.asarray(lower_cholesky(data.covariance, of="the growth rates"))
        self.redshift = jnp.asarray(data.redshift)
        self.fiducial = None if data.fiducial is None else jnp.asarray(data.fiducial)
        self.radiation = radiation
        self.required = ("Omega_m", "sigma8", *(("h",) if radiation else ()))
        self.optional = EXPANSION + (RADIATION if radiation else ())

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """f sigma8 as the surveys would report it."""
        cosmology = expansion(parameters, self.required, self.optional, radiation=self.radiation)
        rate = f_sigma8(cosmology, self.redshift, parameters["sigma8"])
        if self.fiducial is None:
            return rate
        transverse = transverse_comoving_distance(cosmology, self.redshift)
        ratio = transverse / (1 + self.redshift) / hubble_distance(cosmology, self.redshift)
        return rate * self.fiducial / (SPEED_OF_LIGHT * ratio)


def f_sigma8(cosmology: Cosmology, redshift: Float[Array, " z"], sigma8: Scalar) -> Float[Array, " z"]:
    """f(z) D(z) / D(0) sigma8, as seen in the flows of cold matter.

    Massive neutrinos, a fraction f_nu of matter, do not cluster on these scales. Cold matter then grows as D^p with
    p = 1 - 3/5 f_nu, and its fluctuations are those of all matter over 1 - f_nu: CAMB's values within 3e-4
    for 0.06 eV, 7e-3 for 0.3 eV.

    References:
        Bond, Efstathiou & Silk 1980, PRL 45, 1980.
    """
    neutrinos = cosmology.Omega_nu / cosmology.Omega_m
    power = 1 - 0.6 * neutrinos
    growth = growth_factor(cosmology, redshift) / growth_factor(cosmology, 0.0)
    return power * growth_rate(cosmology, redshift) * growth**power * sigma8 / (1 - neutrinos)
