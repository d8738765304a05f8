"""Log-normal random fields: of a density that is never negative, or of a map of convergence."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters, Scalar
from ._gaussian import amplitudes
from ._grid import AbstractGrid, filtered
from ._latents import AbstractLatents, FourierLatents
from ._model import AbstractFieldModel
from ._power import AbstractPower


class LogNormalField(AbstractFieldModel):
    """A shifted log-normal field x = shift (exp(g - <g^2> / 2) - 1) of a power spectrum.

    The correlation function of the Gaussian field g is

        xi_g(r) = ln(1 + xi(r) / shift^2)

    which two transforms make exact on the grid. Modes whose power in g would be negative are left out.

    Args:
        grid: The cells.
        power: The power spectrum of x.
        shift: What x cannot fall below, with a minus; one of a density contrast.
        latents: Whether the latents are Fourier modes or cells.

    Raises:
        ValueError: The shift is not positive.

    References:
        Coles & Jones 1991, MNRAS 248, 1; Xavier, Abdalla & Joachimi 2016, arXiv:1602.08503.
    """

    grid: AbstractGrid
    power: AbstractPower
    shift: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    latents: AbstractLatents = eqx.field(default_factory=FourierLatents)

    def __check_init__(self):
        if not self.shift > 0:
            raise ValueError(f"A log-normal field needs a positive shift, but it is {self.shift}.")

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
        amplitude, variance = self._gaussian(parameters)
        gaussian = self.grid.field(filtered(self.latents.modes(self.grid, white_noise), amplitude))
        return self.grid.rounded(self.shift) * jnp.expm1(gaussian - 0.5 * variance)

    def response(self, parameters: Parameters) -> Float[Array, "*half"]:
        """The square root of the power of g, times the shift."""
        return self.grid.rounded(self.shift) * self._gaussian(parameters)[0]

    def _gaussian(self, parameters: Parameters) -> tuple[Float[Array, "*half"], Scalar]:
        """Square roots of the power of g over a cell's volume, and the variance of g."""
        grid = self.grid
        power = grid.spread(self.power(grid, parameters) / grid.cell_volume)
        correlation = grid.field(jax.lax.complex(power, jnp.zeros_like(power))) / grid.num_cells**0.5
        gaussian = grid.modes(jnp.log1p(correlation / grid.rounded(self.shift) ** 2)).real
        power = jnp.maximum(gaussian * grid.num_cells**0.5, 0)
        power = power.at[(0,) * power.ndim].set(0)
        variance = jnp.sum(power * grid.multiplicity.astype(power.dtype), dtype=float) / grid.num_cells
        return amplitudes(power), variance.astype(power.dtype)
