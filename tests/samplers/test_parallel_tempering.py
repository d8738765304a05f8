"""Parallel tempering: its swaps, its ladder, its law, and the weights and evidence that it finds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import z_score

import cosmoflow as cf
from cosmoflow.diagnostics import stepping_stone
from cosmoflow.samplers import ParallelTempering, ZigZag, _parallel_tempering
from cosmoflow.samplers._parallel_tempering import equal_rejection, swap
from cosmoflow.targets import CorrelatedGaussian, GaussianMixture, Tempered, log_standard_normal

TARGET = GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [1.5, 0.0]], 0.15)
"""Twenty standard deviations between its modes, and normalised: its log-evidence is 0."""


def always_swapped(log_ratios, inverse_temperatures, parity, *, key):
    """Exchanges whatever it tries."""
    return swap(jnp.zeros_like(log_ratios), inverse_temperatures, parity, key=key)


class Unbalanced(ParallelTempering):
    """Another class, so that its chunks are not taken from those compiled for the right one."""


@pytest.fixture
def unbalanced(monkeypatch):
    monkeypatch.setattr(_parallel_tempering, "swap", always_swapped)
    return Unbalanced


@pytest.mark.slow
def test_swaps_are_in_detailed_balance():
    ladder = jnp.array([0.0, 0.1, 0.4, 1.0])
    x = 1.5 * jr.normal(jr.key(1), (4, 2))
    log_ratios = jax.vmap(TARGET.log_density)(x) - jax.vmap(log_standard_normal)(x)
    _, probability = swap(log_ratios, ladder, jnp.asarray(0), key=jr.key(0))
    for i in range(3):
        hot, cold = Tempered(TARGET, ladder[i]), Tempered(TARGET, ladder[i + 1])
        before = hot.log_density(x[i]) + cold.log_density(x[i + 1])
        after = hot.log_density(x[i + 1]) + cold.log_density(x[i])
        back = swap(
            log_ratios.at[i].set(log_ratios[i + 1]).at[i + 1].set(log_ratios[i]), ladder, jnp.asarray(0), key=jr.key(0)
        )
        forth = before + jnp.log(probability[i])
        np.testing.assert_allclose(forth, after + jnp.log(back[1][i]), rtol=1e-12)


@pytest.mark.parametrize("parity", [0, 1])
def test_swaps_exchange_the_pairs_of_their_turn(parity):
    ladder = jnp.array([0.0, 0.1, 0.4, 0.7, 1.0])
    log_ratios = jnp.array([0.0, 1.0, 3.0, 3.5, 2.0])
    swapped = jax.vmap(lambda key: swap(log_ratios, ladder, jnp.asarray(parity), key=key)[0])(jr.split(jr.key(2), 4000))
    swapped = np.asarray(swapped)
    assert np.all(np.sort(swapped, axis=1) == np.arange(5))
    _, probability = swap(log_ratios, ladder, jnp.asarray(parity), key=jr.key(0))
    for pair in range(4):
        exchanged = swapped[:, pair] == pair + 1
        expected = float(probability[pair]) if pair % 2 == parity else 0.0
        assert abs(exchanged.mean() - expected) <= 5 * np.sqrt(expected * (1 - expected) / 4000)


def test_a_point_outside_the_support_does_not_rise():
    _, probability = swap(jnp.array([-jnp.inf, 1.0]), jnp.array([0.0, 1.0]), jnp.asarray(0), key=jr.key(0))
    assert probability[0] == 0


def test_the_ladder_equalises_any_barrier():
    def barrier(b):
        return 3 * np.log1p(b / 1e-4) + 2 * b**2

    ladder = np.asarray(ParallelTempering(num_rungs=9).inverse_temperatures)
    for _ in range(20):
        ladder = equal_rejection(ladder, np.diff(barrier(ladder)))
    np.testing.assert_allclose(np.diff(barrier(ladder)), barrier(1.0) / 8, rtol=0.01)
    assert ladder[0] == 0 and ladder[-1] == 1


MEAN, SD = np.array([0.5, -0.3]), np.array([0.2, 0.6])


def exact_rungs(ladder, key, num):
    """Means and variances of the rungs towards a Gaussian, and draws from them, shape (num, rung, dim)."""
    b = np.asarray(ladder)[:, None]
    variance = 1 / (1 - b + b / SD**2)
    mean = variance * b * MEAN / SD**2
    return mean, variance, mean + np.sqrt(variance) * jr.normal(key, (num, *mean.shape))


def worst_score(sampler, num=20_000):
    """The largest z-score of the moments of all rungs after three draws from exact starts."""
    target = CorrelatedGaussian(MEAN, np.diag(SD**2))
    mean, variance, rungs = exact_rungs(sampler.inverse_temperatures, jr.key(3), num)

    @eqx.filter_jit
    def run(sampler, target, rungs, keys):
        def start(x, key):
            return eqx.tree_at(lambda s: s.rungs, sampler.init(target, x[-1], key=key), x)

        return sampler.run_chunk(target, jax.vmap(start)(rungs, keys), jnp.asarray(3), capacity=3)[0].rungs

    white = (np.asarray(run(sampler, target, rungs, jr.split(jr.key(4), num))) - mean) / np.sqrt(variance)
    first, second = white.mean(0) * np.sqrt(num), (white**2 - 1).mean(0) * np.sqrt(num / 2)
    return np.max(np.abs(np.stack([first, second])))


def mild(kind):
    return eqx.tree_at(lambda s: s.inverse_temperatures, kind(num_rungs=4), jnp.array([0.0, 0.1, 0.4, 1.0]))


@pytest.mark.slow
def test_invariance():
    assert worst_score(mild(ParallelTempering)) < 4.5


@pytest.mark.slow
def test_unbalanced_swaps_are_not_invariant(unbalanced):
    assert worst_score(mild(unbalanced)) > 10


def draw(kind, seed=0, num_draws=4000):
    target, sampler, start = cf.warmup(TARGET, kind(num_rungs=7), max_gradients=400_000, num_chains=4, key=jr.key(seed))
    return sampler, cf.sample(target, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(seed + 50))


@pytest.fixture(scope="module")
def tempered():
    return draw(ParallelTempering)


def assert_weights(chain):
    z, size = z_score(chain.posterior["x"][..., 0] > 0, 0.7)
    assert size > 1000
    assert abs(z) < 5


@pytest.mark.slow
def test_weights_and_evidence(tempered):
    _, chain = tempered
    assert_weights(chain)
    found = stepping_stone(chain)
    assert found is not None and found.log_evidence_error < 0.03
    assert abs(found.log_evidence) < 5 * found.log_evidence_error
    assert found.round_trips > 1000
    assert str(found) in str(cf.summarize(chain))


@pytest.mark.slow
def test_unbalanced_swaps_miss_the_weights_or_the_widths(unbalanced):
    _, chain = draw(unbalanced)
    x = chain.posterior["x"]
    with pytest.raises(AssertionError):
        assert_weights(chain)
        assert abs(np.std(x[..., 1]) - 0.15) < 0.02


@pytest.mark.slow
def test_the_ladder_is_tuned_to_equal_rejection(tempered):
    sampler, chain = tempered
    rejection = chain.sample_stats["swap_rejection"].mean(axis=(0, 1))
    np.testing.assert_allclose(rejection, rejection.mean(), atol=0.08)
    assert 0.2 < rejection.mean() < 0.8
    acceptance = chain.sample_stats["rung_acceptance_rate"].mean(axis=(0, 1))
    np.testing.assert_allclose(acceptance, 0.8, atol=0.1)
    assert np.all(np.diff(sampler.inner.step_size) < 0)


@pytest.mark.slow
def test_costs_are_those_of_all_rungs(tempered):
    _, chain = tempered
    stats = chain.sample_stats
    assert np.all(stats["num_gradients"] == 6 * 4 * (2 + 1))
    assert np.all(stats["num_densities"] == 7 * 4)
    assert "num_events" not in stats and stats["diverging"].shape == stats["lp"].shape


@pytest.mark.slow
def test_the_coordinates_are_left_alone():
    target, _, _ = cf.warmup(TARGET, ParallelTempering(num_rungs=7), max_gradients=20_000, num_chains=4, key=jr.key(0))
    z = jnp.array([0.7, -3.0])
    np.testing.assert_allclose(target.bijection.transform(z), z, rtol=1e-12)


@pytest.mark.slow
def test_a_piecewise_deterministic_process_explores_too():
    _, chain = draw(lambda num_rungs: ParallelTempering(ZigZag(), num_rungs), num_draws=1500)
    z, size = z_score(chain.posterior["x"][..., 0] > 0, 0.7)
    assert size > 400 and abs(z) < 5
    assert abs(stepping_stone(chain).log_evidence) < 5 * stepping_stone(chain).log_evidence_error
    assert chain.sample_stats["num_events"].sum() > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_rungs": 2}, "num_rungs = 2, but needs at least 3"),
        ({"rounds": 0}, "rounds = 0, but a draw needs at least one"),
        ({"inner": ParallelTempering()}, "cannot explore its rungs by ParallelTempering"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        ParallelTempering(**arguments)
