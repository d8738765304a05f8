"""Power spectra of fields, as functions of named parameters."""

from abc import abstractmethod
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Float

from .._types import Parameters, Scalar
from ..cosmology import Cosmology, growth_factor, linear_power
from ._grid import AbstractGrid

NUM_NODES = 256
"""Values of `Omega_m` in the table of an interpolated power spectrum."""


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


class InterpolatedMatterPower(AbstractPower):
    """The linear power spectrum of matter where of the shape only `Omega_m` is free: cubic interpolation in ln Omega_m.

    A table takes the place of growth and transfer function, which shortens compilation severalfold. `Omega_m` and
    `sigma8` are required; P is NaN where `Omega_m` is out of range. It is exact to 1e-7 where the baryons are less than
    half of the matter.

    Args:
        grid: The cells for which it is made.
        redshift: Where the growth factor is taken.
        parameters: Values of what else `LinearMatterPower` can use, and of its defaults where they are not given.
        low: Least `Omega_m`.
        high: Greatest `Omega_m`.
    """

    table: Float[Array, "node shell"]
    low: Float[Array, ""]
    high: Float[Array, ""]
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(
        self,
        grid: AbstractGrid,
        *,
        redshift: float = 0.0,
        parameters: Mapping[str, float] | None = None,
        low: float = 0.05,
        high: float = 1.0,
    ):
        given = {name: jnp.asarray(value, float) for name, value in (parameters or {}).items()}
        exact = LinearMatterPower(redshift)
        nodes = jnp.asarray(np.geomspace(low, high, NUM_NODES), float)
        at_nodes = jax.jit(
            lambda values: jax.lax.map(
                lambda value: exact(grid, given | {"Omega_m": value, "sigma8": jnp.ones_like(value)}), values
            )
        )
        self.table = at_nodes(nodes)
        self.low, self.high = jnp.asarray(low, float), jnp.asarray(high, float)
        self.required, self.optional = ("Omega_m", "sigma8"), ()

    def __call__(self, grid: AbstractGrid, parameters: Parameters) -> Float[Array, " shell"]:
        """The power at the distinct wave numbers of the grid."""
        Omega_m = parameters["Omega_m"]
        position = jnp.log(Omega_m / self.low) / jnp.log(self.high / self.low) * (NUM_NODES - 1)
        position = jnp.where((Omega_m >= self.low) & (Omega_m <= self.high), position, jnp.nan)
        first = jnp.clip(jnp.nan_to_num(position).astype(jnp.int32) - 1, 0, NUM_NODES - 4)
        t = position - first.astype(position.dtype)
        weights = jnp.stack(
            [
                -(t - 1) * (t - 2) * (t - 3) / 6,
                t * (t - 2) * (t - 3) / 2,
                -t * (t - 1) * (t - 3) / 2,
                t * (t - 1) * (t - 2) / 6,
            ]
        )
        rows = jax.lax.dynamic_slice_in_dim(self.table, first, 4)
        return parameters["sigma8"] ** 2 * (weights @ rows)


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
