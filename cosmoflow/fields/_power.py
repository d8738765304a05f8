"""Power spectra of fields, as functions of named parameters."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Float

from .._types import Parameters, Scalar
from ..cosmology import Cosmology, growth_factor, linear_power
from ._grid import AbstractGrid


class AbstractPower(eqx.Module):
    """A power spectrum P(|k|), in units of the grid's volume; zero at k = 0, for the mean is no part of a fluctuation.

    `required` and `optional` are the names of the parameters that it needs and can use.
    """

    required: AbstractVar[tuple[str, ...]]
    optional: AbstractVar[tuple[str, ...]]

    @abstractmethod
    def __call__(self, grid: AbstractGrid, parameters: Parameters) -> Float[Array, " shell"]:
        """The power at the distinct wave numbers `grid.shells`."""


class LinearMatterPower(AbstractPower):
    """The linear power spectrum of matter at a redshift [(Mpc/h)^3].

    `Omega_m` and `sigma8` are required; `h`, `Omega_b`, `n_s` (0.6774, 0.0486, 0.9667) are optional, as are `Omega_k`,
    `w0` and `wa` (0, -1, 0).

    Args:
        redshift: Where the growth factor is taken.
    """

    required: tuple[str, ...] = eqx.field(default=("Omega_m", "sigma8"), static=True, init=False)
    optional: tuple[str, ...] = eqx.field(
        default=("h", "Omega_b", "n_s", "Omega_k", "w0", "wa"), static=True, init=False
    )
    redshift: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)

    def __call__(self, grid: AbstractGrid, parameters: Parameters) -> Float[Array, " shell"]:
        """The power at the distinct wave numbers of the grid."""
        cosmology = fiducial_cosmology(parameters)
        power = linear_power(cosmology, n_s=spectral_index(parameters), sigma8=parameters["sigma8"])
        growth = growth_factor(cosmology, jnp.stack([self.redshift, jnp.zeros_like(self.redshift)]))
        wavenumber = jnp.asarray(np.log(grid.shells[1:]), cosmology.h.dtype)
        return jnp.pad(jnp.exp(power(wavenumber)) * (growth[0] / growth[1]) ** 2, (1, 0))


class TabulatedPower(AbstractPower):
    """A given power spectrum, by linear interpolation of ln P in ln k, and constant beyond the table.

    Args:
        wavenumber: Ascending and positive.
        power: Positive.

    Raises:
        ValueError: The wave numbers are not ascending, or something is not positive.
    """

    wavenumber: Float[Array, " table"] = eqx.field(converter=lambda v: jnp.asarray(v, float))
    power: Float[Array, " table"] = eqx.field(converter=lambda v: jnp.asarray(v, float))
    required: tuple[str, ...] = eqx.field(default=(), static=True, init=False)
    optional: tuple[str, ...] = eqx.field(default=(), static=True, init=False)

    def __check_init__(self):
        if self.wavenumber.shape != self.power.shape or self.wavenumber.size < 2:
            raise ValueError("TabulatedPower needs as many powers as wave numbers, two at least.")
        if not (jnp.all(jnp.diff(self.wavenumber) > 0) and self.wavenumber[0] > 0 and jnp.all(self.power > 0)):
            raise ValueError("TabulatedPower needs ascending positive wave numbers and positive powers.")

    def __call__(self, grid: AbstractGrid, parameters: Parameters) -> Float[Array, " shell"]:
        """The power at the distinct wave numbers of the grid."""
        at = jnp.asarray(np.log(grid.shells[1:]), self.power.dtype)
        return jnp.pad(jnp.exp(jnp.interp(at, jnp.log(self.wavenumber), jnp.log(self.power))), (1, 0))


def fiducial_cosmology(parameters: Parameters) -> Cosmology:
    """The universe of some parameters, with those of Planck 2015 where they are silent.

    References:
        Planck Collaboration 2016, arXiv:1502.01589.
    """
    return Cosmology.from_parameters(parameters, h=0.6774, Omega_b=0.0486)


def spectral_index(parameters: Parameters) -> Scalar:
    """n_s, or that of Planck 2015."""
    return jnp.asarray(parameters.get("n_s", 0.9667), jnp.result_type(float, parameters["Omega_m"]))
