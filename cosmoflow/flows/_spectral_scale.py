"""White noise into a stationary field: the law from which flows of fields start, and their first preconditioner."""

import math
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float

from .._types import Scalar, Vector
from ..dynamics import wavenumbers


class SpectralScale(AbstractBijection):
    """y = m + P^(1/2) x, diagonal in Fourier space: of standard normal x it makes a Gaussian field of spectrum P(|k|).

    log P is linear in log |k| between knots at equal ratios from the longest wave of the grid to the corner of its
    Fourier space; the mean mode has a knot of its own. P = 1 is white noise of unit variance per cell.

    Args:
        grid: Cells along each axis; the vectors are flat, shape (number of cells,).
        num_knots: Knots of log P, the mean mode's apart.
        fields: Fields whose mean and spectrum it takes, by maximum likelihood, shape (field, number of cells); without
            them it is the identity.

    Raises:
        ValueError: The fields do not have the cells of the grid.
    """

    shape: tuple[int, ...]
    cond_shape: ClassVar[None] = None
    mean: Float[Array, ""]
    log_power: Float[Array, " knot"]
    grid: tuple[int, ...]

    def __init__(self, grid: tuple[int, ...], *, num_knots: int = 12, fields: Float[Array, "field cell"] | None = None):
        self.shape = (math.prod(grid),)
        self.grid = grid
        if fields is None:
            self.mean, self.log_power = jnp.zeros(()), jnp.zeros(1 + num_knots)
            return
        if fields.shape[1:] != self.shape:
            raise ValueError(f"The fields have shape {fields.shape}, but a grid {grid} has {self.shape[0]} cells.")
        self.mean = jnp.asarray(jnp.mean(fields), float)
        power = np.zeros(_half(grid))
        for field in np.asarray(fields) - np.asarray(self.mean):
            power += np.abs(np.fft.rfftn(field.reshape(grid), norm="ortho")) ** 2
        self.log_power = jnp.asarray(_most_likely(grid, num_knots, power / len(fields)), float)

    def _amplitude(self, dtype) -> tuple[Float[Array, "..."], Scalar]:
        """P^(1/2) on the half space and the logarithm of its determinant."""
        hats = _hats(self.grid, self.log_power.size - 1)
        log_amplitude = 0.5 * jnp.tensordot(self.log_power, jnp.asarray(hats, dtype), 1)
        count = np.sum(hats * multiplicity(self.grid), axis=tuple(range(1, hats.ndim)))
        return jnp.exp(log_amplitude), 0.5 * jnp.vdot(self.log_power, jnp.asarray(count, dtype))

    def _filtered(self, x: Vector, transfer: Float[Array, "..."]) -> Vector:
        spectrum = jnp.fft.rfftn(x.reshape(self.grid))
        axes = tuple(range(-len(self.grid), 0))
        return jnp.fft.irfftn(spectrum * transfer.astype(spectrum.dtype), self.grid, axes).ravel()

    def transform_and_log_det(self, x: Vector, condition: Any = None) -> tuple[Vector, Scalar]:
        """Field of a white field and the logarithm of the Jacobian."""
        amplitude, log_det = self._amplitude(x.dtype)
        return self.mean + self._filtered(x, amplitude), log_det

    def inverse_and_log_det(self, y: Vector, condition: Any = None) -> tuple[Vector, Scalar]:
        """White field of a field and the logarithm of the inverse's Jacobian."""
        amplitude, log_det = self._amplitude(y.dtype)
        return self._filtered(y - self.mean, 1 / amplitude), -log_det

    @property
    def power(self) -> Float[Array, "..."]:
        """P on the half space of a real transform."""
        return self._amplitude(self.log_power.dtype)[0] ** 2


def _half(grid: tuple[int, ...]) -> tuple[int, ...]:
    return (*grid[:-1], grid[-1] // 2 + 1)


def multiplicity(grid: tuple[int, ...]) -> np.ndarray:
    """Modes of the whole space for each mode along the last axis of the half space."""
    last = np.arange(grid[-1] // 2 + 1)
    return np.where((last == 0) | (2 * last == grid[-1]), 1.0, 2.0)


def _hats(grid: tuple[int, ...], num_knots: int) -> np.ndarray:
    """The mean mode, then functions of log |k|, one at their knot and zero at the others: shape (knot, *half grid)."""
    k = wavenumbers(grid)
    knots = np.linspace(math.log(1 / max(grid)), math.log(0.5 * math.sqrt(len(grid))), num_knots)
    log_k = np.log(np.where(k > 0, k, 1))
    hats = np.stack([np.interp(log_k, knots, hat) for hat in np.eye(num_knots)]) * (k > 0)
    return np.concatenate([(k == 0)[None].astype(float), hats])


def _most_likely(grid: tuple[int, ...], num_knots: int, power: np.ndarray) -> np.ndarray:
    """log P at the knots for the mean power of fields, by Fisher scoring."""
    hats = _hats(grid, num_knots)
    weighted = (hats * multiplicity(grid)).reshape(len(hats), -1)
    hats, power = hats.reshape(len(hats), -1), np.maximum(power.ravel(), 1e-12 * power.mean())
    weight = np.maximum(weighted.sum(axis=1), 1e-6)
    log_power = np.log(np.maximum(weighted @ power, 1e-12) / weight)
    information = weighted @ hats.T + 1e-6 * np.diag(weight)
    for _ in range(20):
        log_power += np.clip(np.linalg.solve(information, weighted @ (power * np.exp(-log_power @ hats) - 1)), -1, 1)
    return log_power
