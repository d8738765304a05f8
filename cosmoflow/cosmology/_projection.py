"""Angular power spectra of projected fields, in the Limber approximation.

Everything lives on one fixed grid of redshifts, the midpoints of cells that are equal in ln(1 + z). The kernel of
lensing separates,

    f_K(chi' - chi) / f_K(chi') = c_K(chi) - f_K(chi) c_K(chi') / f_K(chi'),    c_K = d f_K / d chi,

so that its integral over sources is a reversed cumulative sum.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Scalar
from ._background import SPEED_OF_LIGHT, _sinhc, gauss_legendre, matter_scaled
from ._growth import growth_factor, growth_rate
from ._parameters import Cosmology

HUBBLE_LENGTH = SPEED_OF_LIGHT / 100  # [Mpc/h]
ALIGNMENT = 0.0134
"""C1 rho_crit of the nonlinear alignment model, C1 = 5e-14 Mpc^3 / (M_sun h^2): Brown et al. 2002."""


class Projection(eqx.Module):
    """Distances and growth on a grid of redshifts, and kernels of fields along the line of sight.

    Kernels are functions of comoving distance [h/Mpc] on the grid.

    Args:
        cosmology: The universe.
        max_redshift: Where the grid ends.
        num_cells: Number of its cells.
    """

    redshift: Float[Array, " z"]
    distance: Float[Array, " z"]
    transverse: Float[Array, " z"]
    cosine: Float[Array, " z"]
    hubble_distance: Float[Array, " z"]
    growth: Float[Array, " z"]
    rate: Float[Array, " z"]
    Omega_m: Scalar
    width: Float[Array, " z"]

    def __init__(self, cosmology: Cosmology, max_redshift: float, num_cells: int):
        dtype = cosmology.h.dtype
        redshift, width = redshift_grid(max_redshift, num_cells)
        self.redshift, self.width = jnp.asarray(redshift, dtype), jnp.asarray(width, dtype)
        depth = _depth(cosmology, redshift)
        curvature = cosmology.Omega_k * depth**2
        self.distance = HUBBLE_LENGTH * depth
        self.transverse = self.distance * _sinhc(curvature)
        self.cosine = jnp.sqrt(1 + cosmology.Omega_k * (self.transverse / HUBBLE_LENGTH) ** 2)
        a = 1 / (1 + self.redshift)
        self.hubble_distance = HUBBLE_LENGTH * jnp.sqrt(a**3 / matter_scaled(cosmology, a))
        self.growth = growth_factor(cosmology, self.redshift) / growth_factor(cosmology, 0.0)
        self.rate = growth_rate(cosmology, self.redshift)
        self.Omega_m = cosmology.Omega_m

    def density(self, distribution: Float[Array, "*bin z"]) -> Float[Array, "*bin z"]:
        """Kernel n(z) dz/dchi of the number density of galaxies with a normalised redshift distribution."""
        return distribution / self.hubble_distance

    def lensing(self, distribution: Float[Array, "*bin z"]) -> Float[Array, "*bin z"]:
        """Kernel of the convergence of sources with a redshift distribution.

        3/2 Omega_m (H0 / c)^2 (1 + z) f_K(chi) int dz' n(z') f_K(chi' - chi) / f_K(chi')
        """
        ratio = self.cosine / self.transverse
        weighted = distribution * self.width
        behind = _behind(weighted) * self.cosine - _behind(weighted * ratio) * self.transverse
        # What the cell itself adds beyond its midpoint, where the integrand starts to grow.
        behind = behind + self.width / 8 * weighted * self.hubble_distance / self.transverse
        return 1.5 * self.Omega_m / HUBBLE_LENGTH**2 * (1 + self.redshift) * self.transverse * behind

    def alignment(
        self, distribution: Float[Array, "*bin z"], amplitude: Scalar, slope: Scalar, pivot: float
    ) -> Float[Array, "*bin z"]:
        """Kernel of intrinsic shapes in the nonlinear alignment model.

        -A C1 rho_crit Omega_m / D(z) ((1 + z) / (1 + z0))^eta n(z) dz/dchi, with D(0) = 1

        References:
            Hirata & Seljak 2004, arXiv:astro-ph/0406275; Bridle & King 2007, arXiv:0705.0166.
        """
        evolution = jnp.exp(slope * jnp.log((1 + self.redshift) / (1 + pivot)))
        return -amplitude * ALIGNMENT * self.Omega_m / self.growth * evolution * self.density(distribution)

    def redshift_space(
        self, distribution: Float[Array, "*bin z"], multipole: Float[np.ndarray, " ell"]
    ) -> Float[Array, "*bin ell z"]:
        """Kernel of the apparent clustering by peculiar velocities, which depends on the multipole.

        The Limber approximation turns the second derivative of the Bessel function into kernels at three distances,
        chi, chi (2 l - 3) / (2 l + 1) and chi (2 l + 5) / (2 l + 1). It falls as l^-2 and is meant for l > 2.

        References:
            Tanidis & Camera 2019, arXiv:1902.07226.
        """
        l = jnp.asarray(multipole, self.redshift.dtype)
        flow = self.rate * self.growth * self.density(distribution)

        def at(factor: Array) -> Array:
            where = self.distance * factor[:, None]
            along = jax.vmap(lambda f: jnp.interp(where, self.distance, f, left=0.0, right=0.0))
            return along(flow.reshape(-1, flow.shape[-1])).reshape(*flow.shape[:-1], *where.shape)

        centre = (2 * l**2 + 2 * l - 1) / ((2 * l - 1) * (2 * l + 3))
        below = l * (l - 1) / ((2 * l - 1) * jnp.sqrt(jnp.abs((2 * l - 3) * (2 * l + 1))))
        above = (l + 1) * (l + 2) / ((2 * l + 3) * jnp.sqrt((2 * l + 1) * (2 * l + 5)))
        near, far = at((2 * l - 3) / (2 * l + 1)), at((2 * l + 5) / (2 * l + 1))
        total = centre[:, None] * flow[..., None, :] - below[:, None] * near - above[:, None] * far
        return total / self.growth

    def log_wavenumber(self, multipole: Float[np.ndarray, " ell"]) -> Float[Array, "ell z"]:
        """ln k [h/Mpc] of each multipole at each redshift, k = (l + 1/2) / f_K."""
        ell = jnp.asarray(np.log(multipole + 0.5), self.redshift.dtype)
        return ell[:, None] - jnp.log(self.transverse)

    def angular_power(
        self, power: Float[Array, "ell z"], first: Float[Array, "pair *z"], second: Float[Array, "pair *z"]
    ) -> Float[Array, "pair ell"]:
        """Angular power spectra of pairs of kernels.

            C(l) = int dchi K1(chi) K2(chi) / f_K^2 P((l + 1/2) / f_K, z)

        Args:
            power: P [(Mpc/h)^3] at `log_wavenumber`.
            first: Kernels of the first field of each pair, with an axis for the multipole if any depends on it.
            second: Kernels of the second, of the same shape.
        """
        weighted = power * (self.width * self.hubble_distance / self.transverse**2)
        if first.ndim == 2:
            return (first * second) @ weighted.T
        return jnp.sum(first * second * weighted, axis=-1)


def redshift_grid(max_redshift: float, num_cells: int) -> tuple[Float[np.ndarray, " z"], Float[np.ndarray, " z"]]:
    """Midpoints of cells that are equal in ln(1 + z), and the widths dz/du du of a quadrature over them."""
    step = np.log1p(max_redshift) / num_cells
    redshift = np.expm1((np.arange(num_cells) + 0.5) * step)
    return redshift, (1 + redshift) * step


def _behind(values: Float[Array, "*bin z"]) -> Float[Array, "*bin z"]:
    """Sum over the cells behind each one."""
    total = jnp.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
    return total - values


def _depth(cosmology: Cosmology, redshift: Float[np.ndarray, " z"]) -> Float[Array, " z"]:
    """Comoving distances [c / H0] of ascending redshifts, panel by panel, in x = (1 + z)^(-1/2)."""
    nodes, weights = gauss_legendre(3)
    x = np.concatenate([[1.0], (1 + redshift) ** -0.5])
    width = x[:-1] - x[1:]
    points = jnp.asarray(x[:-1, None] - width[:, None] * nodes, cosmology.h.dtype)
    panels = (1 / jnp.sqrt(matter_scaled(cosmology, points**2))) @ jnp.asarray(weights, cosmology.h.dtype)
    return jnp.cumsum(2 * jnp.asarray(width, cosmology.h.dtype) * panels)
