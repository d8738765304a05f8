"""Planck's compressed high-multipole likelihood."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._types import Parameters
from ..cosmology import AbstractCMBSpectra
from ..datasets import PlanckLiteData
from ._base import AbstractGaussianLikelihood


class PlanckLite(AbstractGaussianLikelihood):
    """Bandpowers of the CMB's temperature and polarisation.

        m_b = sum_{ell in b} w_ell C_ell / A_planck^2

    The parameters are those of the spectra and the optional calibration `A_planck` (1), for which Planck's analyses
    have the prior N(1, 0.0025^2). Where the spectra are NaN, as those of an emulator outside its range, so is log L.

    Args:
        data: The measurements.
        spectra: The theory.

    Raises:
        ValueError: If the covariance is not positive definite.

    References:
        Planck Collaboration V 2020, arXiv:1907.12875; Prince & Dunkley 2019, arXiv:1909.05869.
    """

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    spectra: AbstractCMBSpectra
    weight: Float[Array, " ell"]
    bandpower: Int[Array, " ell"]
    multipoles: tuple[tuple[str, int, int], ...] = eqx.field(static=True)
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, data: PlanckLiteData, spectra: AbstractCMBSpectra):
        self.data = jnp.asarray(data.bandpower)
        self.cholesky = jnp.asarray(np.linalg.cholesky(data.covariance))
        self.spectra = spectra
        bins = list(zip(data.spectrum, data.ell_min.tolist(), data.ell_max.tolist(), strict=True))
        self.weight = jnp.asarray(np.concatenate([data.weight[first : last + 1] for _, first, last in bins]))
        self.bandpower = jnp.asarray(np.repeat(np.arange(len(bins)), data.ell_max - data.ell_min + 1))
        self.multipoles = _joined(bins)
        self.required = spectra.required
        self.optional = (*spectra.optional, "A_planck")

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Those of the theory."""
        return self.spectra.ranges()

    def predict(self, parameters: Parameters) -> Float[Array, " data"]:
        """Binned C_ell [muK^2].

        Raises:
            ValueError: If the theory lacks a spectrum or ends below the last multipole of the data.
        """
        theory = self.spectra(parameters)
        for name, _, stop in self.multipoles:
            if name not in theory or theory[name].size < stop:
                there = f"ends at {theory[name].size - 1}" if name in theory else "is missing"
                raise ValueError(
                    f"The likelihood needs {name} up to multipole {stop - 1}, but that of the theory {there}."
                )
        power = jnp.concatenate([theory[name][start:stop] for name, start, stop in self.multipoles])
        binned = jax.ops.segment_sum(self.weight * power, self.bandpower, self.data.size, indices_are_sorted=True)
        return binned / parameters["A_planck"] ** 2 if "A_planck" in parameters else binned


def _joined(bins: list[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    """Ranges of multipoles, ends excluded, with neighbouring bins made one."""
    ranges: list[tuple[str, int, int]] = []
    for name, first, last in bins:
        if ranges and ranges[-1][0] == name and ranges[-1][2] == first:
            ranges[-1] = (name, ranges[-1][1], last + 1)
        else:
            ranges.append((name, first, last + 1))
    return tuple(ranges)
