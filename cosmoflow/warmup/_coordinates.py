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

from .._types import Key, Scalar
from ..samplers import draw_defensive, log_defensive
from ..targets import AbstractTarget, Affine, log_standard_normal
from . import _low_rank_laplace
from ._fit_triangular import fit_triangular
from ._laplace import find_modes
from ._low_rank_laplace import low_rank_laplace
from ._triangular import Triangular

MAX_TRIANGULAR_DIM = 32
MAX_DENSE_DIM = 1024
MAX_CLIMBS = 16
"""Starts that climb to a mode; fewer where the budget does not pay for this many Newton steps of each."""

STEPS_EACH = 20

MAX_SAMPLED_DIM = 12
"""Dimension up to which coordinates can be learned from an importance sample."""

SOME = 20
"""Effective size of an importance sample below which it says nothing but how much of the evidence it found."""


def num_assessed(dim: int, limit: int) -> int:
    """The log-densities by which coordinates are judged, within a budget of gradients."""
    if dim > MAX_DENSE_DIM:
        return 16
    return min(2048 if dim <= MAX_SAMPLED_DIM else 512, max(64, limit // 8))


def num_learned_from(dim: int, limit: int) -> int:
    """The log-densities from which coordinates are learned, so many that thin tails are among them."""
    return min(8192, limit // 4) if dim <= MAX_SAMPLED_DIM else num_assessed(dim, limit)


class Fit(NamedTuple):
    """How well N(0, I) covers a target in its coordinates, and an importance sample.

    Attributes:
        log_evidence: Of the target.
        ess_fraction: Effective share of draws from N(0, I) alone.
        num_effective: Effective size of the whole sample.
        positions: Distinct starting points.
        sample: Resampled draws.
    """

    log_evidence: Scalar
    ess_fraction: Scalar
    num_effective: Scalar
    positions: Float[Array, "chain dim"]
    sample: Float[Array, "sample dim"]

    def covers_more_than(self, other: "Fit") -> bool:
        """Whether it has more effective draws, or where neither has any, finds more of the evidence."""
        if not jnp.isfinite(other.log_evidence):
            return True
        if max(self.num_effective, other.num_effective) > SOME:
            return bool(self.num_effective > other.num_effective)
        return bool(self.log_evidence > other.log_evidence)


def _effective(log_weights: Float[Array, " sample"]) -> Scalar:
    return jnp.nan_to_num(jnp.exp(2 * logsumexp(log_weights) - logsumexp(2 * log_weights)))


@eqx.filter_jit
def assess(target: AbstractTarget, *, size: int, num_chains: int, key: Key) -> Fit:
    """Importance-sample a target from N(0, I) and, for every second draw, from a wide law of heavy tails.

    Args:
        target: In the coordinates that are judged.
        size: Number of draws.
        num_chains: Number of starting points.
        key: Random key.

    References:
        Hesterberg 1995, Technometrics 37, 185 (defensive mixtures); Ionides 2008, Journal of Computational and
        Graphical Statistics 17, 295 (truncated weights).
    """
    target = paramax.unwrap(target)
    key_draw, key_choose, key_resample = jr.split(key, 3)
    wide = jnp.arange(size) % 2 == 1
    like = jnp.zeros(target.dim)
    z = jax.vmap(lambda w, k: draw_defensive(w, like, key=k))(wide, jr.split(key_draw, size))
    log_proposal = jax.vmap(lambda z: log_defensive(z, 0.5))(z)
    log_density = jax.lax.map(target.log_density, z, batch_size=64)
    log_density = jnp.where(jnp.isfinite(log_density), log_density, -jnp.inf)
    log_weights = log_density - log_proposal
    log_evidence = logsumexp(log_weights) - jnp.log(1.0 * size)
    log_weights = jnp.minimum(log_weights, log_evidence + 0.5 * jnp.log(1.0 * size))
    narrow = jnp.where(wide, -jnp.inf, log_density - jax.vmap(log_standard_normal)(z))
    races = log_weights + jr.gumbel(key_choose, log_weights.shape, z.dtype)
    chosen = jnp.argsort(-races)[jnp.arange(num_chains) % size]
    positions = z[jnp.where(jnp.isfinite(log_weights[chosen]), chosen, jnp.argmax(log_weights))]
    shares = jnp.cumsum(jnp.exp(log_weights - logsumexp(log_weights)))
    points = (jnp.arange(size, dtype=z.dtype) + jr.uniform(key_resample, (), z.dtype)) / size
    sample = z[jnp.minimum(jnp.searchsorted(shares, points), size - 1)]
    return Fit(
        log_evidence,
        _effective(narrow) / (size - size // 2),
        _effective(log_weights),
        positions,
        sample,
    )


def identity(dim: int) -> AbstractBijection:
    """The coordinates as they are, in the form that the dimension calls for."""
    dtype = jnp.result_type(float)
    if dim <= MAX_TRIANGULAR_DIM:
        return Triangular.affine(jnp.zeros(dim), jnp.eye(dim))
    return Affine.identity(dim, dtype) if dim <= MAX_DENSE_DIM else _low_rank_laplace.identity(dim, dtype)


def from_curvature(
    target: AbstractTarget, starts: Float[Array, "chain dim"], key: Key, max_gradients: int
) -> tuple[AbstractBijection, int]:
    """Coordinates from the modes of a target and their curvatures, and the number of gradients spent."""
    if target.dim > MAX_DENSE_DIM:
        return low_rank_laplace(target, starts[0], key=key)
    per_step = 1 + 2 * target.dim
    starts = starts[: max(1, min(MAX_CLIMBS, max_gradients // (STEPS_EACH * per_step)))]
    modes = find_modes(target, starts, max_steps=max(1, max_gradients // (starts.shape[0] * per_step)))
    affine = modes.matched()
    if target.dim > MAX_TRIANGULAR_DIM:
        return affine, modes.cost
    return Triangular.affine(affine.location, affine.cholesky), modes.cost


def refinable(dim: int) -> bool:
    """Whether draws refine the coordinates of a dimension."""
    return dim <= MAX_DENSE_DIM


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
