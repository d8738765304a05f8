"""What a likelihood of the microwave background asks of a theory."""

from abc import abstractmethod

import equinox as eqx
from equinox import AbstractVar
from jaxtyping import Array, Float

from .._types import Parameters


class AbstractCMBSpectra(eqx.Module):
    """Angular power spectra of the CMB as a differentiable function of named parameters: an emulator or a solver.

    `required` are the names it cannot do without, `optional` those it uses where given.
    """

    required: AbstractVar[tuple[str, ...]]
    optional: AbstractVar[tuple[str, ...]]

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest values of parameters beyond which the spectra are NaN; none unless a theory tells."""
        return {}

    @abstractmethod
    def __call__(self, parameters: Parameters) -> dict[str, Float[Array, " _"]]:
        """Lensed C_ell [muK^2], not D_ell, under `TT`, `TE` and `EE`, each from ell = 0."""
