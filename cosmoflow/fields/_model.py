"""What every forward model of a field is: from white noise and parameters to what is observed."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
from equinox import AbstractVar
from jaxtyping import Array, Float

from .._types import Parameters
from ._grid import AbstractGrid
from ._latents import AbstractLatents


class AbstractFieldModel(eqx.Module):
    """A map from latents of white noise, N(0, 1) each and of the grid's shape, to a contrast: that of a density, whose
    mean is zero, or the convergence of a map.

    `required` and `optional` are the names of the parameters that it needs and can use. `keeps_phases` says that modes
    of the prediction have the phases of those of white noise, as far as the field is Gaussian.
    """

    keeps_phases: ClassVar[bool] = True

    grid: AbstractVar[AbstractGrid]
    latents: AbstractVar[AbstractLatents]
    required: AbstractVar[tuple[str, ...]]
    optional: AbstractVar[tuple[str, ...]]

    @abstractmethod
    def predict(self, white_noise: Float[Array, "*grid"], parameters: Parameters) -> Float[Array, "*grid"]:
        """The observed contrast without its noise."""

    @abstractmethod
    def response(self, parameters: Parameters) -> Float[Array, "*half"]:
        """What linear theory says: a mode of the prediction over the same mode of white noise."""
