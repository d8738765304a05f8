"""Laplace's approximation: the modes of a target and their curvatures, by damped Newton steps."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import paramax
from jaxtyping import Array, Float

from .._chunk import check_start
from ..targets import AbstractTarget, Affine

SAME_MODE = 3.0
"""Distance in standard deviations within which two ends of a climb are one mode."""


class Modes(NamedTuple):
    """Normal laws around the modes that were found, the heaviest first, and the number of gradients spent, a column of
    a Hessian counting as two.
    """

    locations: Float[np.ndarray, "mode dim"]
    covariances: Float[np.ndarray, "mode dim dim"]
    weights: Float[np.ndarray, " mode"]
    cost: int

    def matched(self) -> Affine:
        """Coordinates with the mean and the covariance of all modes together."""
        mean = self.weights @ self.locations
        offsets = self.locations - mean
        between = (self.weights[:, None] * offsets).T @ offsets
        covariance = np.einsum("m,mij->ij", self.weights, self.covariances) + between
        return Affine(jnp.asarray(mean), jnp.asarray(np.linalg.cholesky(covariance)))


@eqx.filter_jit
def _expand(target: AbstractTarget, x: Float[Array, "start dim"]) -> tuple[Array, Array, Array]:
    """Energy, gradient and Hessian at every point."""
    target = paramax.unwrap(target)

    def energy(y):
        return -target.log_density(y)

    return jax.vmap(energy)(x), jax.vmap(jax.grad(energy))(x), jax.vmap(jax.hessian(energy))(x)


def find_modes(target: AbstractTarget, starts: Float[Array, "start dim"], *, max_steps: int = 100) -> Modes:
    """The modes of a target with their curvatures.

    Every start climbs by damped Newton steps in which curvatures count by their absolute value, so that saddles repel,
    and the same absolute curvatures make the covariances; where there are none, the coordinates are not scaled.

    Raises:
        StartError: The log-density is not finite at a start.

    References:
        Dauphin et al. 2014, arXiv:1406.2572, for the saddle-free Newton step.
    """
    x, damping = np.asarray(starts), np.ones(len(starts))
    energy, gradient, hessian = map(np.asarray, _expand(target, starts))
    check_start(target, starts, -energy)
    step = 0
    for step in range(max_steps):  # noqa: B007
        curvature, axes = np.linalg.eigh(np.nan_to_num(hessian))
        slope = np.einsum("nij,ni->nj", axes, np.nan_to_num(gradient))
        if np.all(np.abs(slope) < 1e-6 * np.sqrt(np.abs(curvature) + 1e-12)):
            break
        move = -np.einsum("nij,nj->ni", axes, slope / (np.abs(curvature) + damping[:, None]))
        trial = _expand(target, jnp.asarray(x + move, starts.dtype))
        better = np.asarray(trial[0]) <= energy
        x = np.where(better[:, None], x + move, x)
        energy, gradient, hessian = (
            np.where(better.reshape(-1, *[1] * (old.ndim - 1)), new, old)
            for new, old in zip(map(np.asarray, trial), (energy, gradient, hessian), strict=True)
        )
        damping = damping * np.where(better, 0.1, 10.0)
    return _distinct(x, energy, hessian, cost=(step + 2) * len(x) * (1 + 2 * target.dim))


def _distinct(x: np.ndarray, energy: np.ndarray, hessian: np.ndarray, *, cost: int) -> Modes:
    """Every mode once, with the share of the mass that its normal law would have."""
    curvature, axes = np.linalg.eigh(np.nan_to_num(hessian))
    curvature = np.maximum(np.abs(curvature), 1e-6 * np.max(np.abs(curvature), axis=1, keepdims=True))
    curvature = np.where(np.max(curvature, axis=1, keepdims=True) == 0, 1.0, curvature)
    covariances = np.einsum("nij,nj,nkj->nik", axes, 1 / curvature, axes)
    log_mass = -energy - 0.5 * np.sum(np.log(curvature), axis=1)
    kept: list[int] = []
    for i in np.argsort(-np.where(np.isnan(log_mass), -np.inf, log_mass)):
        offsets = [axes[j].T @ (x[i] - x[j]) for j in kept]
        distances = [np.sqrt(np.sum(curvature[j] * offset**2)) for j, offset in zip(kept, offsets, strict=True)]
        if not kept or min(distances) > SAME_MODE:
            kept.append(int(i))
    weights = np.exp(log_mass[kept] - log_mass[kept[0]])
    return Modes(x[kept], covariances[kept], weights / np.sum(weights), cost)


def laplace(target: AbstractTarget, starts: Float[Array, "start dim"]) -> tuple[Affine, int]:
    """The normal law with the place and the curvature of the heaviest mode; also the number of gradients spent.

    Raises:
        StartError: The log-density is not finite at a start.
    """
    modes = find_modes(target, starts)
    heaviest = Modes(modes.locations[:1], modes.covariances[:1], np.ones(1), modes.cost)
    affine = heaviest.matched()
    return Affine(affine.location.astype(starts.dtype), affine.cholesky.astype(starts.dtype)), modes.cost
