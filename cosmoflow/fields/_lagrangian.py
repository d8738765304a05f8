"""Matter and galaxies by Lagrangian perturbation theory."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters
from ._bias import lagrangian_weights
from ._displacement import displacement, growth, second_order_density, tidal_field
from ._grid import AbstractGrid, filtered
from ._latents import AbstractLatents, FourierLatents
from ._power import AbstractPower, LinearMatterPower, fiducial_cosmology
from ._structure import AbstractStructure


class LagrangianField(AbstractStructure):
    """Matter or galaxies moved by Lagrangian perturbation theory and painted onto the grid, cloud in cell.

    The linear density grows, displaces the particles from the centres of their cells, weights them by their bias and,
    along the line of sight, moves them on by their velocities,

        s = x + f1 psi1 + f2 psi2

    A value takes three transforms at first order and ten at second. Bias takes one more at first order for the density
    or six for its tidal field, and `bn2` always takes one.

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
        if self.order not in (1, 2):
            raise ValueError(f"Lagrangian perturbation theory is of order 1 or 2 here, not {self.order}.")

    def predict(self, white_noise: Float[Array, "*grid"], parameters: Parameters) -> Float[Array, "*grid"]:
        """The density contrast."""
        grid, grown = self.grid, growth(fiducial_cosmology(parameters), self.redshift)
        linear = filtered(self.linear(white_noise, parameters), grown.factor)
        tidal = tidal_field(grid, linear) if self.order == 2 else None
        here, moving = linear, filtered(linear, 1 + grown.rate)
        if tidal is not None:
            second = filtered(grid.modes(second_order_density(tidal)), grown.second)
            here, moving = here + second, moving + filtered(second, 1 + grown.second_rate)
        shift = displacement(grid, [moving if i == self.line_of_sight else here for i in range(3)])
        return grid.paint(shift, lagrangian_weights(grid, linear, tidal, parameters)) - 1
