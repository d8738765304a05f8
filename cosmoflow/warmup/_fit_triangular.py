"""Triangular coordinates from draws: one penalised regression a coordinate, for its location and its scale."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._sinh_arcsinh import fit_sinh_arcsinh
from ._triangular import Triangular

RIDGE = 1e-3
SWEEPS = 5
LARGEST_SLOPE = 3.0
MAX_PRODUCTS_DIM = 12
"""Coordinates before a row up to which all their products are tried."""


def fit_triangular(x: Float[np.ndarray, "sample dim"], num_effective: float) -> Triangular:
    """The triangular map under which draws look most like N(0, I).

    Coordinates that bend or scale others come first. Every row is fitted with linear terms alone, with scales that
    depend on the coordinates before it, with squares, and with all products, and what is left of it with skewness and
    tails; the best of these by the Bayesian information criterion is taken, so that few draws make an affine map.

    Args:
        x: Draws of all chains.
        num_effective: How many independent draws they are worth.
    """
    count, dim = x.shape
    centre, scale = np.median(x, axis=0), np.std(x, axis=0) + np.finfo(float).tiny
    order = _order((x - centre) / scale)
    u = ((x - centre) / scale)[:, order]
    z = np.empty_like(u)
    location, log_scale = np.zeros(dim), np.zeros(dim)
    linear, slope, quadratic = np.zeros((dim, dim)), np.zeros((dim, dim)), np.zeros((dim, dim, dim))
    shift, skew, tail = np.zeros(dim), np.zeros(dim), np.ones(dim)
    for i in range(dim):
        fits = [(_Row(u[:, i], z[:, :i], pairs, scales, count / num_effective), pairs) for pairs, scales in _choices(i)]
        row, pairs = max(fits, key=lambda fit: fit[0].score)
        shape = fit_sinh_arcsinh(row.whitened, num_effective)
        z[:, i] = shape.inverse(row.whitened)
        location[i], log_scale[i] = row.mean[0], row.log_scale[0] + shape.log_scale
        shift[i], skew[i], tail[i] = shape.shift, shape.skew, np.exp(shape.log_tail)
        linear[i, :i] = row.mean[1 : i + 1]
        slope[i, : len(row.log_scale) - 1] = row.log_scale[1:]
        for (j, k), value in zip(pairs, row.mean[i + 1 :], strict=True):
            quadratic[i, j, k] = value
    factor = scale[order]
    arrays = {
        "order": order.astype(np.int32),
        "location": centre[order] + factor * location,
        "log_scale": np.log(factor) + log_scale,
        "linear": factor[:, None] * linear,
        "slope": slope,
        "quadratic": factor[:, None, None] * quadratic,
        "shift": shift,
        "skew": skew,
        "tail": tail,
    }
    fields: dict[str, Any] = {name: jnp.asarray(value) for name, value in arrays.items()}
    return Triangular(**fields)


def _choices(i: int) -> Iterator[tuple[list[tuple[int, int]], bool]]:
    """The forms of a row with i coordinates before it: which products locate it, and whether they scale it."""
    squares = [(j, j) for j in range(i)]
    products = [(j, k) for j in range(i) for k in range(j + 1)]
    for pairs in [[]] + [squares] * (i > 0) + [products] * (1 < i <= MAX_PRODUCTS_DIM):
        for scales in [False] + [True] * (i > 0):
            yield pairs, scales


def _order(u: Float[np.ndarray, "sample dim"]) -> np.ndarray:
    """Coordinates sorted by how much more they bend and scale the others than the others do them."""
    count = len(u)
    correlation = np.clip(u.T @ u / count, -1, 1)
    influence = np.zeros_like(correlation)
    for j in range(u.shape[1]):
        rest = u - correlation[j] * u[:, j : j + 1]
        bend = _correlations(u[:, j] ** 2, rest)
        fan = _correlations(u[:, j], np.log(rest**2 + 1e-12))
        influence[j] = bend**2 + fan**2
        influence[j, j] = 0
    return np.argsort(influence.sum(axis=0) - influence.sum(axis=1), kind="stable")


def _correlations(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Correlation coefficients of one variable with several."""
    one, many = one - np.mean(one), many - np.mean(many, axis=0)
    return one @ many / np.sqrt((one @ one) * np.sum(many**2, axis=0) + np.finfo(float).tiny)


class _Row:
    """y = M mean + e^(S log_scale) noise, by alternating weighted least squares and Fisher scoring."""

    def __init__(self, y, z, pairs, scales, draws_per_effective):
        ones = np.ones((len(y), 1))
        design = np.concatenate([ones, z] + [(z[:, j] * z[:, k])[:, None] for j, k in pairs], axis=1)
        scale_design = np.concatenate([ones, z], axis=1) if scales else ones
        self.log_scale = np.zeros(scale_design.shape[1])
        log_scale = np.zeros(len(y))
        for _ in range(SWEEPS if scales else 2):
            weights = np.exp(-2 * log_scale)
            weights /= np.mean(weights)
            gram = design.T @ (weights[:, None] * design) / len(y)
            self.mean = np.linalg.solve(gram + RIDGE * np.eye(len(gram)), design.T @ (weights * y) / len(y))
            residual = y - design @ self.mean
            log_scale = self._rescale(residual, scale_design)
        self.whitened = residual * np.exp(-log_scale)
        likelihood = -np.mean(log_scale) - 0.5 * np.mean(self.whitened**2)
        effective = len(y) / draws_per_effective
        num_terms = design.shape[1] + scale_design.shape[1]
        self.score = effective * likelihood - 0.5 * np.log(max(effective, 2.0)) * num_terms

    def _rescale(self, residual, design):
        """Log-scales of the residuals by Fisher scoring, from their constant."""
        floor = 1e-12 + np.mean(residual**2) * 1e-12
        if not np.any(self.log_scale):
            self.log_scale[0] = 0.5 * np.log(np.mean(residual**2) + floor)
        gram = design.T @ design / len(residual) + RIDGE * np.eye(design.shape[1])
        for _ in range(20):
            fitted = np.minimum(residual**2 * np.exp(-2 * (design @ self.log_scale)), 10.0)
            move = np.linalg.solve(2 * gram, design.T @ (fitted - 1) / len(residual))
            self.log_scale = self.log_scale + np.clip(move, -0.5, 0.5)
        self.log_scale[1:] = np.clip(self.log_scale[1:], -LARGEST_SLOPE, LARGEST_SLOPE)
        return design @ self.log_scale
