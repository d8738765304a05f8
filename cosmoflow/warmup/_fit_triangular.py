"""Triangular coordinates from draws: one penalised regression a coordinate, for its location and its scale."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ._sinh_arcsinh import fit_sinh_arcsinh
from ._triangular import Triangular

RIDGE = 1e-3
SWEEPS = 6
PRUNING = (2, 3)
"""Sweeps after which terms are dropped."""

LARGEST_SQUARE = 10.0
"""What a squared whitened residual counts at most, so that outliers do not set the scales."""

LARGEST_SLOPE = 3.0
MAX_PRODUCTS_DIM = 12
"""Coordinates before a row up to which all their products are tried."""


def fit_triangular(x: Float[np.ndarray, "sample dim"], num_effective: float) -> Triangular:
    """The triangular map under which draws look most like N(0, I).

    Coordinates that bend or scale others come first. Every row is fitted with linear terms alone, with squares, and
    with all products, its scale by those before it, and what is left of it with skewness and tails. The Bayesian
    information criterion decides, so that few draws make an affine map.

    Args:
        x: Draws of all chains.
        num_effective: How many independent draws they are worth.
    """
    dim = x.shape[1]
    centre, scale = np.median(x, axis=0), np.std(x, axis=0) + np.finfo(float).tiny
    order = _order((x - centre) / scale)
    u = ((x - centre) / scale)[:, order]
    z = np.empty_like(u)
    location, log_scale = np.zeros(dim), np.zeros(dim)
    linear, slope, quadratic = np.zeros((dim, dim)), np.zeros((dim, dim)), np.zeros((dim, dim, dim))
    shift, skew, tail = np.zeros(dim), np.zeros(dim), np.ones(dim)
    for i in range(dim):
        row = _best_row(u[:, i], z[:, :i], num_effective)
        shape = fit_sinh_arcsinh(row.whitened, num_effective)
        z[:, i] = shape.inverse(row.whitened)
        location[i], log_scale[i] = row.mean[0], row.log_scale[0] + shape.log_scale
        shift[i], skew[i], tail[i] = shape.shift, shape.skew, np.exp(shape.log_tail)
        linear[i, :i], slope[i, :i] = row.mean[1 : i + 1], row.log_scale[1:]
        for (j, k), value in zip(row.pairs, row.mean[i + 1 :], strict=True):
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


def _best_row(y: Float[np.ndarray, " sample"], z: Float[np.ndarray, "sample before"], num_effective: float) -> "_Row":
    """The fit of one coordinate by those before it: with linear terms, with squares, with all products."""
    before = z.shape[1]
    squares = [(j, j) for j in range(before)]
    products = [(j, k) for j in range(before) for k in range(j + 1)]
    choices = [[]] + [squares] * (before > 0) + [products] * (1 < before <= MAX_PRODUCTS_DIM)
    return max((_Row(y, z, pairs, num_effective) for pairs in choices), key=lambda row: row.score)


class _Row:
    """y = M mean + e^(S log_scale) noise, by alternating weighted least squares and Fisher scoring.

    Terms that the Bayesian information criterion would not keep one by one are set to zero: where scales vary over
    orders of magnitude, a spurious one would be large beside the smallest of them.
    """

    def __init__(self, y, z, pairs, num_effective):
        ones = np.ones((len(y), 1))
        design = np.concatenate([ones, z] + [(z[:, j] * z[:, k])[:, None] for j, k in pairs], axis=1)
        scale_design = np.concatenate([ones, z], axis=1)
        self.pairs = pairs
        self.mean, self.log_scale = np.zeros(design.shape[1]), np.zeros(scale_design.shape[1])
        kept, scale_kept = np.full(len(self.mean), True), np.full(len(self.log_scale), True)
        per_term, thinning = np.log(max(num_effective, 2.0)), len(y) / num_effective
        for sweep in range(SWEEPS):
            weights = np.exp(-2 * (scale_design @ self.log_scale))
            self._locate(y, design, weights, kept)
            residual = y - design @ self.mean
            self._rescale(residual, scale_design, scale_kept)
            if sweep in PRUNING:
                weights = np.exp(-2 * (scale_design @ self.log_scale))
                kept &= self._strength(self.mean, design, weights, kept) > per_term * thinning
                scale_kept &= (
                    self._strength(self.log_scale, scale_design, 2 * ones[:, 0], scale_kept) > per_term * thinning
                )
                kept[0] = scale_kept[0] = True
                self.mean, self.log_scale = self.mean * kept, self.log_scale * scale_kept
        log_scale = scale_design @ self.log_scale
        self.whitened = (y - design @ self.mean) * np.exp(-log_scale)
        likelihood = -np.mean(log_scale) - 0.5 * np.mean(self.whitened**2)
        self.score = num_effective * likelihood - 0.5 * per_term * (np.sum(kept) + np.sum(scale_kept))

    def _locate(self, y, design, weights, kept):
        """Weighted least squares over the terms that are kept."""
        used = design[:, kept]
        gram = used.T @ (weights[:, None] * used)
        gram += RIDGE * np.mean(weights) * len(y) * np.eye(len(gram))
        self.mean[kept] = np.linalg.solve(gram, used.T @ (weights * y))

    def _rescale(self, residual, design, kept):
        """Log-scales of the residuals by Fisher scoring."""
        used, log_scale = design[:, kept], self.log_scale[kept]
        if not np.any(log_scale):
            log_scale[0] = 0.5 * np.log(np.mean(residual**2) + np.finfo(float).tiny)
        gram = used.T @ used / len(residual) + RIDGE * np.eye(used.shape[1])
        for _ in range(20):
            fitted = np.minimum(residual**2 * np.exp(-2 * (used @ log_scale)), LARGEST_SQUARE)
            move = np.linalg.solve(2 * gram, used.T @ (fitted - 1) / len(residual))
            log_scale = log_scale + np.clip(move, -0.5, 0.5)
            if np.max(np.abs(move)) < 1e-6:
                break
        log_scale[1:] = np.clip(log_scale[1:], -LARGEST_SLOPE, LARGEST_SLOPE)
        self.log_scale[kept] = log_scale

    @staticmethod
    def _strength(values, design, weights, kept):
        """The squared t-values of the terms, if all samples were independent."""
        used = design[:, kept]
        gram = used.T @ (weights[:, None] * used)
        gram += 1e-9 * np.trace(gram) / len(gram) * np.eye(len(gram))
        strength = np.zeros(len(values))
        strength[kept] = values[kept] ** 2 / np.diag(np.linalg.inv(gram))
        return strength
