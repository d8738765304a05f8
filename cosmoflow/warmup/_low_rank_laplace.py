"""Laplace's approximation in many dimensions: curvatures along the axes and along the directions that stand out.

All it takes is the gradient, of which products with the Hessian are differences: what is compiled stays small, and a
curvature is that over a part of a standard deviation.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, Float

from .._chunk import check_start
from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._low_rank import LowRank

RANK = 64
NUM_PROBES = 16
CONJUGATE_GRADIENTS = 10
BULK = 0.1
"""Relative distance from one within which a curvature is left as it is."""

REACH = 0.1
"""Length of the differences of gradients, in standard deviations."""

Product = Callable[[Vector], Vector]


@eqx.filter_jit
def _value_and_gradient(target: AbstractTarget, x: Vector) -> tuple[Scalar, Vector]:
    """The energy and its gradient."""
    target = paramax.unwrap(target)
    return jax.value_and_grad(lambda y: -target.log_density(y))(x)


@eqx.filter_jit
def _difference(target: AbstractTarget, x: Vector, step: Vector) -> Vector:
    """The difference of the gradients on both sides of a point."""
    target = paramax.unwrap(target)
    gradient = jax.vmap(jax.grad(lambda y: -target.log_density(y)))
    ahead, behind = gradient(jnp.stack([x + step, x - step]))
    return ahead - behind


def _curvature(target: AbstractTarget, x: Vector, scale: Vector) -> Product:
    """The product of a vector with the Hessian at a point, in coordinates that are scaled."""

    def product(v: Vector) -> Vector:
        length = REACH / jnp.maximum(jnp.linalg.norm(v), jnp.finfo(v.dtype).tiny)
        return scale * _difference(target, x, length * scale * v) / (2 * length)

    return product


def _newton_step(product: Product, gradient: Vector, damping: float) -> Vector:
    """(H + damping)^-1 times minus the gradient, by conjugate gradients that stop where the curvature is negative."""
    move, residual = jnp.zeros_like(gradient), -gradient
    direction, square = residual, residual @ residual
    for _ in range(CONJUGATE_GRADIENTS):
        turned = product(direction) + damping * direction
        curvature = float(direction @ turned)
        if not curvature > 0:
            break
        length = square / curvature
        move, residual = move + length * direction, residual - length * turned
        square, before = residual @ residual, square
        direction = residual + square / before * direction
    return move if bool(jnp.any(move != 0)) else -gradient / (1 + damping)


def _axes(product: Product, like: Vector, key: Key) -> Vector:
    """The curvatures along the axes, by random signs."""
    probes = [jr.rademacher(k, like.shape, like.dtype) for k in jr.split(key, NUM_PROBES)]
    return sum((v * product(v) for v in probes), start=jnp.zeros_like(like)) / NUM_PROBES


def _lanczos(product: Product, like: Vector, key: Key, *, rank: int) -> tuple[Float[Array, "rank dim"], np.ndarray]:
    """The Hessian as a tridiagonal matrix on an orthonormal basis."""
    start = jr.normal(key, like.shape, like.dtype)
    basis = jnp.zeros((rank, like.size), like.dtype).at[0].set(start / jnp.linalg.norm(start))
    matrix = np.zeros((rank, rank))
    for k in range(rank):
        w = product(basis[k])
        matrix[k, k] = basis[k] @ w
        for _ in range(2):
            w = w - basis.T @ (basis @ w)
        norm = float(jnp.linalg.norm(w))
        if k + 1 < rank and norm > 1e-6:
            matrix[k, k + 1] = matrix[k + 1, k] = norm
            basis = basis.at[k + 1].set(w / norm)
    return basis, matrix


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
    energy, gradient = _value_and_gradient(target, x)
    check_start(target, start[None], -energy[None])
    plain = jnp.ones_like(x)
    for _ in range(max_steps):
        move = _newton_step(_curvature(target, x, plain), gradient, damping)
        value, slope = _value_and_gradient(target, x + move)
        cost += 1 + 2 * CONJUGATE_GRADIENTS
        better = bool(value <= energy)
        gain = float(gradient @ move) / (1 + abs(float(energy)))
        x, energy, gradient = (x + move, value, slope) if better else (x, energy, gradient)
        damping *= 0.1 if better else 10.0
        if better and abs(gain) < 1e-6:
            break
    key_axes, key_lanczos = jr.split(key)
    axes = _axes(_curvature(target, x, plain), x, key_axes)
    sound = jnp.isfinite(axes) & (axes > 0)
    scale = jnp.where(sound, 1 / jnp.sqrt(jnp.where(sound, axes, 1)), 1)
    rank = min(RANK, target.dim)
    basis, matrix = _lanczos(_curvature(target, x, scale), x, key_lanczos, rank=rank)
    curvature, rotation = np.linalg.eigh(matrix)
    positive = curvature > 1e-6 * np.max(np.abs(curvature))
    stretch = np.where(positive & (np.abs(curvature - 1) > BULK), 1 / np.sqrt(np.where(positive, curvature, 1)), 1)
    directions, stretch = basis.T @ jnp.asarray(rotation, x.dtype), jnp.asarray(stretch, x.dtype)
    return LowRank(x, scale, directions, stretch), cost + 2 * (NUM_PROBES + rank)


def identity(dim: int, dtype) -> LowRank:
    """The coordinates as they are."""
    rank = min(RANK, dim)
    return LowRank(jnp.zeros(dim, dtype), jnp.ones(dim, dtype), jnp.zeros((dim, rank), dtype), jnp.ones(rank, dtype))
