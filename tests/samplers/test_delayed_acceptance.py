"""Delayed acceptance on wrong surrogates, against exact moments."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from fitting.models import BAO, LCDM
from helpers import assert_moments, z_score

import cosmoflow as cf
from cosmoflow.fitting import best_fit, laplace_whitening, taylor_surrogate
from cosmoflow.samplers import GHMC, DelayedAcceptance
from cosmoflow.targets import CorrelatedGaussian, Skewed

LAW = Skewed([1.0, 3.0])
WRONG = CorrelatedGaussian([-0.3, 0.6], [[3.0, 0.4], [0.4, 1.0]])
SETTINGS = {"num_draws": 4000, "num_chains": 8, "key": jr.key(1)}


def test_a_wrong_surrogate_gives_the_right_moments():
    chain = cf.sample(LAW, DelayedAcceptance(WRONG), **SETTINGS)
    assert_moments(chain.posterior["x"], LAW, min_ess=1000)
    stats = chain.sample_stats
    assert 0.2 < stats["acceptance_rate"].mean() < 0.9
    assert np.all(stats["num_gradients"] == 0) and np.all(stats["num_densities"] == 1)
    assert np.all(stats["num_surrogate_gradients"] == 1 + 4 * 4)


def test_accepting_everything_is_noticed():
    """What the surrogate's own chain would give."""
    chain = cf.sample(WRONG, DelayedAcceptance(WRONG), **SETTINGS)
    np.testing.assert_allclose(chain.sample_stats["acceptance_rate"], 1.0, atol=1e-12)
    assert_moments(chain.posterior["x"], WRONG, min_ess=1000)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(chain.posterior["x"], LAW, min_ess=1000)


@pytest.mark.slow
def test_a_posterior_by_its_taylor_surrogate():
    """Tuned by a warm-up; a first-order surrogate at a point two sigma off, against a grid."""
    exact = cf.Posterior(cf.Prior(LCDM), BAO)
    surrogate = cf.Posterior(cf.Prior(LCDM), taylor_surrogate(BAO, {"Omega_m": 0.315, "h_r_d": 100.2}))
    whitening = laplace_whitening(exact, best_fit(exact).position)
    sampler = DelayedAcceptance(cf.Pullback(surrogate, whitening), num_inner=3)
    target, sampler, start = cf.warmup(
        cf.Pullback(exact, whitening), sampler, num_chains=8, max_gradients=8000, key=jr.key(2)
    )
    assert sampler.inner.step_size != GHMC().step_size
    chain = cf.sample(target, sampler, num_draws=3000, num_chains=8, position=start, key=jr.key(3))
    assert chain.sample_stats["acceptance_rate"].mean() > 0.6
    omega_m, h_r_d = np.meshgrid(np.linspace(0.24, 0.36, 121), np.linspace(96.5, 107.0, 121), indexing="ij")
    grid = {"Omega_m": omega_m.ravel(), "h_r_d": h_r_d.ravel()}
    log_density = np.asarray(jax.jit(jax.vmap(BAO.log_likelihood))(jax.tree.map(jnp.asarray, grid)))
    weights = np.exp(log_density - log_density.max())
    weights /= weights.sum()
    for name, values in grid.items():
        for power in (1, 2):
            z, size = z_score(
                (chain.posterior[name] - values.mean()) ** power, weights @ (values - values.mean()) ** power
            )
            assert size > 1000 and abs(z) < 5, (name, power, z, size)
