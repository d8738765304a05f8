"""The linear matter power spectrum today, tabulated once per cosmology.

The table is uniform in ln k from 1e-5 to 1e3 h/Mpc, so that every integral over it is a product with a constant vector
or matrix: the trapezoidal rule in ln k converges geometrically for smooth windows.
"""

from functools import cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Scalar
from ._background import SPEED_OF_LIGHT
from ._growth import growth_factor
from ._jax_cosmo import eisenstein_hu
from ._parameters import Cosmology

PIVOT = 0.05  # [1/Mpc]
WAVENUMBER = np.exp(np.linspace(np.log(1e-5), np.log(1e3), 400))
"""Wave numbers of the table [h/Mpc]."""
_STEP = float(np.log(WAVENUMBER[1] / WAVENUMBER[0]))


class LinearPower(eqx.Module):
    """Linear power spectrum of matter today.

    Args:
        log_power: ln P at `WAVENUMBER`, P in (Mpc/h)^3.
    """

    log_power: Float[Array, " wavenumber"]

    def __call__(self, log_wavenumber: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """ln P at ln k, k in h/Mpc, by cubic interpolation; a power law beyond the table."""
        return uniform_cubic(self.log_power, (log_wavenumber - float(np.log(WAVENUMBER[0]))) / _STEP)

    @property
    def dimensionless(self) -> Float[Array, " wavenumber"]:
        """Delta^2 = k^3 P / (2 pi^2) at `WAVENUMBER`."""
        return jnp.exp(self.log_power + jnp.asarray(3 * np.log(WAVENUMBER), self.log_power.dtype)) / (2 * np.pi**2)

    def sigma(self, radius: float = 8.0) -> Scalar:
        """Standard deviation of the density in spheres of a radius [Mpc/h]; sigma8 for the default."""
        return jnp.sqrt(self.dimensionless @ jnp.asarray(_top_hat(radius), self.log_power.dtype))


def linear_power(
    cosmology: Cosmology, *, n_s: Scalar, sigma8: Scalar | None = None, A_s: Scalar | None = None
) -> LinearPower:
    """The linear power spectrum with the transfer function of Eisenstein and Hu, baryon oscillations included.

        P(k) = 8 pi^2 / 25 A_s / Omega_m^2 (c / H0)^4 D^2 T(k)^2 k^n_s / k_pivot^(n_s - 1)

    Accurate to a few per cent of a Boltzmann code. Massive neutrinos do not suppress it.

    Args:
        cosmology: The universe.
        n_s: Spectral index of the primordial perturbations.
        sigma8: Amplitude today in spheres of 8 Mpc/h.
        A_s: Amplitude of the primordial perturbations at 0.05/Mpc. Exactly one of the two amplitudes is given.

    Raises:
        ValueError: If not exactly one amplitude is given.

    References:
        Eisenstein & Hu 1998, arXiv:astro-ph/9709112.
    """
    if (sigma8 is None) == (A_s is None):
        raise ValueError("The power spectrum needs one amplitude: give either `sigma8` or `A_s`.")
    dtype = cosmology.h.dtype
    wavenumber = jnp.asarray(WAVENUMBER, dtype)
    shape = 2 * jnp.log(jnp.abs(eisenstein_hu(cosmology, wavenumber))) + n_s * jnp.log(wavenumber)
    if A_s is not None:
        pivot = jnp.log(PIVOT / cosmology.h)
        hubble_length = SPEED_OF_LIGHT / 100  # [Mpc/h]
        amplitude = jnp.log(8 * np.pi**2 / 25 * A_s * (growth_factor(cosmology, 0.0) / cosmology.Omega_m) ** 2)
        return LinearPower(shape + amplitude + 4 * float(np.log(hubble_length)) - (n_s - 1) * pivot)
    return LinearPower(shape + 2 * jnp.log(sigma8 / LinearPower(shape).sigma()))


def uniform_cubic(table: Float[Array, " table"], position: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Cubic interpolation of a table at fractional indices, with slopes from neighbours; straight beyond its ends."""
    slope = jnp.gradient(table)
    low = jnp.clip(jnp.floor(position), 0, table.size - 2)
    t = position - low
    inside = jnp.clip(t, 0, 1)
    index = low.astype(int)
    rows = jnp.stack([table[:-1], table[1:] - table[:-1], slope[:-1], slope[1:]], axis=-1)[index]
    value, difference, left, right = (rows[..., i] for i in range(4))
    curve = value + inside * (
        left + inside * (3 * difference - 2 * left - right + inside * (left + right - 2 * difference))
    )
    beyond = t - inside
    return curve + beyond * jnp.where(beyond > 0, right, left)


@cache
def _top_hat(radius: float) -> np.ndarray:
    """Weights of sigma^2 = int dlnk Delta^2 (3 j1(k R) / (k R))^2."""
    x = WAVENUMBER * radius
    small = x < 0.1
    y = np.where(small, 1.0, x)
    window = np.where(small, 1 - x**2 / 10 + x**4 / 280, 3 * (np.sin(y) - y * np.cos(y)) / y**3)
    return _STEP * window**2
