"""Probability flows as distributions: draws and densities agree, and serve as proposals."""

import exact_networks as exact
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_networks import MEAN, SD
from flowjax.bijections import Affine
from flowjax.distributions import Transformed
from helpers import assert_moments
from scipy import stats

import cosmoflow as cf
from cosmoflow.generative import (
    ContinuousFlow,
    CosineSchedule,
    Diffusion,
    FlowMatching,
    OscillationMatching,
    ReflectionMatching,
)
from cosmoflow.samplers import Independence
from cosmoflow.targets import CorrelatedGaussian

EXACT = CorrelatedGaussian(MEAN, jnp.diag(SD**2))
OTHER = CorrelatedGaussian([0.8, 0.0], [[0.3, 0.2], [0.2, 1.2]])
LAWS = {
    "diffusion": lambda: ContinuousFlow(Diffusion(2, exact.diffusion("v", CosineSchedule()), sampler="ancestral")),
    "straight": lambda: ContinuousFlow(FlowMatching(2, exact.flow_matching, solver="euler")),
    "oscillation": lambda: ContinuousFlow(OscillationMatching(2, exact.oscillation(0.8), scale=0.8)),
}


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", LAWS)
def test_draws_and_their_densities(name):
    law = LAWS[name]()
    x, log_prob = law.sample_and_log_prob(jr.key(0), (200,))
    np.testing.assert_allclose(log_prob, jax.vmap(EXACT.log_density)(x), atol=1e-3)
    np.testing.assert_allclose(law.log_prob(x[:5]), log_prob[:5], atol=1e-3)
    np.testing.assert_allclose(law.sample(jr.key(0), (200,)), x, atol=1e-3)
    for i in range(2):
        assert stats.kstest(x[:, i], stats.norm(MEAN[i], SD[i]).cdf).pvalue > 1e-5


@pytest.mark.slow
def test_a_condition_and_units():
    condition, unit = jnp.array([2.0, -1.0]), jnp.array([3.0, 0.1])
    law = ContinuousFlow(Diffusion(2, exact.diffusion("v", CosineSchedule())), condition)
    law = Transformed(law, Affine(jnp.array([10.0, 0.0]), unit))
    exactly = CorrelatedGaussian(condition * unit + jnp.array([10.0, 0.0]), jnp.diag((SD * unit) ** 2))
    x = jnp.array([12.0, 0.05])
    np.testing.assert_allclose(law.log_prob(x), exactly.log_density(x), atol=1e-4)


@pytest.mark.slow
def test_proposals_of_the_target_are_accepted():
    sampler = Independence(LAWS["straight"](), wide_probability=0.0)
    chain = cf.sample(EXACT, sampler, num_draws=20, num_chains=2, key=jr.key(0))
    np.testing.assert_allclose(chain.sample_stats["acceptance_rate"], 1, atol=1e-3)


@pytest.mark.slow
def test_proposals_for_another_target():
    sampler = Independence(LAWS["straight"](), wide_probability=0.2)
    chain = cf.sample(OTHER, sampler, num_draws=2000, num_chains=8, key=jr.key(0))
    assert_moments(chain.posterior["x"], OTHER, min_ess=2000)


def test_a_law_with_walls_is_refused():
    with pytest.raises(ValueError, match="ends at walls"):
        ContinuousFlow(ReflectionMatching(2, exact.zero))


@pytest.mark.slow
def test_evidence():
    found = cf.importance_sample(LAWS["straight"](), OTHER, num_samples=2000, key=jr.key(0))
    assert abs(found.log_evidence) < 5 * found.log_evidence_error
    assert 0.2 < found.ess_fraction < 1 and found.x.shape == (2000, 2)
    assert abs(cf.importance_sample(LAWS["straight"](), EXACT, num_samples=100, key=jr.key(0)).ess_fraction - 1) < 1e-3
    three = CorrelatedGaussian(jnp.zeros(3), jnp.eye(3))
    with pytest.raises(ValueError, match=r"unconditional law of shape \(3,\)"):
        cf.importance_sample(LAWS["straight"](), three, num_samples=10, key=jr.key(0))
