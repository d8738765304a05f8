"""Gaussian random fields."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters
from ._grid import AbstractGrid, filtered
from ._latents import AbstractLatents, FourierLatents
from ._model import AbstractFieldModel
from ._power import AbstractPower


class GaussianField(AbstractFieldModel):
    """A Gaussian field of a power spectrum: its modes are those of white noise times sqrt(P(k) / volume of a cell).

    Args:
        grid: The cells.
        power: The power spectrum.
        latents: Whether the latents are Fourier modes or cells.
    """

    grid: AbstractGrid
    power: AbstractPower
    latents: AbstractLatents = eqx.field(default_factory=FourierLatents)

    @property
    def required(self) -> tuple[str, ...]:
        """The parameters that the power spectrum needs."""
        return self.power.required

    @property
    def optional(self) -> tuple[str, ...]:
        """The parameters that the power spectrum can use."""
        return self.power.optional

    def predict(self, white_noise: Float[Array, "*grid"], parameters: Parameters) -> Float[Array, "*grid"]:
        """The field."""
        return self.grid.field(filtered(self.latents.modes(self.grid, white_noise), self.response(parameters)))

    def response(self, parameters: Parameters) -> Float[Array, "*half"]:
        """The square root of the power."""
        return self.grid.spread(amplitudes(self.power(self.grid, parameters) / self.grid.cell_volume))


def amplitudes(variance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Square roots, of zero with a derivative of zero."""
    positive = variance > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1)), 0)
