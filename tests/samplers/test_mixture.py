"""Mixtures: who makes which draw, what it costs, and the law of all draws together."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import assert_moments

import cosmoflow as cf
from cosmoflow.samplers import GHMC, Independence, Mixture, ParallelTempering, ZigZag
from cosmoflow.targets import GaussianMixture

TARGET = GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [1.5, 0.0]])
SAMPLER = Mixture([GHMC(step_size=0.9), ZigZag(), Independence()], [0.5, 0.2, 0.3])


@pytest.fixture(scope="module")
def chain():
    return cf.sample(TARGET, SAMPLER, num_draws=6000, num_chains=4, key=jr.key(0))


def test_members_are_chosen_as_often_as_they_should():
    members = np.asarray(jax.vmap(SAMPLER.chosen)(jnp.arange(10_000, dtype=jnp.int32)))
    for stop in (100, 1000, 10_000):
        counts = np.bincount(members[:stop], minlength=3)
        np.testing.assert_allclose(counts, np.array([0.5, 0.2, 0.3]) * stop, atol=4)


@pytest.mark.slow
def test_moments(chain):
    assert_moments(chain.posterior["x"], TARGET, min_ess=1000)


@pytest.mark.slow
def test_costs(chain):
    """A member that takes over pays a gradient, those that rest pay nothing."""
    stats = chain.sample_stats
    member = stats["member"]
    first = np.pad(np.diff(member, axis=1) != 0, ((0, 0), (1, 0)), constant_values=True)
    np.testing.assert_array_equal(
        stats["num_gradients"] - first, stats["told_0_num_gradients"] + stats["told_1_num_gradients"]
    )
    assert np.all(stats["num_gradients"][member == 0] >= 4) and np.all(stats["num_gradients"][member == 2] <= 1)
    np.testing.assert_array_equal(stats["num_events"], stats["told_1_num_events"])
    assert stats["num_events"][member == 1].sum() > 0 and np.all(stats["num_events"][member != 1] == 0)


@pytest.mark.slow
def test_log_densities_are_those_of_the_draws(chain):
    lp = jax.vmap(TARGET.log_density)(chain.posterior["x"].reshape(-1, 2)).reshape(4, -1)
    np.testing.assert_allclose(chain.sample_stats["lp"], lp, rtol=1e-10)


@pytest.mark.slow
def test_chunks_do_not_matter(chain):
    again = cf.sample(TARGET, SAMPLER, num_draws=100, num_chains=4, key=jr.key(0), chunk=33)
    np.testing.assert_array_equal(again.posterior["x"], chain.posterior["x"][:, :100])


def test_each_member_is_tuned_by_its_own_draws():
    seen = []

    class Watched(GHMC):
        def retuned(self, positions, stats, gain):
            seen.append((positions, stats["acceptance_rate"], stats["lp"]))
            return self

    member = np.tile([0, 1, 1, 0], (2, 1))
    values = np.arange(8.0).reshape(2, 4)
    stats = {"member": member, "lp": values, "told_0_acceptance_rate": values, "told_1_acceptance_rate": -values}
    Mixture([Watched(), Watched()]).retuned(np.zeros((2, 4, 3)), stats, 1.0)
    np.testing.assert_array_equal(seen[0][1], values[:, [0, 3]])
    np.testing.assert_array_equal(seen[1][1], -values[:, [1, 2]])
    np.testing.assert_array_equal(seen[1][2], values[:, [1, 2]])
    assert seen[0][0].shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([GHMC()],), "1 members, but needs at least two"),
        (([GHMC(), ZigZag()], [1.0]), "one positive probability for each"),
        (([GHMC(), ZigZag()], [1.0, 0.0]), "one positive probability for each"),
        (([GHMC(), ParallelTempering()],), "cannot have ParallelTempering as a member"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Mixture(*arguments)
