"""Baryon acoustic oscillations."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters, Scalar
from ..cosmology import Cosmology, DistanceRule, hubble_distance, sound_horizon
from ..datasets import BAOData
from ._base import AbstractGaussianLikelihood
from ._covariance import lower_cholesky
from ._expansion import EXPANSION, RADIATION, expansion
from ._growth_rate import f_sigma8


class BAO(AbstractGaussianLikelihood):
    """Distances D_M, D_H = c / H and D_V = (z D_M^2 D_H)^(1/3), in units of the sound horizon r_d.

    Where the data hold growth rates f sigma8 = f(z) D(z) / D(0) sigma8 as well, `sigma8` is required.

    The sound horizon enters in one of three ways, each with its own parameters beside `Omega_m`:

    - `"free"`: `h_r_d` [Mpc], the product h r_d. Without radiation h itself cancels.
    - `"given"`: `h` and `r_d` [Mpc].
    - `"computed"`: `h` and `Omega_b`, with r_d from `cosmology.sound_horizon`.

    `Omega_k`, `w0` and `wa` are optional (0, -1, 0). With radiation `h` is always required, and `T_cmb` (2.7255 K),
    `m_nu` (0 eV) and, unless r_d is computed, `N_eff` (3.044) are optional.

    Args:
        data: The measurements.
        sound_horizon: Which parameters carry r_d.
        radiation: Whether photons and neutrinos take part in the expansion.

    Raises:
        ValueError: If `sound_horizon` is none of the three, or the covariance is not symmetric and positive definite.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> likelihood = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())
        >>> likelihood.required, likelihood.optional
        (('Omega_m', 'h_r_d'), ('Omega_k', 'w0', 'wa'))
        >>> round(float(likelihood.chi2({"Omega_m": jnp.array(0.297), "h_r_d": jnp.array(101.5)})), 1)
        10.3
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    redshift: Float[Array, " data"]
    distances: DistanceRule
    quantity: tuple[str, ...] = eqx.field(static=True)
    sound_horizon: str = eqx.field(static=True)
    radiation: bool = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        data: BAOData,
        *,
        sound_horizon: Literal["free", "given", "computed"] = "free",
        radiation: bool = False,
    ):
        scale = {"free": ("h_r_d",), "given": ("h", "r_d"), "computed": ("h", "Omega_b")}
        if sound_horizon not in scale:
            raise ValueError(f"`sound_horizon` is one of {', '.join(scale)}, not {sound_horizon!r}.")
        self.data = jnp.asarray(data.value)
        self.cholesky = jnp.asarray(lower_cholesky(data.covariance, of="the BAO distances"))
        self.redshift = jnp.asarray(data.redshift)
        self.distances = DistanceRule(data.redshift)
        self.quantity = data.quantity
        self.sound_horizon = sound_horizon
        self.radiation = radiation
        extra = (*(("h",) if radiation else ()), *(("sigma8",) if "f_sigma8" in data.quantity else ()))
        self.required = tuple(dict.fromkeys(("Omega_m", *scale[sound_horizon], *extra)))
        optional = EXPANSION + (RADIATION if radiation else ())
        self.optional = tuple(name for name in optional if (name, sound_horizon) != ("N_eff", "computed"))

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """D / r_d, or f sigma8, for each of the measured quantities."""
        cosmology = expansion(parameters, self.required, self.optional, radiation=self.radiation)
        transverse = self.distances.transverse_comoving_distance(cosmology)
        radial = hubble_distance(cosmology, self.redshift)
        average = jnp.cbrt(self.redshift * transverse**2 * radial)
        is_transverse, is_radial, is_growth = (
            np.array([q == kind for q in self.quantity]) for kind in ("DM_over_rd", "DH_over_rd", "f_sigma8")
        )
        distance = jnp.where(is_transverse, transverse, jnp.where(is_radial, radial, average))
        ratio = distance / self._scale(cosmology, parameters)
        if not is_growth.any():
            return ratio
        return jnp.where(is_growth, f_sigma8(cosmology, self.redshift, parameters["sigma8"]), ratio)

    def _scale(self, cosmology: Cosmology, parameters: Parameters) -> Scalar:
        """r_d [Mpc]."""
        if self.sound_horizon == "free":
            return parameters["h_r_d"] / cosmology.h
        return parameters["r_d"] if self.sound_horizon == "given" else sound_horizon(cosmology)
