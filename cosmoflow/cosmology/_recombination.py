"""The decoupling of photons: its redshift, the sound horizon then, and the angle under which that is seen."""

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from .._types import Scalar
from ._background import SPEED_OF_LIGHT, gauss_legendre, matter_scaled, transverse_comoving_distance
from ._parameters import Cosmology


def decoupling_redshift(cosmology: Cosmology) -> Scalar:
    """Redshift z_* at which the optical depth to the last scattering is one.

        z_* = 0.998221 (omega_b / 0.0224)^0.00200
              x 1048 (1 + 0.00124 omega_b^-0.738) (1 + g1 omega_cb^g2)
        g1 = 0.0783 omega_b^-0.238 / (1 + 39.5 omega_b^0.763),    g2 = 0.560 / (1 + 21.1 omega_b^1.81)

    with omega = Omega h^2 and omega_cb = omega_m - omega_nu, for neutrinos are no matter yet. The second line is the
    fit of Hu and Sugiyama; the first takes it to the recombination of CAMB 2.0.5 (RECFAST, helium from
    nucleosynthesis), within 1.2e-5 for omega_b in [0.0215, 0.0233], omega_cb in [0.134, 0.151], N_eff = 3.044 and
    m_nu = 0.06 eV. It does not follow `T_cmb`, `N_eff` (+9e-4 per species) or the mass (+9e-5 for 0.3 eV).

    References:
        Hu & Sugiyama 1996, arXiv:astro-ph/9510117, Eq. E-1.
    """
    omega_b, omega_cb = cosmology.omega_b, cosmology.omega_bc
    g1 = 0.0783 * omega_b**-0.238 / (1 + 39.5 * omega_b**0.763)
    g2 = 0.560 / (1 + 21.1 * omega_b**1.81)
    fit = 1048 * (1 + 0.00124 * omega_b**-0.738) * (1 + g1 * omega_cb**g2)
    return 0.998221 * (omega_b / 0.0224) ** 0.00200 * fit


def comoving_sound_horizon(cosmology: Cosmology, redshift: ArrayLike, *, num_nodes: int = 32) -> Float[Array, "..."]:
    """Comoving distance that sound has travelled by a redshift in the plasma of photons and baryons [Mpc].

        r_s(z) = int_0^a da' c / (a'^2 H sqrt(3 (1 + R_b))),    R_b = 3 Omega_b a' / (4 Omega_gamma),    a = 1 / (1 + z)

    by a Gauss-Legendre rule in sqrt(a'), which is exact to 1e-9 around recombination.

    Args:
        cosmology: A universe with radiation.
        redshift: Redshifts of any shape.
        num_nodes: Of the rule.

    Raises:
        ValueError: If the universe has no radiation.

    References:
        Hu & Sugiyama 1996, arXiv:astro-ph/9510117.
    """
    if cosmology.T_cmb is None:
        raise ValueError("The sound horizon is an integral through the era of radiation; give `T_cmb` as well.")
    end = 1 / jnp.sqrt(1 + jnp.asarray(redshift, cosmology.h.dtype))
    nodes, weights = (jnp.asarray(part, end.dtype) for part in gauss_legendre(num_nodes))
    a = (end[..., None] * nodes) ** 2
    loading = 3 * cosmology.Omega_b / (4 * cosmology.Omega_gamma) * a
    integral = 2 * end * (1 / jnp.sqrt(3 * (1 + loading) * matter_scaled(cosmology, a)) @ weights)
    return SPEED_OF_LIGHT / (100 * cosmology.h) * integral


def theta_star(cosmology: Cosmology) -> Scalar:
    """Angle of the sound horizon at decoupling, theta_* = r_s(z_*) / D_M(z_*) [rad].

    CAMB's value to 1e-5 (0.04 of Planck's error) where `decoupling_redshift` holds; with the uncorrected fit of z_* it
    would be 0.12 % too small, 5 of Planck's errors.

    Raises:
        ValueError: If the universe has no radiation.
    """
    redshift = decoupling_redshift(cosmology)
    return comoving_sound_horizon(cosmology, redshift) / transverse_comoving_distance(cosmology, redshift)
