"""How far a vector field is from the score of data, of which only draws are known."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector


class ScoreDiscrepancy(NamedTuple):
    """An estimate of a lower bound.

    Attributes:
        value: Mean square difference; zero within its error where the field is the score.
        error: Standard error of the value.
    """

    value: Scalar
    error: Scalar


def hamiltonian_score_discrepancy(
    score: Callable[[Vector], Vector],
    draws: Float[Array, "sample dim"],
    *,
    time: float = 0.5,
    num_steps: int = 5,
    num_features: int = 20,
    key: Key,
) -> ScoreDiscrepancy:
    """E|E[v_t | x_t]|^2 / t^2 after a Hamiltonian motion of the draws in the field, from velocities v_0 ~ N(0, I).

    The score keeps the law of (x, v), in which the velocity has mean zero everywhere; it alone does so at all times.
    As t falls to zero this becomes E|field - score|^2. The mean velocity V is regressed on random features on each half
    of the draws and judged on the other, by E[2 V . v_t - |V|^2], which what the features miss can only lower, and the
    noise of n draws lowers by about 2 d (d + num_features) / (n t^2).

    Args:
        score: The field, from one point.
        draws: Draws of the data.
        time: t, in units of the smallest scale of the data.
        num_steps: Leapfrog steps.
        num_features: Neurons of the regression, beside a linear function.
        key: Random key.

    References:
        Holderrieth, Xu & Jaakkola 2024, arXiv:2410.20470, with the mean over times in place of 1 / t^2.
    """
    key_v, key_weights, key_offsets = jr.split(key, 3)
    num, dim = draws.shape
    h = time / num_steps
    field = jax.vmap(score)

    def leap(state, _):
        x, v = state
        v = v + 0.5 * h * field(x)
        x = x + h * v
        return (x, v + 0.5 * h * field(x)), None

    (x, v), _ = jax.lax.scan(leap, (draws, jr.normal(key_v, draws.shape, draws.dtype)), None, length=num_steps)
    z = (x - jnp.mean(x, axis=0)) / jnp.std(x, axis=0)
    weights = jr.normal(key_weights, (dim, num_features), z.dtype)
    neurons = jnp.tanh(z @ weights + jr.normal(key_offsets, (num_features,), z.dtype))
    features = jnp.concatenate([jnp.ones_like(z[:, :1]), z, neurons], axis=1)

    def gains(train: slice, test: slice):
        known = features[train]
        gram = known.T @ known + jnp.eye(known.shape[1], dtype=known.dtype)
        mean = features[test] @ jnp.linalg.solve(gram, known.T @ v[train])
        return jnp.sum(2 * mean * v[test] - mean**2, axis=1)

    first, second = slice(0, num // 2), slice(num // 2, num)
    values = jnp.concatenate([gains(second, first), gains(first, second)]) / time**2
    return ScoreDiscrepancy(jnp.mean(values), jnp.std(values) / num**0.5)
