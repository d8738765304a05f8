"""Draws of a cheap density far from its prior."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from cosmoflow.targets import CorrelatedGaussian
from cosmoflow.warmup._annealed_importance import annealed_importance


def test_a_narrow_posterior_in_the_tail_of_the_prior_is_found():
    mean, covariance = np.array([3.0, -2.0]), 1e-3 * np.array([[1.0, 0.8], [0.8, 1.0]])
    draws, effective = annealed_importance(CorrelatedGaussian(mean, covariance), num_draws=1000, key=jr.key(0))
    assert effective > 100
    error = 5 * np.sqrt(np.diag(covariance) / effective)
    assert np.all(np.abs(draws.mean(axis=0) - mean) < error)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=5e-4)
    assert jnp.all(jnp.isfinite(draws))
