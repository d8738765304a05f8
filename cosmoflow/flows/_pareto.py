"""Pareto smoothing of importance weights, and the shape of their tail."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._types import Scalar

_MIN_TAIL = 5


def pareto_smooth(log_weights: Float[Array, " sample"]) -> tuple[Float[Array, " sample"], Scalar]:
    """Replace the largest weights by quantiles of the generalised Pareto law that fits them, at most the largest.

    The tail is the ceil(min(S / 5, 3 sqrt(S))) largest of S weights, without those equal to the largest below it.

    Args:
        log_weights: Logarithms of independent weights, unnormalised; -inf stands for a weight of zero.

    Returns:
        The smoothed logarithms, on the same scale, and the shape k of the tail. k is inf where fewer than five weights
        are in the tail or no law fits, and -inf where the largest weights are all the same, as those of a perfect
        proposal; then nothing is smoothed.

    References:
        Vehtari, Simpson, Gelman, Yao & Gabry 2024, arXiv:1507.02646.
    """
    num_tail = math.ceil(min(log_weights.size / 5, 3 * math.sqrt(log_weights.size)))
    if num_tail < _MIN_TAIL:
        return log_weights, jnp.full((), jnp.inf, log_weights.dtype)
    largest = jnp.max(log_weights)
    largest = jnp.where(jnp.isfinite(largest), largest, 0)
    order = jnp.argsort(log_weights)
    where = order[-num_tail:]
    tail = log_weights[where]
    cutoff = jnp.exp(log_weights[order[-num_tail - 1]] - largest)
    excess = jnp.exp(tail - largest) - cutoff
    count = jnp.sum(excess > 0)
    k, scale = _fit_pareto(excess, count)
    fits = jnp.isfinite(k) & (count >= _MIN_TAIL)

    size = count.astype(excess.dtype)
    rank = jnp.arange(num_tail) - (num_tail - count)
    probability = (rank.astype(excess.dtype) + 0.5) / size
    quantile = cutoff + scale * jnp.expm1(-k * jnp.log1p(-probability)) / k
    smoothed = jnp.where(fits & (rank >= 0), largest + jnp.minimum(jnp.log(quantile), 0), tail)
    flat = (count == 0) & (cutoff == 1)
    k = jnp.where(fits, k, jnp.where(flat, -jnp.inf, jnp.inf))
    return log_weights.at[where].set(smoothed), k


def _fit_pareto(excess: Float[Array, " tail"], count: Int[Array, ""]) -> tuple[Scalar, Scalar]:
    """Shape k and scale of the generalised Pareto law, by the posterior mean of b = -k / scale; k is drawn towards 1/2.

    Args:
        excess: Ascending; only the last `count` numbers, which are positive, are fitted.
        count: At least one, or the outcome is not finite.

    References:
        Zhang & Stephens 2009, Technometrics 51, 316; the prior of ten observations of k = 1/2 is that of Vehtari et al.
    """
    num_tail = excess.size
    fitted = excess > 0
    size = count.astype(excess.dtype)

    def mean_log(b: Scalar) -> Scalar:
        return jnp.sum(jnp.where(fitted, jnp.log1p(-b * excess), 0)) / size

    num_points = 30 + jnp.floor(jnp.sqrt(size))
    point = jnp.arange(1, 31 + math.isqrt(num_tail)).astype(excess.dtype)
    quartile = excess[num_tail - count + jnp.floor(size / 4 + 0.5).astype(count.dtype) - 1]
    b = (1 - jnp.sqrt(num_points / (point - 0.5))) / (3 * quartile) + 1 / excess[-1]
    used = point <= num_points
    b = jnp.where(used, b, b[0])
    k = jax.vmap(mean_log)(b)
    log_likelihood = jnp.where(used, size * (jnp.log(-b / k) - k - 1), -jnp.inf)
    b_mean = jnp.sum(b * jax.nn.softmax(log_likelihood))
    k_mean = mean_log(b_mean)
    return (size * k_mean + 5) / (size + 10), -k_mean / b_mean
