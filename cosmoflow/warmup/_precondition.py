"""Whitening: the affine coordinates in which a target looks most like N(0, I)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from .._chunk import check_start
from .._progress import stage
from .._types import Key, Scalar
from ..chains import ChainStore, digest
from ..targets import AbstractTarget, Pullback
from ._affine import Affine

STAGE = "whitening"
MAX_DENSE_DIM = 512
ASSESS_SAMPLES = 256


class Fit(NamedTuple):
    """How well N(location, cholesky cholesky^T) covers a target: an importance sample from it."""

    log_evidence: Scalar
    ess_fraction: Scalar
    positions: Float[Array, "chain dim"]


@eqx.filter_jit
def assess(target: AbstractTarget, affine: Affine, *, num_chains: int, key: Key) -> Fit:
    """Importance-sample the target from the normal law of the coordinates, and resample starting points."""
    target = paramax.unwrap(target)
    key_draw, key_choose = jr.split(key)
    dtype = affine.location.dtype
    z = jr.normal(key_draw, (ASSESS_SAMPLES, target.dim), dtype)
    x = affine.location + z @ affine.cholesky.T
    log_normal = -0.5 * jnp.sum(z**2, axis=1) - 0.5 * target.dim * jnp.log(2 * jnp.pi) - affine.log_det
    log_weights = jax.vmap(target.log_density)(x) - log_normal
    log_weights = jnp.where(jnp.isfinite(log_weights), log_weights, -jnp.inf)
    log_sum = logsumexp(log_weights)
    log_n = jnp.log(jnp.asarray(ASSESS_SAMPLES, dtype))
    ess_fraction = jnp.exp(2 * log_sum - logsumexp(2 * log_weights) - log_n)
    chosen = jr.categorical(key_choose, log_weights, shape=(num_chains,))
    return Fit(log_sum - log_n, ess_fraction, x[chosen])


@eqx.filter_jit
def _expand(target: AbstractTarget, x: Float[Array, "start dim"]) -> tuple[Array, Array, Array]:
    """Energy, gradient and Hessian at every point."""
    target = paramax.unwrap(target)

    def energy(y):
        return -target.log_density(y)

    return jax.vmap(energy)(x), jax.vmap(jax.grad(energy))(x), jax.vmap(jax.hessian(energy))(x)


def laplace(target: AbstractTarget, starts: Float[Array, "start dim"], *, max_steps: int = 100) -> tuple[Affine, int]:
    """The normal law with the mode and curvature of the target; also the number of gradients spent.

    Every start climbs by damped Newton steps in which curvatures count by their absolute value, so that saddles repel;
    the highest end is taken for the mode, and the same absolute curvatures make the covariance; where there are none,
    the coordinates are not scaled.

    Raises:
        StartError: The log-density is not finite at a start.

    References:
        Dauphin et al. 2014, arXiv:1406.2572, for the saddle-free Newton step.
    """
    x, damping = np.asarray(starts), np.ones(len(starts))
    energy, gradient, hessian = map(np.asarray, _expand(target, starts))
    check_start(target, starts, -energy)
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
    best = np.nanargmin(energy)
    curvature, axes = np.linalg.eigh(np.nan_to_num(hessian[best]))
    curvature = np.maximum(np.abs(curvature), 1e-6 * np.max(np.abs(curvature)))
    flat = np.max(curvature) == 0
    cholesky = np.eye(target.dim) if flat else np.linalg.cholesky((axes / curvature) @ axes.T)
    cost = (step + 2) * len(x) * (1 + target.dim)
    return Affine(jnp.asarray(x[best], starts.dtype), jnp.asarray(cholesky, starts.dtype)), cost


def pooled(affine: Affine, z: Float[Array, "sample dim"]) -> Affine:
    """Coordinates refined by draws made in them, with the covariance shrunk towards the identity."""
    count, dim = z.shape
    mean = jnp.mean(z, axis=0)
    weight = count / (count + 5.0 * dim)
    covariance = weight * (z - mean).T @ (z - mean) / count + (1 - weight) * jnp.eye(dim, dtype=z.dtype)
    return Affine(affine.location + affine.cholesky @ mean, affine.cholesky @ jnp.linalg.cholesky(covariance))


def whiten(target: AbstractTarget, *, key: Key, num_starts: int = 8, store: ChainStore | None = None) -> Pullback:
    """A target in the coordinates of its Laplace fit, where a flow is easily trained.

    Args:
        target: Unnormalised density.
        key: Random key of the standard normal points from which the mode is sought.
        num_starts: How many.
        store: Where the coordinates are committed; what it already holds is not computed again.

    Raises:
        StartError: The log-density is not finite at a starting point.
    """
    if store is not None:
        store.identify({STAGE: digest((target, key, num_starts))})
        saved = store.load_stage(STAGE)
        if saved is not None:
            arrays, _ = saved
            return Pullback(target, Affine(jnp.asarray(arrays["location"]), jnp.asarray(arrays["cholesky"])))
    with stage(STAGE, visible=False, run=None if store is None else store.path):
        affine, num_gradients = laplace(target, jr.normal(key, (num_starts, target.dim)))
    if store is not None:
        arrays = {"location": np.asarray(affine.location), "cholesky": np.asarray(affine.cholesky)}
        store.save_stage(STAGE, arrays, {"kind": "affine", "dim": target.dim, "num_gradients": num_gradients})
    return Pullback(target, affine)
