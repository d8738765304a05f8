"""Independence Metropolis from a defensive mixture around N(0, I), and from laws that are given."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from flowjax.bijections import Affine
from flowjax.distributions import Normal, StandardNormal, Transformed
from helpers import assert_moments
from scipy import stats

import cosmoflow as cf
from cosmoflow.samplers import GHMC, DelayedAcceptance, Independence, Mixture, draw_defensive, log_defensive
from cosmoflow.targets import Augmented, CorrelatedGaussian, GaussianMixture

TARGET = GaussianMixture([0.3, 0.7], [[-0.8, 0.0], [0.8, 0.0]], 0.5)
POOR = Normal(jnp.array([0.6, -0.5]), jnp.array([1.4, 0.9]))


class Ignorant(Independence):
    """Compares densities of the target alone."""

    def _log_proposal(self, x):
        return jnp.zeros((), x.dtype)


def draw(sampler):
    return cf.sample(TARGET, sampler, num_draws=20_000, num_chains=4, key=jr.key(0))


@pytest.mark.slow
def test_moments_and_costs():
    chain = draw(Independence())
    assert_moments(chain.posterior["x"], TARGET, min_ess=5000)
    assert np.all(chain.sample_stats["num_densities"] == 1) and np.all(chain.sample_stats["num_gradients"] == 0)
    moved = np.any(np.diff(chain.posterior["x"], axis=1) != 0, axis=2)
    expected = chain.sample_stats["acceptance_rate"][:, 1:]
    assert abs(moved.mean() - expected.mean()) < 5 * np.sqrt(0.25 / moved.size)


@pytest.mark.soon(1)
@pytest.mark.parametrize("wide_probability", [0.0, 0.3])
def test_a_poor_law(wide_probability):
    """Its mean and its widths are wrong; its draws are right."""
    chain = draw(Independence(POOR, wide_probability=wide_probability))
    assert_moments(chain.posterior["x"], TARGET, min_ess=5000)


@pytest.mark.soon(1)
@pytest.mark.parametrize("sampler", [Ignorant(), Ignorant(POOR, wide_probability=0.0)])
def test_a_forgotten_proposal_density_fails(sampler):
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(draw(sampler).posterior["x"], TARGET, min_ess=5000)


@pytest.mark.slow
def test_a_hamiltonian_flow_proposes_to_phase_space():
    """With the momenta of its encoder."""
    flow = cf.fixed_kinetic_flow(2, num_maps=1, key=jr.key(0))
    target = Augmented(CorrelatedGaussian(jnp.zeros(2), jnp.eye(2)), flow.momentum)
    chain = cf.sample(target, Independence(flow, wide_probability=0.0), num_draws=2000, num_chains=4, key=jr.key(0))
    assert_moments(chain.posterior["x"], target.target, min_ess=500)


def test_a_law_keeps_its_coordinates():
    law = Transformed(StandardNormal((2,)), Affine(jnp.ones(2), jnp.ones(2)))
    assert Independence(law).keeps_coordinates and not Independence().keeps_coordinates
    assert Mixture([GHMC(), Independence(law)]).keeps_coordinates
    assert not Mixture([GHMC(), Independence()]).keeps_coordinates
    assert Mixture([GHMC(), DelayedAcceptance(TARGET)]).keeps_coordinates


@pytest.mark.slow
def test_a_law_is_tuned_and_mixed_where_it_is():
    target = CorrelatedGaussian([5.0, -4.0], [[0.3, 0.0], [0.0, 2.0]])
    law = Normal(jnp.array([5.0, -4.0]), jnp.sqrt(jnp.array([0.3, 2.0])))
    sampler = Mixture([Independence(law, wide_probability=0.0), GHMC()])
    tuned, sampler, start = cf.warmup(target, sampler, num_chains=4, key=jr.key(0), max_gradients=4000)
    chain = cf.sample(tuned, sampler, num_draws=500, num_chains=4, position=start, key=jr.key(1))
    proposed = chain.sample_stats["member"] == 0
    np.testing.assert_allclose(chain.sample_stats["told_0_acceptance_rate"][proposed], 1, rtol=1e-9)


@pytest.mark.parametrize(
    "law",
    [StandardNormal((3,)), cf.fixed_kinetic_flow(1, cond_dim=1, num_maps=1, key=jr.key(0))],
)
def test_laws_that_do_not_fit_are_refused(law):
    with pytest.raises(ValueError, match=r"unconditional law of shape \(2,\)"):
        Independence(law).init(TARGET, jnp.zeros(2), key=jr.key(0))


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
