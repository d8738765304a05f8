"""The one place that knows jax-cosmo."""

import warnings
from types import ModuleType
from typing import Any

import jax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from ._parameters import Cosmology


def to_jax_cosmo(cosmology: Cosmology, *, sigma8: ArrayLike, n_s: ArrayLike) -> Any:
    """The same universe as a `jax_cosmo.Cosmology`, which has neither radiation nor massive neutrinos.

    Build it inside the traced function that uses it: jax-cosmo keeps intermediate results, tracers among them, in the
    object. Its cold dark matter is all matter but baryons.

    Args:
        cosmology: The universe; its radiation is dropped into dark energy.
        sigma8: Amplitude of matter fluctuations in spheres of 8 Mpc/h.
        n_s: Spectral index of the primordial perturbations.

    Returns:
        The `jax_cosmo.Cosmology`.
    """
    jax_cosmo = _jax_cosmo()
    return jax_cosmo.Cosmology(
        Omega_c=cosmology.Omega_m - cosmology.Omega_b,
        Omega_b=cosmology.Omega_b,
        h=cosmology.h,
        n_s=n_s,
        sigma8=sigma8,
        Omega_k=cosmology.Omega_k,
        w0=cosmology.w0,
        wa=cosmology.wa,
    )


def eisenstein_hu(cosmology: Cosmology, wavenumber: Float[Array, " k"]) -> Float[Array, " k"]:
    """Transfer function of matter with baryon oscillations, at wave numbers in h/Mpc, for T_cmb = 2.7255 K.

    References:
        Eisenstein & Hu 1998, arXiv:astro-ph/9709112.
    """
    universe = to_jax_cosmo(cosmology, sigma8=0.8, n_s=1.0)  # neither amplitude nor index enters
    with jax.numpy_dtype_promotion("standard"):
        return _jax_cosmo().transfer.Eisenstein_Hu(universe, wavenumber).astype(wavenumber.dtype)


def _jax_cosmo() -> ModuleType:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
        warnings.filterwarnings("ignore", message="Deprecated call to `pkg_resources")
        warnings.filterwarnings("ignore", message=".*invalid escape sequence")
        import jax_cosmo
    return jax_cosmo
