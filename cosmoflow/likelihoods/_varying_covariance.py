"""Angular power spectra with a Gaussian covariance that follows the model."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float, Int

from .._types import Parameters, Scalar
from ..cosmology import bandpower_matrix
from ..datasets import SPECTRA, TwoPointData
from ._base import AbstractLikelihood
from ._two_point import TwoPoint


class VaryingCovarianceTwoPoint(AbstractLikelihood):
    """`TwoPoint` for spectra or bandpowers, with the covariance of Gaussian fields of the model's own spectra.

        Cov(C_ij, C_kl) = (S_ik S_jl + S_il S_jk) / nu,    S_ij = C_ij + delta_ij N_i,
        log L = -(d - m)^T Cov^-1 (d - m) / 2 - log det(2 pi Cov) / 2

    Bands are independent, so that each has a covariance of its own, of pairs of bins. The number of modes of a band
    with the window w is nu = f_sky (sum_l w)^2 / sum_l w^2 / (2 l + 1), which is (2 l + 1) f_sky Delta l where it is
    narrow. The covariance of the data is not used. Parameters are those of `TwoPoint`.

    Estimated spectra follow a Wishart distribution; a normal one whose covariance varies finds information in it that
    the data do not have, unless modes are many.

    Args:
        data: Spectra or bandpowers.
        noise: Power of the noise of each bin: variance of the shape in one component over the number of galaxies in a
            steradian for sources, one over that number for lenses.
        f_sky: Fraction of the sky observed.
        **options: Those of `TwoPoint`.

    Raises:
        ValueError: If data are no spectra, one of them is there twice, windows of bands overlap, the noise of a bin is
            missing or not positive, or `f_sky` is not in (0, 1].

    References:
        Knox 1995, arXiv:astro-ph/9504054; Carron 2013, arXiv:1204.4724.
    """

    theory: TwoPoint
    noise: Float[Array, "band bin"]
    modes: Float[Array, " band"]
    windows: Float[Array, "statistic band ell"]
    position: Int[Array, "band pair"]  # of the rows of the data; their number where there is none
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, data: TwoPointData, *, noise: Mapping[str, float], f_sky: float, **options: Any):
        for row, kind in enumerate(data.statistic, start=1):
            if kind not in SPECTRA:
                raise ValueError(
                    f"Row {row} is {kind}, whose covariance is not diagonal; use one of {', '.join(SPECTRA)}."
                )
        if not 0 < f_sky <= 1:
            raise ValueError(f"The fraction of the sky is {f_sky:g}; it lies in (0, 1].")
        self.theory = TwoPoint(data, **options)
        bins = (*self.theory.sources, *self.theory.lenses)
        for name in bins:
            if not noise.get(name, 0.0) > 0:
                raise ValueError(f"The noise of the bin {name!r} is {noise.get(name, 'missing')}; give its power.")
        multipole, windows, band = _bands(data)
        self.windows = jnp.asarray(np.stack([bandpower_matrix(kind, multipole, windows) for kind in SPECTRA]))
        weight = windows.sum(1)
        self.modes = jnp.asarray(f_sky * weight**2 / (windows**2 @ (1 / (2 * multipole + 1))))
        self.noise = jnp.asarray(weight[:, None] * np.array([noise[name] for name in bins]))
        pair = np.asarray(self.theory.pair)
        _check_distinct([(b, frozenset(self.theory.pairs[p])) for b, p in zip(band.tolist(), pair, strict=True)])
        position = np.full((weight.size, len(self.theory.pairs)), data.value.size)
        position[band, pair] = np.arange(data.value.size)
        self.position = jnp.asarray(position)
        self.required, self.optional = self.theory.required, self.theory.optional

    def covariance(self, parameters: Parameters) -> Float[Array, "data data"]:
        """The covariance of the data."""
        blocks = self._blocks(self._spectra(parameters))
        whole = jnp.zeros((self.theory.data.size,) * 2, blocks.dtype)
        return whole.at[self.position[:, :, None], self.position[:, None, :]].set(blocks, mode="drop")

    def log_likelihood(self, parameters: Parameters) -> Scalar:
        """Normalised log-likelihood of the data given the parameters."""
        spectra = self._spectra(parameters)
        first, second = np.array(self.theory.pairs).T
        measured = self.position < self.theory.data.size
        difference = spectra[:, first, second] - self.theory.data.at[self.position].get(mode="clip")
        factor = jnp.linalg.cholesky(self._blocks(spectra))
        white = solve_triangular(factor, jnp.where(measured, difference, 0)[..., None], lower=True)
        log_determinant = 2 * jnp.sum(jnp.log(jnp.diagonal(factor, axis1=1, axis2=2)))
        return -0.5 * (jnp.sum(white**2) + log_determinant + self.theory.data.size * jnp.log(2 * jnp.pi))

    def observed_data(self) -> dict[str, Array]:
        """The data vector."""
        return self.theory.observed_data()

    def derived(self, parameters: Parameters) -> Parameters:
        """What `TwoPoint` derives."""
        return self.theory.derived(parameters)

    def _spectra(self, parameters: Parameters) -> Float[Array, "band bin bin"]:
        """Those of all pairs of bins, measured or not."""
        cut, size = len(self.theory.sources), self.noise.shape[1]
        first, second = np.triu_indices(size)
        power = self.theory.angular_power(parameters, pairs=tuple(zip(first.tolist(), second.tolist(), strict=True)))
        windows = self.windows[(first >= cut).astype(int) + (second >= cut)]
        spectra = jnp.sum(windows * power.astype(windows.dtype)[:, None, :], axis=-1)
        place = np.zeros((size, size), int)
        place[first, second] = place[second, first] = np.arange(first.size)
        return jnp.moveaxis(spectra[place], -1, 0)

    def _blocks(self, spectra: Float[Array, "band bin bin"]) -> Float[Array, "band pair pair"]:
        """The covariance of each band; that of a unit matrix where nothing was measured."""
        total = spectra + self.noise[:, None, :] * jnp.eye(self.noise.shape[1], dtype=spectra.dtype)
        first, second = np.array(self.theory.pairs).T

        def between(one: np.ndarray, other: np.ndarray) -> Float[Array, "band pair pair"]:
            return total[:, one[:, None], other]

        straight = between(first, first) * between(second, second)
        crossed = between(first, second) * between(second, first)
        measured = self.position < self.theory.data.size
        both = measured[:, :, None] & measured[:, None, :]
        unit = jnp.eye(first.size, dtype=spectra.dtype)
        return jnp.where(both, (straight + crossed) / self.modes[:, None, None], unit)


def _bands(
    data: TwoPointData,
) -> tuple[Float[np.ndarray, " ell"], Float[np.ndarray, "band ell"], Int[np.ndarray, " data"]]:
    """Multipoles, the window of each band over them, and the band of each row."""
    if data.window is None:
        multipole, band = np.unique(data.angle, return_inverse=True)
        return multipole, np.eye(multipole.size), band
    multipole, weights = data.window
    negative, band = np.unique(-weights, axis=0, return_inverse=True)  # from the lowest multipoles on
    windows = -negative
    if shared := np.flatnonzero((windows != 0).sum(0) > 1).tolist():
        raise ValueError(f"The windows of two bands share the multipole {multipole[shared[0]]:g}; make them apart.")
    return multipole, windows, band.reshape(-1)


def _check_distinct(spectra: Sequence[tuple[int, frozenset[int]]]) -> None:
    """Refuse the same pair in the same band."""
    rows = {}
    for row, spectrum in enumerate(spectra, start=1):
        if rows.setdefault(spectrum, row) != row:
            raise ValueError(f"Rows {rows[spectrum]} and {row} are the same spectrum; remove one of them.")
