"""The coordinates in which a target looks most like N(0, I), chosen by its dimension."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from flowjax.bijections import AbstractBijection
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from .._chunk import check_start, log_densities
from .._types import Key, Scalar
from ..targets import AbstractTarget
from . import _low_rank_laplace
from ._affine import Affine
from ._fit_triangular import fit_triangular
from ._laplace import find_modes
from ._low_rank_laplace import low_rank_laplace
from ._triangular import Triangular

MAX_TRIANGULAR_DIM = 32
MAX_DENSE_DIM = 1024
MAX_CLIMBS_DIM = 64
"""Dimension above which one chain's start alone climbs to a mode."""

ASSESS_SAMPLES = 256


class Fit(NamedTuple):
    """How well N(0, I) covers a target in its coordinates: an importance sample from it."""

    log_evidence: Scalar
    ess_fraction: Scalar
    positions: Float[Array, "chain dim"]


@eqx.filter_jit
def assess(target: AbstractTarget, *, num_chains: int, key: Key) -> Fit:
    """Importance-sample a target from N(0, I), and resample distinct starting points."""
    target = paramax.unwrap(target)
    key_draw, key_choose = jr.split(key)
    z = jr.normal(key_draw, (ASSESS_SAMPLES, target.dim))
    log_normal = -0.5 * jnp.sum(z**2, axis=1) - 0.5 * target.dim * jnp.log(2 * jnp.pi)
    log_weights = jax.lax.map(target.log_density, z, batch_size=32) - log_normal
    log_weights = jnp.where(jnp.isfinite(log_weights), log_weights, -jnp.inf)
    log_sum = logsumexp(log_weights)
    log_n = jnp.log(jnp.asarray(ASSESS_SAMPLES, z.dtype))
    ess_fraction = jnp.nan_to_num(jnp.exp(2 * log_sum - logsumexp(2 * log_weights) - log_n))
    races = log_weights + jr.gumbel(key_choose, log_weights.shape, z.dtype)
    chosen = jnp.argsort(-races)[jnp.arange(num_chains) % ASSESS_SAMPLES]
    finite = jnp.isfinite(log_weights[chosen])
    positions = z[jnp.where(finite, chosen, jnp.argmax(log_weights))]
    return Fit(log_sum - log_n, ess_fraction, positions)


def identity(dim: int) -> AbstractBijection:
    """The coordinates as they are, in the form that the dimension calls for."""
    dtype = jnp.result_type(float)
    if dim <= MAX_TRIANGULAR_DIM:
        return Triangular.affine(jnp.zeros(dim), jnp.eye(dim))
    return Affine.identity(dim, dtype) if dim <= MAX_DENSE_DIM else _low_rank_laplace.identity(dim, dtype)


def from_curvature(
    target: AbstractTarget, starts: Float[Array, "chain dim"], key: Key
) -> tuple[AbstractBijection, int]:
    """Coordinates from the modes of a target and their curvatures, and the number of gradients spent."""
    check_start(target, starts, log_densities(target, starts))
    if target.dim > MAX_DENSE_DIM:
        return low_rank_laplace(target, starts[0], key=key)
    modes = find_modes(target, starts if target.dim <= MAX_CLIMBS_DIM else starts[:1])
    affine = modes.matched()
    if target.dim > MAX_TRIANGULAR_DIM:
        return affine, modes.cost
    return Triangular.affine(affine.location, affine.cholesky), modes.cost


def from_draws(
    coordinates: AbstractBijection, draws: Float[np.ndarray, "chain draw dim"], num_effective: float
) -> AbstractBijection:
    """Coordinates refined by draws made in them.

    Args:
        coordinates: The ones so far.
        draws: In these coordinates.
        num_effective: How many independent draws they are worth.
    """
    z = jnp.asarray(draws.reshape(-1, draws.shape[-1]))
    match coordinates:
        case Triangular():
            return fit_triangular(np.asarray(jax.vmap(coordinates.transform)(z)), num_effective)
        case Affine():
            return _pooled(coordinates, z, num_effective)
        case _:
            return coordinates


def _pooled(affine: Affine, z: Float[Array, "sample dim"], num_effective: float) -> Affine:
    """Mean and covariance of the draws, the covariance shrunk towards the one so far."""
    dim = affine.location.size
    mean = jnp.mean(z, axis=0)
    weight = num_effective / (num_effective + dim)
    covariance = weight * (z - mean).T @ (z - mean) / len(z) + (1 - weight) * jnp.eye(dim, dtype=z.dtype)
    return Affine(affine.location + affine.cholesky @ mean, affine.cholesky @ jnp.linalg.cholesky(covariance))
