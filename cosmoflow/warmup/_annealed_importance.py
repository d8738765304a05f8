"""The normal law nearest to a cheap density of few dimensions, by importance sampling from prior to posterior."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, Float

from .._types import Key
from ..targets import AbstractTarget

NUM_DRAWS = 256
LEAST_FRACTION = 0.3
"""Effective share of the draws that a step towards the target leaves."""

INFLATION = 1.2
"""Of the standard deviations from which the next draws come."""

MAX_ROUNDS = 40


@eqx.filter_jit
def _log_densities(target: AbstractTarget, x: Float[Array, "draw dim"]) -> Float[Array, " draw"]:
    return jax.vmap(paramax.unwrap(target).log_density)(x)


def annealed_importance(
    target: AbstractTarget, *, num_draws: int, key: Key
) -> tuple[Float[np.ndarray, "draw dim"], float]:
    """Draws of a density on standard-normal coordinates, resampled, and how many of them are effective.

    Normal laws are carried from N(0, I) to the target L N by powers of L: each power is as large as leaves enough of
    the draws effective, and the next normal law has the mean and the covariance of the weighted draws, somewhat
    widened. Densities that are not finite have no weight.

    Args:
        target: N(0, I) times a likelihood, of few dimensions.
        num_draws: To return.
        key: Random key.

    References:
        Neal 2001, Statistics and Computing 11, 125; Cappé, Guillin, Marin & Robert 2004, J. Comp. Graph. Stat. 13, 907.
    """
    dim, power, mean, factor = target.dim, 0.0, np.zeros(target.dim), np.eye(target.dim)
    for i in range(MAX_ROUNDS):
        noise = np.asarray(jr.normal(jr.fold_in(key, i), (NUM_DRAWS, dim)), float)
        x = mean + noise @ factor.T
        log_density = np.asarray(_log_densities(target, jnp.asarray(x, float)), float)
        log_normal = -0.5 * np.sum(x**2, axis=1)
        log_likelihood = np.where(np.isfinite(log_density), log_density - log_normal, -np.inf)
        log_proposal = -0.5 * np.sum(noise**2, axis=1)
        arrived = power == 1
        power = _next_power(log_normal - log_proposal, log_likelihood, power)
        weights = _weights(log_normal - log_proposal + power * log_likelihood)
        if arrived:
            break
        mean = weights @ x
        covariance = (weights[:, None] * (x - mean)).T @ (x - mean)
        factor = INFLATION * np.linalg.cholesky(covariance + 1e-9 * np.eye(dim))
    rng = np.random.default_rng(np.asarray(jr.key_data(key)))
    return x[rng.choice(NUM_DRAWS, num_draws, p=weights)], _effective(weights)


def _weights(log_weights: Float[np.ndarray, " draw"]) -> Float[np.ndarray, " draw"]:
    weights = np.exp(log_weights - np.max(log_weights))
    return weights / np.sum(weights)


def _effective(weights: Float[np.ndarray, " draw"]) -> float:
    return float(1 / np.sum(weights**2))


def _next_power(base: Float[np.ndarray, " draw"], log_likelihood: Float[np.ndarray, " draw"], power: float) -> float:
    """The largest power that leaves enough draws effective, between the last one and one."""
    enough = LEAST_FRACTION * np.sum(np.isfinite(log_likelihood))

    def bearable(other: float) -> bool:
        return bool(_effective(_weights(base + other * log_likelihood)) > enough)

    low, high = power, 1.0
    if bearable(high):
        return high
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if bearable(middle) else (low, middle)
    return high
