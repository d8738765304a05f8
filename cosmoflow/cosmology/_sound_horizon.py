"""The comoving sound horizon at the baryon-drag epoch."""

import jax.numpy as jnp

from .._types import Scalar
from ._parameters import Cosmology


def sound_horizon(cosmology: Cosmology) -> Scalar:
    """Comoving sound horizon r_d at the drag epoch [Mpc], from a fit to a Boltzmann code.

        r_d = 1.000279376 x 55.154 exp(-72.3 (omega_nu + 0.0006)^2) / (omega_cb^0.25351 omega_b^0.12807)

    with omega = Omega h^2 and omega_cb = omega_m - omega_nu. The first factor takes the fit, accurate to 0.02 % within
    3 sigma of Planck for N_eff = 3.046 and neutrino masses below 0.6 eV, to CAMB within 2e-5 at Planck's best fit with
    N_eff = 3.044 and m_nu = 0.06 eV. It does not follow `N_eff` or `T_cmb`.

    Args:
        cosmology: The universe; its `Omega_m`, `Omega_b`, `h` and massive neutrinos are used.

    Returns:
        r_d in Mpc.

    Examples:
        >>> from cosmoflow.cosmology import Cosmology, sound_horizon
        >>> round(float(sound_horizon(Cosmology(0.315, h=0.674, Omega_b=0.0493, T_cmb=2.7255, m_nu=0.06))), 1)
        147.1

    References:
        Aubourg et al. 2015, arXiv:1411.1074, Eq. 16.
    """
    omega_nu = cosmology.Omega_nu * cosmology.h**2
    fit = (
        55.154 * jnp.exp(-72.3 * (omega_nu + 0.0006) ** 2) / (cosmology.omega_bc**0.25351 * cosmology.omega_b**0.12807)
    )
    return 1.000279376 * fit
