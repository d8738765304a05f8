"""Galaxies by Lagrangian perturbation theory."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Parameters
from ._bias import BIAS, lagrangian_weights
from ._displacement import displacement, growth, second_order_density, tidal_field
from ._gaussian import amplitudes
from ._grid import AbstractGrid
from ._latents import AbstractLatents, FourierLatents
from ._model import AbstractFieldModel
from ._power import AbstractPower, LinearMatterPower, fiducial_cosmology

UNIVERSE = ("h", "Omega_b", "Omega_k", "w0", "wa")
"""Parameters, beside `Omega_m`, that growth can use."""


class LagrangianField(AbstractFieldModel):
    """Matter or galaxies moved by Lagrangian perturbation theory and painted onto the grid, cloud in cell.

    The linear density of today is that of the power spectrum. Its growth, the displacement of particles from the
    cells' centres, their bias and, along the line of sight, their velocities

        s = x + (f1 psi1 + f2 psi2) along the line of sight

    give the density contrast, whose mean is zero. A value takes three transforms at first order and ten at second; at
    first order bias takes one more for the density, or six for its tidal field, and `bn2` always takes one.

    `Omega_m` and what the power requires are required. The bias `b1`, `b2`, `bs2`, `bn2` is optional; without it the
    field is that of matter.

    Args:
        grid: The cells, of three axes.
        redshift: Where the field is observed.
        order: Of perturbation theory, 1 or 2.
        line_of_sight: The axis along which redshifts are distances; none if it is None.
        power: The linear power spectrum of today.
        latents: Whether the latents are Fourier modes or cells.

    Raises:
        ValueError: The grid has not three axes, the order is neither 1 nor 2, or there is no such axis.

    References:
        Bouchet, Colombi, Hivon & Juszkiewicz 1995, arXiv:astro-ph/9406013; Kaiser 1987, MNRAS 227, 1;
        Simon-Onfroy, Lanusse & de Mattia 2025, arXiv:2504.20130.
    """

    grid: AbstractGrid
    redshift: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    order: int = eqx.field(static=True, default=2)
    line_of_sight: int | None = eqx.field(static=True, default=None)
    power: AbstractPower = eqx.field(default_factory=LinearMatterPower)
    latents: AbstractLatents = eqx.field(default_factory=FourierLatents)

    def __check_init__(self):
        check_box(self.grid, self.line_of_sight)
        if self.order not in (1, 2):
            raise ValueError(f"Lagrangian perturbation theory is of order 1 or 2 here, not {self.order}.")

    @property
    def required(self) -> tuple[str, ...]:
        """`Omega_m` and the parameters that the power spectrum needs."""
        return required(self.power)

    @property
    def optional(self) -> tuple[str, ...]:
        """The bias and what growth and the power spectrum can use."""
        return optional(self.power)

    def predict(self, white_noise: Float[Array, "*grid"], parameters: Parameters) -> Float[Array, "*grid"]:
        """The density contrast."""
        grid, grown = self.grid, growth(fiducial_cosmology(parameters), self.redshift)
        amplitude = amplitudes(self.power(grid, parameters) / grid.cell_volume) * grown.factor
        linear = self.latents.modes(grid, white_noise) * grid.spread(amplitude)
        tidal = tidal_field(grid, linear) if self.order == 2 else None
        here, moving = linear, linear * (1 + grown.rate)
        if tidal is not None:
            second = grown.second * grid.modes(second_order_density(tidal))
            here, moving = here + second, moving + (1 + grown.second_rate) * second
        shift = displacement(grid, [moving if i == self.line_of_sight else here for i in range(3)])
        return grid.paint(shift, lagrangian_weights(grid, linear, tidal, parameters)) - 1

    def response(self, parameters: Parameters) -> Float[Array, "*half"]:
        """Kaiser's, (1 + b1 - bn2 k^2 + f mu^2) D sqrt(P / cell volume), in the window of cloud in cell.

        The window is that of particles anywhere in their cells: as they are once displaced by about a cell.
        """
        return kaiser(self.grid, self.redshift, self.line_of_sight, self.power, parameters)


def kaiser(
    grid: AbstractGrid,
    redshift: Float[Array, ""],
    line_of_sight: int | None,
    power: AbstractPower,
    parameters: Parameters,
) -> Float[Array, "*half"]:
    """The response of linear theory, in the window of cloud in cell."""
    grown = growth(fiducial_cosmology(parameters), redshift)
    amplitude = amplitudes(power(grid, parameters) / grid.cell_volume) * grown.factor
    square = np.maximum(grid.wavenumber**2, np.finfo(float).tiny)
    window = np.ones(())
    for k, size in zip(grid.wavenumbers, grid.cell_size, strict=True):
        window = window * np.sinc(k * size / (2 * np.pi)) ** 2
    bias = 1 + parameters.get("b1", 0.0)
    if "bn2" in parameters:
        bias = bias - parameters["bn2"] * jnp.asarray(square, amplitude.dtype)
    if line_of_sight is not None:
        bias = bias + grown.rate * jnp.asarray(grid.wavenumbers[line_of_sight] ** 2 / square, amplitude.dtype)
    return bias * grid.spread(amplitude) * jnp.asarray(window, amplitude.dtype)


def required(power: AbstractPower) -> tuple[str, ...]:
    """What a model of structure with this linear power needs."""
    return tuple(dict.fromkeys(("Omega_m", *power.required)))


def optional(power: AbstractPower) -> tuple[str, ...]:
    """What it can use."""
    return tuple(dict.fromkeys((*UNIVERSE, *power.optional, *BIAS)))


def check_box(grid: AbstractGrid, line_of_sight: int | None) -> None:
    """Refuse a grid or a line of sight that a model of structure cannot have.

    Raises:
        ValueError: The grid has not three axes, or there is no such axis.
    """
    if len(grid.shape) != 3:
        raise ValueError(f"Displaced particles need a grid of three axes, but its shape is {grid.shape}.")
    if line_of_sight not in (None, 0, 1, 2):
        raise ValueError(f"The line of sight must be one of the axes 0, 1, 2, or None, but is {line_of_sight}.")
