"""What is kept of each draw of a field, and what is averaged over all of them."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._types import Parameters
from ._grid import filtered
from ._latents import FourierLatents
from ._model import AbstractFieldModel
from ._spectra import WavenumberBins

WHITE_NOISE = "white_noise"
"""The parameter that holds the latents of the field."""

MODES_PER_BIN = 8


class FieldSummary(eqx.Module):
    """Small numbers of a draw of a field, for the `derived` of a `Record`, and its maps, for the `averaged`.

    Modes are the real numbers h(k) of the white noise that `FourierLatents` tells, whichever latents the model has.

    Args:
        model: The forward model.
        bins: Bins of |k|; those of `WavenumberBins` by default.
        truth: All parameters of a mock, the latents of its field as `white_noise`.
        modes_per_bin: How many modes of each bin are kept.
    """

    model: AbstractFieldModel
    bins: WavenumberBins
    truth: Parameters | None = None
    modes_per_bin: int = eqx.field(default=MODES_PER_BIN, static=True)

    def __init__(
        self,
        model: AbstractFieldModel,
        bins: WavenumberBins | None = None,
        truth: Parameters | None = None,
        modes_per_bin: int = MODES_PER_BIN,
    ):
        self.model, self.truth, self.modes_per_bin = model, truth, modes_per_bin
        self.bins = WavenumberBins(model.grid) if bins is None else bins

    def __call__(self, parameters: Parameters) -> Parameters:
        """Of one draw:

        - `power`, `power_predicted` (bin,): spectra of the field in linear theory, and of the prediction;
        - `modes` (bin, mode): the same few modes of every draw, chosen at random;
        - `coherence`, `transfer` (bin,): of the white noise with the true one, where that is known.
        """
        model, bins = self.model, self.bins
        modes = self._modes(parameters)
        kept = {
            "power": bins.power_spectrum(filtered(modes, model.response(parameters))),
            "power_predicted": bins.power_spectrum(
                model.grid.modes(model.predict(parameters[WHITE_NOISE], parameters))
            ),
            "modes": self._real(modes)[np.unravel_index(bins.choose(self.modes_per_bin), model.grid.shape)],
        }
        if self.truth is not None:
            truth = self._modes(self.truth)
            kept |= {"coherence": bins.coherence(modes, truth), "transfer": bins.transfer(modes, truth)}
        return kept

    def maps(self, parameters: Parameters) -> Parameters:
        """Of one draw, each of the grid's shape: `modes`, all of them; `linear`, the field in linear theory;
        `predicted`, the prediction.
        """
        model, modes = self.model, self._modes(parameters)
        return {
            "modes": self._real(modes),
            "linear": model.grid.field(filtered(modes, model.response(parameters))),
            "predicted": model.predict(parameters[WHITE_NOISE], parameters),
        }

    def known(self) -> dict[str, Array]:
        """What the draws are to be seen with: `box_size`, `wavenumber` (bin,), `wavenumber_edges`, and, where the truth
        is known, its maps as `truth_modes`, `truth_linear`, `truth_predicted`, and spectra as `truth_power` and
        `truth_power_predicted`.
        """
        known = {
            "box_size": jnp.asarray(self.bins.grid.box_size),
            "wavenumber": jnp.asarray(self.bins.wavenumber, float),
            "wavenumber_edges": jnp.asarray(self.bins.edges),
        }
        if self.truth is not None:
            spectra = {name: value for name, value in self(self.truth).items() if name.startswith("power")}
            known |= {f"truth_{name}": value for name, value in (self.maps(self.truth) | spectra).items()}
        return known

    def _modes(self, parameters: Parameters):
        return self.model.latents.modes(self.model.grid, parameters[WHITE_NOISE])

    def _real(self, modes):
        return FourierLatents().latents(self.model.grid, modes)
