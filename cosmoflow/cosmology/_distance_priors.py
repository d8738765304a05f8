"""The shift parameter and the acoustic scale, as the published distance priors define them.

Such priors summarise a fit, so a prediction keeps to the conventions of the summary (Chen, Huang & Wang 2019, Eq. 1-6):
z_* of a Boltzmann code, massive neutrinos as matter at all times, and with t = T_cmb / 2.7 K

    1 + z_eq = Omega_m / Omega_r,    z_eq = 2.5e4 omega_m t^-4,    R_b = 31500 omega_b t^-4 a,

which is 0.8 % less radiation than photons and neutrinos have, and 0.03 % more baryons to a photon. An angle to compare
with that of a Boltzmann code is `theta_star`.
"""

import math

import jax.numpy as jnp

from .._types import Scalar
from ._background import SPEED_OF_LIGHT, transverse_comoving_distance
from ._parameters import Cosmology
from ._recombination import comoving_sound_horizon, decoupling_redshift


def shift_parameter(cosmology: Cosmology) -> Scalar:
    """Shift parameter R = sqrt(Omega_m) D_M(z_*) H0 / c.

    Args:
        cosmology: A universe with radiation; `m_nu` moves z_* alone and `N_eff` nothing.

    Raises:
        ValueError: If the universe has no radiation.

    References:
        Chen, Huang & Wang 2019, arXiv:1808.05724, Eq. 2.
    """
    distance = transverse_comoving_distance(_by_equality(cosmology), decoupling_redshift(cosmology))
    return jnp.sqrt(cosmology.Omega_m) * distance * 100 * cosmology.h / SPEED_OF_LIGHT


def acoustic_scale(cosmology: Cosmology) -> Scalar:
    """Acoustic scale l_A = pi D_M(z_*) / r_s(z_*).

    Args:
        cosmology: A universe with radiation; `m_nu` moves z_* alone and `N_eff` nothing.

    Raises:
        ValueError: If the universe has no radiation.

    References:
        Chen, Huang & Wang 2019, arXiv:1808.05724, Eq. 1.
    """
    summarised, redshift = _by_equality(cosmology), decoupling_redshift(cosmology)
    distance = transverse_comoving_distance(summarised, redshift)
    return math.pi * distance / comoving_sound_horizon(summarised, redshift)


def _by_equality(cosmology: Cosmology) -> Cosmology:
    """The universe without neutrino mass, with the species that put equality on z_eq and the baryons that make R_b."""
    if cosmology.T_cmb is None:
        raise ValueError("Distance priors need radiation; give `T_cmb` as well.")
    scale = cosmology.h**2 * (cosmology.T_cmb / 2.7) ** -4
    equality = 2.5e4 * scale * cosmology.Omega_m
    excess = cosmology.Omega_m / (1 + equality) / cosmology.Omega_gamma - 1
    return Cosmology(
        cosmology.Omega_m,
        h=cosmology.h,
        Omega_b=31500 * scale * cosmology.Omega_b * (4 / 3 * cosmology.Omega_gamma),
        Omega_k=cosmology.Omega_k,
        w0=cosmology.w0,
        wa=cosmology.wa,
        T_cmb=cosmology.T_cmb,
        N_eff=excess / (7 / 8 * (4 / 11) ** (4 / 3)),
    )
