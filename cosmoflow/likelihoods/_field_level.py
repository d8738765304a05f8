"""Likelihoods of whole fields, cell by cell."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float

from .._types import Key, Parameters, Scalar
from ..fields import AbstractFieldModel, FieldSummary, WavenumberBins
from ..fields._summary import WHITE_NOISE
from ._base import AbstractLikelihood
from ._field_noise import AbstractFieldNoise


class FieldLevel(AbstractLikelihood):
    """An observed field, given its initial conditions and parameters.

        log L = sum over cells of log p(data | model.predict(white_noise, parameters))

    `white_noise`, shape of the grid, is required beside what the model requires. On a grid in single precision the
    field, its data and its noise are single; the theory of the parameters and the sum over cells are not.

    Args:
        model: The forward model.
        noise: The law of the data given the prediction.
        data: The observed field, shape of the grid.
        mask: Which cells were observed; all where it is not given.
        bins: Bins of |k| of what is derived from each draw; those of `WavenumberBins` by default.
        truth: Of a mock, all the parameters that it was made with, `white_noise` among them.

    Raises:
        ValueError: A shape is not that of the grid, the mask leaves nothing, the data are not finite, or not counts
            where the noise is that of counts, or the truth lacks a parameter.

    References:
        Jasche & Wandelt 2013, arXiv:1203.3639; Simon-Onfroy, Lanusse & de Mattia 2025, arXiv:2504.20130.
    """

    model: AbstractFieldModel
    noise: AbstractFieldNoise
    data: Float[Array, "*grid"]
    mask: Bool[Array, "*grid"] | None
    bins: WavenumberBins
    truth: Parameters | None

    def __init__(
        self,
        model: AbstractFieldModel,
        noise: AbstractFieldNoise,
        data: ArrayLike,
        mask: ArrayLike | None = None,
        bins: WavenumberBins | None = None,
        truth: Mapping[str, ArrayLike] | None = None,
    ):
        shape = model.grid.shape
        true = {} if truth is None else {name: jnp.asarray(value, float) for name, value in truth.items()}
        for name in (WHITE_NOISE, *model.required):
            if truth is not None and name not in true:
                raise ValueError(
                    f"The truth of the field lacks {name!r}, which the model requires; give it or no truth."
                )
        for name, array in (("data have", data), ("mask has", mask), ("true white noise has", true.get(WHITE_NOISE))):
            if array is not None and np.shape(array) != shape:
                raise ValueError(f"The {name} shape {np.shape(array)}, but the grid has {shape}.")
        if noise.shape not in ((), shape):
            raise ValueError(f"The noise has shape {noise.shape}, but the grid has {shape}.")
        observed = np.ones(shape, bool) if mask is None else np.asarray(mask, bool)
        if not observed.any():
            raise ValueError("The mask is empty: it leaves no cell of the field; give the cells that were observed.")
        bad = np.argwhere(observed & ~np.isfinite(np.asarray(data)))
        if bad.size:
            raise ValueError(
                f"The data are not finite in {len(bad)} cells, first in {tuple(map(int, bad[0]))}; mask them."
            )
        given = np.where(observed, np.asarray(data), 0)
        if noise.counts and not (np.all(given >= 0) and np.all(given == np.round(given))):
            raise ValueError("The noise is that of counts, but the data are not whole numbers from zero; give counts.")
        self.model, self.noise = model, model.grid.rounded(noise)
        self.data = model.grid.place(model.grid.rounded(jnp.asarray(given, float)))
        self.mask = None if mask is None else model.grid.place(jnp.asarray(observed))
        self.bins = WavenumberBins(model.grid) if bins is None else bins
        self.truth = None if truth is None else true

    @property
    def required(self) -> tuple[str, ...]:
        """The latents of the field and what the model requires."""
        return (WHITE_NOISE, *self.model.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """What the model can use."""
        return self.model.optional

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Normalised log-likelihood of the data given the field and its parameters."""
        cells = self.noise.log_prob(self.data, self.predict(parameters))
        return jnp.sum(cells if self.mask is None else jnp.where(self.mask, cells, 0), dtype=float)

    def predict(self, parameters: Parameters) -> Float[Array, "*grid"]:
        """The field without noise."""
        return self.model.predict(parameters[WHITE_NOISE], parameters)

    def simulate(self, parameters: Parameters, *, key: Key) -> Float[Array, "*grid"]:
        """Data that could have been."""
        return self.noise.sample(self.predict(parameters), key=key)

    def precision(self) -> Float[Array, "*grid"]:
        """Inverse variance of the data as a contrast; zero where nothing was observed."""
        precision = jnp.broadcast_to(self.noise.precision(), self.data.shape)
        return precision if self.mask is None else jnp.where(self.mask, precision, 0)

    @property
    def summary(self) -> FieldSummary:
        """What is derived from a draw."""
        return FieldSummary(self.model, self.bins, self.truth)

    def observed_data(self) -> dict[str, Array]:
        """The observed field, the mask where there is one, and what `FieldSummary.known` tells."""
        return {"data": self.data} | ({} if self.mask is None else {"mask": self.mask}) | self.summary.known()

    def derived(self, parameters: Parameters) -> Parameters:
        """Spectra and a few modes of the field; see `FieldSummary`."""
        return self.summary(parameters)

    def averaged(self, parameters: Parameters) -> Parameters:
        """Maps of the field; see `FieldSummary.maps`."""
        return self.summary.maps(parameters)
