"""Pareto smoothing against arviz-stats, and against laws whose tails are known."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from arviz_stats.base import array_stats
from jax.scipy.special import logsumexp

from cosmoflow.flows import pareto_smooth

smooth = jax.jit(pareto_smooth)

WEIGHTS = {
    "log-normal": lambda rng, n: rng.normal(size=n),
    "heavy": lambda rng, n: 1.5 * rng.exponential(size=n),
    "heavier than any use": lambda rng, n: 20 * rng.normal(size=n),
    "light": lambda rng, n: -(rng.uniform(size=n) ** 0.5),
    "bounded": lambda rng, n: np.log(rng.beta(2.0, 2.0, size=n)),
    "far from zero": lambda rng, n: rng.exponential(size=n) - 4000,
    "half of them zero": lambda rng, n: np.where(rng.uniform(size=n) < 0.5, -np.inf, rng.normal(size=n)),
}


@pytest.mark.soon(11)
@pytest.mark.parametrize("size", [25, 100, 225, 400, 10_000])  # a fifth, or three square roots, is a whole number
@pytest.mark.parametrize("name", WEIGHTS)
def test_it_agrees_with_arviz(name, size):
    log_weights = WEIGHTS[name](np.random.default_rng(size), size)
    smoothed, k = smooth(jnp.asarray(log_weights))
    expected, expected_k = array_stats.psislw(-log_weights)
    np.testing.assert_allclose(k, expected_k, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(smoothed - logsumexp(smoothed), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.soon(1)
@pytest.mark.parametrize(("size", "tail"), [(21, 5), (50, 10), (226, 46), (1000, 95)])
def test_the_tail_is_rounded_up(size, tail):
    log_weights = np.random.default_rng(0).normal(size=size)
    smoothed, _ = smooth(jnp.asarray(log_weights))
    changed = log_weights[np.asarray(smoothed) != log_weights]
    assert changed.min() == np.sort(log_weights)[-tail]
    assert smoothed.max() <= log_weights.max()


def distance_of_shape(log_weights, k):
    """(k-hat - k) / standard error, over batches; the prior of ten observations of 1/2 is taken out."""
    found = jax.vmap(smooth)(log_weights)[1]
    tail = np.ceil(3 * np.sqrt(log_weights.shape[1]))
    found = (found * (tail + 10) - 5) / tail
    return (found.mean() - k) / (found.std() / np.sqrt(found.size))


@pytest.mark.soon(1)
@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_the_shape_of_a_pareto_law(k):
    log_weights = k * jr.exponential(jr.key(0), (60, 10_000))
    assert abs(distance_of_shape(log_weights, k)) < 5
    assert abs(distance_of_shape(log_weights, k + 0.1)) > 5


@pytest.mark.parametrize(
    ("log_weights", "k"),
    [
        (jnp.full(1000, -3.0), -np.inf),
        (jnp.where(jnp.arange(1000) < 997, -3.0, jnp.arange(1000.0)), np.inf),
        (jnp.full(1000, -np.inf), np.inf),
        (jnp.where(jnp.arange(1000) < 997, -np.inf, jnp.arange(1000.0)), np.inf),
        (jnp.arange(20.0), np.inf),
        (jnp.arange(1000.0).at[3].set(np.inf), np.inf),
    ],
)
def test_without_a_tail_nothing_is_smoothed(log_weights, k):
    smoothed, found = smooth(log_weights)
    assert found == k
    np.testing.assert_array_equal(smoothed, log_weights)


def test_weights_that_are_equal_but_for_roundoff_have_a_light_tail():
    log_weights = 700.0 + 1e-12 * jr.normal(jr.key(0), (1000,))
    smoothed, k = smooth(log_weights)
    assert k < 0.5
    np.testing.assert_allclose(smoothed, 700.0, rtol=1e-14)


def test_single_precision():
    log_weights = jr.normal(jr.key(0), (1000,), jnp.float32)
    smoothed, k = smooth(log_weights)
    assert smoothed.dtype == k.dtype == jnp.float32
    np.testing.assert_allclose(k, smooth(log_weights.astype(jnp.float64))[1], atol=1e-4)
