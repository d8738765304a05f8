"""Skewness and tails of one variable, by the sinh-arcsinh law."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

SWEEPS = 30
LONGEST = 0.3
LARGEST = np.array([3.0, 3.0, 2.0, 1.0])
"""What shift, log-scale, skewness and log-tail are bounded by."""


class SinhArcsinh(NamedTuple):
    """u = e^log_scale (shift + sinh(e^log_tail (arsinh z + skew))) with z ~ N(0, 1)."""

    shift: float
    log_scale: float
    skew: float
    log_tail: float

    def inverse(self, u: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
        """The normal variable of each sample."""
        return np.sinh(self._angle(u))

    def _angle(self, u):
        return np.arcsinh(u * np.exp(-self.log_scale) - self.shift) * np.exp(-self.log_tail) - self.skew

    def log_likelihood(self, u: Float[np.ndarray, " sample"]) -> float:
        """The mean log-density of the samples, up to the constant of the normal law."""
        v, angle = u * np.exp(-self.log_scale) - self.shift, self._angle(u)
        logs = np.log(np.cosh(angle)) - 0.5 * np.log1p(v**2)
        return float(np.mean(logs - 0.5 * np.sinh(angle) ** 2)) - self.log_tail - self.log_scale

    def scores(self, u: Float[np.ndarray, " sample"]) -> Float[np.ndarray, "sample 4"]:
        """The derivatives of every sample's log-density by the four parameters."""
        v, angle = u * np.exp(-self.log_scale) - self.shift, self._angle(u)
        by_angle = np.tanh(angle) - np.sinh(angle) * np.cosh(angle)
        by_v = by_angle * np.exp(-self.log_tail) / np.sqrt(1 + v**2) - v / (1 + v**2)
        by_tail = -by_angle * (angle + self.skew) - 1
        return np.stack([-by_v, -by_v * (v + self.shift) - 1, -by_angle, by_tail], axis=1)


def fit_sinh_arcsinh(u: Float[np.ndarray, " sample"], num_effective: float) -> SinhArcsinh:
    """The law of greatest likelihood, or the normal one where the Bayesian information criterion prefers it.

    Args:
        u: Samples of about zero mean and unit variance.
        num_effective: How many independent ones they are worth.

    References:
        Jones & Pewsey 2009, Biometrika 96, 761; Berndt et al. 1974 for the ascent by outer products of scores.
    """
    normal = SinhArcsinh(0.0, 0.0, 0.0, 0.0)
    best, value = normal, normal.log_likelihood(u)
    plain, length = value, 1.0
    for _ in range(SWEEPS):
        scores = best.scores(u)
        gram = scores.T @ scores / len(u) + 1e-6 * np.eye(4)
        move = np.linalg.solve(gram, np.mean(scores, axis=0))
        move *= length / max(1.0, np.max(np.abs(move)) / LONGEST)
        trial = SinhArcsinh(*np.clip(np.asarray(best) + move, -LARGEST, LARGEST).tolist())
        found = trial.log_likelihood(u)
        if found > value:
            best, value, length = trial, found, min(1.0, 2 * length)
        else:
            length /= 4
    gain = num_effective * (value - plain)
    return best if gain > 0.5 * 4 * np.log(max(num_effective, 2.0)) else normal
