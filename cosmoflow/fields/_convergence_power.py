"""The angular power spectrum of weak lensing."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from .._types import Parameters
from ..cosmology import Halofit, Projection, linear_power, uniform_cubic
from ._grid import AbstractGrid
from ._power import AbstractPower, fiducial_cosmology, spectral_index


class ConvergencePower(AbstractPower):
    """The power spectrum of the convergence [rad^2] of sources with a redshift distribution, on a flat sky.

        C(l) = int dchi K(chi)^2 / f_K^2 P((l + 1/2) / f_K, z)

    in the Limber approximation, at a multipole l for each wave number [1/rad] of a map. It is computed at some
    multipoles, and interpolated in ln l. Parameters are those of `LinearMatterPower`.

    Args:
        redshift: Ascending redshifts of the table of n(z), which ends with them.
        density: n(z), of any norm; linear in between.
        nonlinear: Whether the power of matter is that of halofit, or that of linear theory.
        num_redshifts: Cells of the integral along the line of sight.
        num_multipoles: Multipoles at which it is computed.

    Raises:
        ValueError: Redshifts do not ascend from zero or later, or densities are negative, not finite or all zero.

    References:
        Kaiser 1992, ApJ 388, 272; Limber 1953; LoVerde & Afshordi 2008, arXiv:0809.5112.
    """

    redshift: Float[Array, " table"]
    density: Float[Array, " table"]
    nonlinear: bool = eqx.field(static=True)
    num_redshifts: int = eqx.field(static=True)
    num_multipoles: int = eqx.field(static=True)
    max_redshift: float = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(default=("Omega_m", "sigma8"), static=True, init=False)
    optional: tuple[str, ...] = eqx.field(
        default=("h", "Omega_b", "n_s", "Omega_k", "w0", "wa"), static=True, init=False
    )

    def __init__(
        self,
        redshift: ArrayLike,
        density: ArrayLike,
        *,
        nonlinear: bool = True,
        num_redshifts: int = 64,
        num_multipoles: int = 32,
    ):
        z, n = np.asarray(redshift, float), np.asarray(density, float)
        if z.shape != n.shape or z.ndim != 1 or z.size < 2:
            raise ValueError(
                f"n(z) needs as many densities as redshifts, two at least, but has {n.shape} and {z.shape}."
            )
        if not (np.all(np.diff(z) > 0) and z[0] >= 0 and np.isfinite(z[-1])):
            raise ValueError("The redshifts of n(z) do not ascend from zero or later; sort the table.")
        if not (np.all(n >= 0) and np.all(np.isfinite(n)) and np.any(n > 0)):
            raise ValueError("n(z) is negative, not finite, or zero everywhere; mend the densities.")
        self.redshift, self.density = jnp.asarray(z), jnp.asarray(n)
        self.nonlinear, self.num_redshifts, self.num_multipoles = nonlinear, num_redshifts, num_multipoles
        self.max_redshift = float(z[-1])

    def __call__(self, grid: AbstractGrid, parameters: Parameters) -> Float[Array, " shell"]:
        """The power at the distinct wave numbers of the grid."""
        shells = np.log(grid.shells[1:])
        nodes, step = np.linspace(shells[0], shells[-1], self.num_multipoles, retstep=True)
        log_power = jnp.log(self.angular_power(np.exp(nodes), parameters))
        position = jnp.asarray((shells - shells[0]) / step, log_power.dtype)
        return jnp.pad(jnp.exp(uniform_cubic(log_power, position)), (1, 0))

    def angular_power(self, multipole: Float[np.ndarray, " ell"], parameters: Parameters) -> Float[Array, " ell"]:
        """C(l) [rad^2] at some multipoles."""
        cosmology = fiducial_cosmology(parameters)
        linear = linear_power(cosmology, n_s=spectral_index(parameters), sigma8=parameters["sigma8"])
        projection = Projection(cosmology, self.max_redshift, self.num_redshifts)
        log_wavenumber = projection.log_wavenumber(multipole)
        if self.nonlinear:
            power = Halofit(cosmology, linear, projection.redshift)(log_wavenumber)
        else:
            power = jnp.exp(linear(log_wavenumber)) * projection.growth**2
        at, table, values = (jnp.asarray(a, power.dtype) for a in (projection.redshift, self.redshift, self.density))
        distribution = jnp.interp(at, table, values, left=0.0, right=0.0)
        kernel = projection.lensing(distribution / jnp.sum(distribution * projection.width))[None]
        return projection.angular_power(power, kernel, kernel)[0]
