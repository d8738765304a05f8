"""What models of the large-scale structure share: the linear density, and the response of linear theory."""

from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Complex, Float

from .._types import Parameters
from ._bias import BIAS
from ._displacement import growth, inverse_square, wavenumbers
from ._gaussian import amplitudes
from ._grid import filtered
from ._model import AbstractFieldModel
from ._power import AbstractPower, fiducial_cosmology

UNIVERSE = ("h", "Omega_b", "Omega_k", "w0", "wa")
"""Parameters, beside `Omega_m`, that growth can use."""


class AbstractStructure(AbstractFieldModel):
    """Matter or galaxies that started, one particle for each cell, from a linear density.

    `Omega_m` and what the power requires are required. The bias `b1`, `b2`, `bs2`, `bn2` is optional; without it the
    field is that of matter.

    Raises:
        ValueError: The grid has not three axes, or the line of sight is none of them.
    """

    keeps_phases: ClassVar[bool] = False

    redshift: AbstractVar[Float[Array, ""]]
    line_of_sight: AbstractVar[int | None]
    power: AbstractVar[AbstractPower]

    def __check_init__(self):
        if len(self.grid.shape) != 3:
            raise ValueError(f"Displaced particles need a grid of three axes, but its shape is {self.grid.shape}.")
        if self.line_of_sight not in (None, 0, 1, 2):
            raise ValueError(f"The line of sight must be one of the axes 0, 1, 2, or None, not {self.line_of_sight}.")

    @property
    def required(self) -> tuple[str, ...]:
        """`Omega_m` and the parameters that the power spectrum needs."""
        return tuple(dict.fromkeys(("Omega_m", *self.power.required)))

    @property
    def optional(self) -> tuple[str, ...]:
        """The bias and what growth and the power spectrum can use."""
        return tuple(dict.fromkeys((*UNIVERSE, *self.power.optional, *BIAS)))

    def response(self, parameters: Parameters) -> Float[Array, "*half"]:
        """Kaiser's, (1 + b1 - bn2 k^2 + f mu^2) D sqrt(P / volume of a cell), in the window of cloud in cell.

        The window is that of particles anywhere in their cells, as they are once displaced by half a cell or more.
        """
        grid, universe = self.grid, fiducial_cosmology(parameters)
        grown = grid.rounded(growth(universe, self.redshift))
        given = grid.rounded({name: parameters[name] for name in BIAS if name in parameters})
        response = grid.spread(self._amplitude(parameters))
        axes = wavenumbers(grid, response.dtype)
        bias = 1 + given.get("b1", jnp.zeros_like(grown.factor))
        if "bn2" in given:
            bias = bias - given["bn2"] * sum(k**2 for k in axes)
        if self.line_of_sight is not None:
            bias = bias + grown.rate * axes[self.line_of_sight] ** 2 * inverse_square(grid, response.dtype)
        for k, size in zip(axes, grid.cell_size, strict=True):
            response = response * jnp.sinc(k * (size / (2 * np.pi))) ** 2
        return bias * grown.factor * response

    def linear(self, white_noise: Float[Array, "*grid"], parameters: Parameters) -> Complex[Array, "*half"]:
        """Modes of the linear density of today."""
        return filtered(self.latents.modes(self.grid, white_noise), self.grid.spread(self._amplitude(parameters)))

    def _amplitude(self, parameters: Parameters) -> Float[Array, " shell"]:
        return amplitudes(self.power(self.grid, parameters) / self.grid.cell_volume)
