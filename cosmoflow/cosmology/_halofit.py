"""Nonlinear matter power by the revised halofit.

The variance of the linear density in Gaussian windows separates, sigma^2(R, a) = (D(a) / D(1))^2 S(R), and on fixed
grids of k and R the integral S is a product with a constant matrix. The nonlinear scale solves S(R) = (D(1) / D(a))^2:
it, its slope and its curvature are read off one table in ln S.
"""

from functools import cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._background import matter_scaled
from ._growth import growth_factor
from ._linear_power import WAVENUMBER, LinearPower
from ._parameters import Cosmology

_LOG_RADIUS = np.linspace(np.log(2e-3), np.log(100.0), 96)  # [Mpc/h]


class Halofit(eqx.Module):
    """Nonlinear power on a list of redshifts: what depends on redshift alone, computed once.

    Args:
        cosmology: The universe.
        linear: Its linear power today.
        redshift: Redshifts.

    References:
        Takahashi et al. 2012, arXiv:1208.2701; Smith et al. 2003, arXiv:astro-ph/0207664.
    """

    linear: LinearPower
    log_growth: Float[Array, " redshift"]
    log_scale: Float[Array, " redshift"]
    coefficients: dict[str, Float[Array, " redshift"]]

    def __init__(self, cosmology: Cosmology, linear: LinearPower, redshift: Float[Array, " redshift"]):
        self.linear = linear
        self.log_growth = jnp.log(growth_factor(cosmology, redshift) / growth_factor(cosmology, 0.0))
        self.log_scale, n, c = _nonlinear_scale(linear, self.log_growth)
        a = 1 / (1 + redshift)
        total = matter_scaled(cosmology, a)
        density = cosmology.Omega_m / total
        dark_energy = jnp.exp(-3 * (cosmology.w0 + cosmology.wa) * jnp.log(a) - 3 * cosmology.wa * (1 - a))
        fraction = cosmology.Omega_de * dark_energy / total
        self.coefficients = _coefficients(n, c, density, fraction, cosmology.w0 + cosmology.wa * (1 - a))

    def log_linear(self, log_wavenumber: Float[Array, "*shape redshift"]) -> Float[Array, "*shape redshift"]:
        """ln P of linear theory at ln k, k in h/Mpc, P in (Mpc/h)^3; the last axis runs along the redshifts."""
        return self.linear(log_wavenumber) + 2 * self.log_growth

    def __call__(self, log_wavenumber: Float[Array, "*shape redshift"]) -> Float[Array, "*shape redshift"]:
        """P [(Mpc/h)^3] at ln k, k in h/Mpc; the last axis runs along the redshifts."""
        q = self.coefficients
        volume = jnp.exp(3 * log_wavenumber) / (2 * np.pi**2)
        linear = jnp.exp(self.log_linear(log_wavenumber))
        log_y = log_wavenumber + self.log_scale
        y = jnp.exp(log_y)
        strength = volume * linear
        quasi = linear * jnp.exp(q["beta"] * jnp.log1p(strength) - y / 4 - y**2 / 8) / (1 + q["alpha"] * strength)
        halo = jnp.exp(q["a"] + q["3 f1"] * log_y) / (
            1 + jnp.exp(q["b"] + q["f2"] * log_y) + jnp.exp(q["3 - gamma"] * (q["c f3"] + log_y))
        )
        return quasi + halo / ((1 + q["nu"] / y**2) * volume)


def _nonlinear_scale(
    linear: LinearPower, log_growth: Float[Array, " redshift"]
) -> tuple[Float[Array, " redshift"], Float[Array, " redshift"], Float[Array, " redshift"]]:
    """ln R of sigma(R) = 1 [Mpc/h], effective index and curvature there."""
    dtype = log_growth.dtype
    radius = jnp.asarray(_LOG_RADIUS, dtype)
    variance, first, second = jnp.asarray(_windows(), dtype) @ linear.dimensionless
    log_variance, slope = jnp.log(variance), first / variance
    curvature = second / variance - slope**2
    wanted = jnp.clip(-2 * log_growth, log_variance[-1], log_variance[0])
    index = jnp.clip(jnp.searchsorted(-log_variance, -wanted) - 1, 0, radius.size - 2)

    def at(values: Float[Array, " radius"]) -> tuple[Array, Array]:
        return values[index], values[index + 1]

    (left, right), (low, high) = at(radius), at(log_variance)
    rise, t = high - low, (wanted - low) / (high - low)
    scale = _hermite(t, left, right, *(rise / s for s in at(slope)))
    gap = right - left
    t = (scale - left) / gap
    steepness = _hermite(t, *at(slope), *(gap * c for c in at(curvature)))
    bend = (1 - t) * at(curvature)[0] + t * at(curvature)[1]
    return scale, -3 - steepness, -bend


def _hermite(t: Array, left: Array, right: Array, left_slope: Array, right_slope: Array) -> Array:
    """Cubic of given ends and slopes on [0, 1]."""
    rise = right - left
    bend = left_slope + right_slope - 2 * rise
    return left + t * (left_slope + t * (3 * rise - 2 * left_slope - right_slope + t * bend))


@cache
def _windows() -> np.ndarray:
    """Weights of S = int dlnk Delta^2 exp(-k^2 R^2), and of its two derivatives with respect to ln R."""
    step = np.log(WAVENUMBER[1] / WAVENUMBER[0])
    square = (WAVENUMBER * np.exp(_LOG_RADIUS)[:, None]) ** 2
    window = step * np.exp(-square)
    return np.stack([window, -2 * square * window, 4 * square * (square - 1) * window])


def _coefficients(n: Array, c: Array, density: Array, fraction: Array, w: Array) -> dict[str, Array]:
    """Those of Takahashi et al., Eq. A6-A14; multiplying ones as logarithms."""
    ten = float(np.log(10.0))
    excess = fraction * (1 + w)
    a = ten * (1.5222 + n * (2.8553 + n * (2.3706 + n * (0.9903 + n * 0.2250))) - 0.6038 * c + 0.1749 * excess)
    b = ten * (-0.5642 + n * (0.5864 + n * 0.5716) - 1.5474 * c + 0.2279 * excess)
    log_c = ten * (0.3698 + n * (2.0404 + n * 0.8161) + 0.5869 * c)
    # With dark energy the exponents of a flat universe, without it those of an open one.
    share = jnp.where(density < 1, fraction / jnp.maximum(1 - density, 1e-10), 1.0)
    f1, f2, f3 = (
        jnp.log(density) * (share * flat + (1 - share) * opened)
        for flat, opened in ((-0.0307, -0.0732), (-0.0585, -0.1423), (0.0743, 0.0725))
    )
    gamma = 0.1971 - 0.0843 * n + 0.8460 * c
    return {
        "a": a,
        "b": b,
        "c f3": log_c + f3,
        "3 - gamma": 3 - gamma,
        "3 f1": 3 * jnp.exp(f1),
        "f2": jnp.exp(f2),
        "alpha": jnp.abs(6.0835 + n * (1.3373 - n * 0.1959) - 5.5274 * c),
        "beta": 2.0379 + n * (-0.7354 + n * (0.3157 + n * (1.2490 + n * 0.3980))) - 0.1682 * c,
        "nu": jnp.exp(ten * (5.2105 + 3.6902 * n)),
    }
