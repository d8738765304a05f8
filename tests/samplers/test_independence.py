"""Independence Metropolis from a defensive mixture around N(0, I)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import assert_moments
from scipy import stats

import cosmoflow as cf
from cosmoflow.samplers import Independence, draw_defensive, log_defensive
from cosmoflow.targets import CorrelatedGaussian, GaussianMixture

TARGET = GaussianMixture([0.3, 0.7], [[-0.8, 0.0], [0.8, 0.0]], 0.5)


class Forgetful(Independence):
    """Weighs its proposals as if it stood at the origin."""

    def step(self, target, state, *, key):
        new, info = super().step(target, eqx.tree_at(lambda s: s.position, state, 0 * state.position), key=key)
        stayed = jnp.all(new.position == 0)
        return eqx.tree_at(lambda s: s.position, new, jnp.where(stayed, state.position, new.position)), info


def draw(sampler):
    return cf.sample(TARGET, sampler, num_draws=20_000, num_chains=4, key=jr.key(0))


def test_moments_and_costs():
    chain = draw(Independence())
    assert_moments(chain.posterior["x"], TARGET, min_ess=5000)
    assert np.all(chain.sample_stats["num_densities"] == 1) and np.all(chain.sample_stats["num_gradients"] == 0)
    moved = np.any(np.diff(chain.posterior["x"], axis=1) != 0, axis=2)
    expected = chain.sample_stats["acceptance_rate"][:, 1:]
    assert abs(moved.mean() - expected.mean()) < 5 * np.sqrt(0.25 / moved.size)


def test_a_forgotten_proposal_density_fails():
    with pytest.raises(AssertionError):
        assert_moments(draw(Forgetful()).posterior["x"], TARGET, min_ess=5000)


def test_proposals_from_the_target_are_all_accepted():
    chain = cf.sample(
        CorrelatedGaussian(jnp.zeros(3), jnp.eye(3)),
        Independence(wide_probability=0.0),
        num_draws=50,
        num_chains=2,
        key=jr.key(0),
    )
    np.testing.assert_allclose(chain.sample_stats["acceptance_rate"], 1, rtol=1e-12)


def test_the_wide_law_is_students():
    """Draws by their radii, the density at the draws."""
    z = jax.vmap(lambda key: draw_defensive(jnp.asarray(True), jnp.zeros(4), key=key))(jr.split(jr.key(1), 20_000))
    assert stats.kstest(np.sum(np.asarray(z) ** 2, axis=1) / (4 * 2.0**2), stats.f(4, 3).cdf).pvalue > 1e-4
    student = stats.multivariate_t(np.zeros(4), 2.0**2 * np.eye(4), df=3).pdf(z[:100])
    expected = np.log(0.7 * stats.multivariate_normal(np.zeros(4)).pdf(z[:100]) + 0.3 * student)
    np.testing.assert_allclose(jax.vmap(lambda z: log_defensive(z, 0.3))(z[:100]), expected, rtol=1e-10)


def test_a_probability_of_one_is_an_error():
    with pytest.raises(ValueError, match=r"wide_probability is 1.0, but must lie in \[0, 1\)"):
        Independence(wide_probability=1.0)
