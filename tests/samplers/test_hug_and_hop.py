"""Hug and Hop: the hug's way back, the hop's density, their invariance, and a wrong twin."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_starts import TARGET, worst_score
from scipy.stats import multivariate_normal

from cosmoflow.samplers import HugAndHop


def test_a_hug_is_an_isometry_that_returns():
    sampler = HugAndHop(num_bounces=5)
    x, v = jr.normal(jr.key(0), (2, 2))
    y, w = sampler.hug(TARGET, x, v)
    np.testing.assert_allclose(w @ w, v @ v, atol=1e-12)
    back, again = sampler.hug(TARGET, y, -w)
    np.testing.assert_allclose(back, x, atol=1e-12)
    np.testing.assert_allclose(-again, v, atol=1e-12)
    assert jnp.linalg.norm(y - x) > 0.1


def test_a_hop_has_the_density_that_it_claims():
    sampler = HugAndHop(hop_scale=1.7, hop_width=0.4)
    x, gradient = jr.normal(jr.key(1), (2, 3))
    y = jax.vmap(lambda noise: sampler.hop(x, gradient, noise))(jr.normal(jr.key(2), (20_000, 3)))
    square = gradient @ gradient
    normal = np.outer(gradient, gradient) / square
    covariance = 1.7**2 * (normal + 0.4**2 * (np.eye(3) - normal)) / square
    np.testing.assert_allclose(np.cov(np.asarray(y).T), covariance, atol=0.05 * np.max(covariance))
    claimed = jax.vmap(lambda y: sampler.hop_log_density(x, gradient, y))(y[:50])
    difference = claimed - multivariate_normal(x, covariance).logpdf(y[:50])
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)
    twice = sampler.hop_log_density(x, 2 * gradient, x) - sampler.hop_log_density(x, gradient, x)
    np.testing.assert_allclose(twice, 3 * np.log(2), atol=1e-12)


@pytest.mark.slow
def test_exact_draws_stay_exact():
    assert worst_score(HugAndHop(1.0)) < 5


class Careless(HugAndHop):
    """It takes its hops for symmetric."""

    def hop_log_density(self, start, gradient, end):
        return jnp.zeros(())


def test_without_the_ratio_of_hops_it_fails():
    assert worst_score(Careless(1.0)) > 5


def test_each_scale_follows_its_own_acceptance():
    stats = {"acceptance_rate": np.array([[0.9]]), "hop_acceptance_rate": np.array([[0.3]])}
    tuned = HugAndHop(1.0, 1.0).retuned(np.zeros((1, 1, 2)), stats, 1.0)
    np.testing.assert_allclose([tuned.hug_step, tuned.hop_scale], np.exp([0.1, -0.2]))


def test_nonsense_is_refused():
    for options, message in (({"hug_step": 0}, "hug_step is 0.0"), ({"num_bounces": 0}, "num_bounces is 0")):
        with pytest.raises(ValueError, match=message):
            HugAndHop(**options)
