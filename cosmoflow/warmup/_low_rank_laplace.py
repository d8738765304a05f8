"""Laplace's approximation in many dimensions: curvatures along the axes and along the directions that stand out."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array

from .._chunk import check_start
from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._low_rank import LowRank

RANK = 64
NUM_PROBES = 16
CONJUGATE_GRADIENTS = 10
BULK = 0.1
"""Relative distance from one within which a curvature is left as it is."""


def _curvature(target: AbstractTarget, x: Vector):
    """The product of a vector with the Hessian of the energy at a point."""
    gradient = jax.grad(lambda y: -target.log_density(y))
    return lambda v: jax.jvp(gradient, (x,), (v,))[1]


@eqx.filter_jit
def _newton_step(target: AbstractTarget, x: Vector, damping: Scalar) -> tuple[Vector, Scalar, Scalar]:
    """Where a damped Newton step by conjugate gradients leads, the energy there, and the gain that it promises."""
    target = paramax.unwrap(target)
    energy, gradient = jax.value_and_grad(lambda y: -target.log_density(y))(x)
    product = _curvature(target, x)
    move, _ = cg(lambda v: product(v) + damping * v, -gradient, maxiter=CONJUGATE_GRADIENTS)
    end = x + move
    return end, -target.log_density(end), -(gradient @ move) / (1 + jnp.abs(energy))


@eqx.filter_jit
def _axes(target: AbstractTarget, x: Vector, key: Key) -> Vector:
    """The curvatures along the axes, by random signs."""
    product = _curvature(paramax.unwrap(target), x)

    def probe(k):
        v = jr.rademacher(k, x.shape, x.dtype)
        return v * product(v)

    return jnp.mean(jax.lax.map(probe, jr.split(key, NUM_PROBES)), axis=0)


@eqx.filter_jit
def _lanczos(target: AbstractTarget, x: Vector, scale: Vector, key: Key, *, rank: int) -> tuple[Array, Array, Array]:
    """The Hessian in scaled coordinates as a tridiagonal matrix on an orthonormal basis."""
    product = _curvature(paramax.unwrap(target), x)
    start = jr.normal(key, x.shape, x.dtype)
    basis = jnp.zeros((rank, x.size), x.dtype).at[0].set(start / jnp.linalg.norm(start))
    empty = jnp.zeros(rank, x.dtype)

    def body(k, carry):
        basis, diagonal, beside = carry
        v = basis[k]
        w = scale * product(scale * v)
        diagonal = diagonal.at[k].set(v @ w)
        for _ in range(2):
            w = w - basis.T @ (basis @ w)
        norm = jnp.linalg.norm(w)
        new = jnp.where(norm > 1e-6, 1 / jnp.maximum(norm, 1e-6), 0) * w
        basis = basis.at[k + 1].set(new, mode="drop")
        return basis, diagonal, beside.at[k].set(jnp.where(norm > 1e-6, norm, 0))

    return jax.lax.fori_loop(0, rank, body, (basis, empty, empty))


def low_rank_laplace(target: AbstractTarget, start: Vector, *, key: Key, max_steps: int = 30) -> tuple[LowRank, int]:
    """The normal law around a mode, as scales of the axes and of the directions that the Lanczos method finds.

    Args:
        target: Unnormalised density.
        start: Where the climb begins, shape (dim,).
        key: Random key of the probes.
        max_steps: Newton steps at most.

    Returns:
        The coordinates, and the number of gradients spent, a product with the Hessian counting as two.

    Raises:
        StartError: The log-density is not finite at the start.

    References:
        Bekas, Kokiopoulou & Saad 2007 (diagonals by random signs); Lanczos 1950.
    """
    x, damping, cost = start, 1.0, 1
    energy = -eqx.filter_jit(lambda t, y: paramax.unwrap(t).log_density(y))(target, x)
    check_start(target, start[None], -energy[None])
    for _ in range(max_steps):
        end, value, gain = _newton_step(target, x, jnp.asarray(damping, x.dtype))
        cost += 2 + 2 * CONJUGATE_GRADIENTS
        better = bool(value <= energy)
        x, energy, damping = (end, value, 0.1 * damping) if better else (x, energy, 10 * damping)
        if better and abs(float(gain)) < 1e-6:
            break
    key_axes, key_lanczos = jr.split(key)
    axes = _axes(target, x, key_axes)
    sound = jnp.isfinite(axes) & (axes > 0)
    scale = jnp.where(sound, 1 / jnp.sqrt(jnp.where(sound, axes, 1)), 1)
    rank = min(RANK, target.dim)
    basis, diagonal, beside = map(np.asarray, _lanczos(target, x, scale, key_lanczos, rank=rank))
    curvature, rotation = np.linalg.eigh(np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1))
    positive = curvature > 1e-6 * np.max(np.abs(curvature))
    stretch = np.where(positive & (np.abs(curvature - 1) > BULK), 1 / np.sqrt(np.where(positive, curvature, 1)), 1)
    directions, stretch = jnp.asarray(basis.T @ rotation, x.dtype), jnp.asarray(stretch, x.dtype)
    return LowRank(x, scale, directions, stretch), cost + 2 * (NUM_PROBES + rank)


def identity(dim: int, dtype) -> LowRank:
    """The coordinates as they are."""
    rank = min(RANK, dim)
    return LowRank(jnp.zeros(dim, dtype), jnp.ones(dim, dtype), jnp.zeros((dim, rank), dtype), jnp.ones(rank, dtype))
