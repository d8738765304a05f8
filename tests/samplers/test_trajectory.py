"""Exactness of the samplers of Hamiltonian trajectories: invariance from exact starts, with wrong twins that fail."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax.scipy.special import gammaln
from scipy import stats

from cosmoflow.dynamics import Leapfrog
from cosmoflow.samplers import GHMC, MALT, AdjustedMCLMC, Langevin
from cosmoflow.samplers._trajectory import drifted
from cosmoflow.targets import CorrelatedGaussian, Skewed

SKEWED = Skewed(jnp.array([1.0, 3.0]))
ENERGY = float(jnp.sum(SKEWED.concentration * (1 - SKEWED.mean()) + gammaln(SKEWED.concentration)))
NUM_CHAINS, NUM_DRAWS = 20_000, 8


class NoTurn(Langevin):
    """The momentum goes on after a rejection."""

    def step(self, target, state, *, key):
        new, info = super().step(target, state, key=key)
        rejected = jnp.all(new.position == state.position)
        momentum = jnp.where(rejected, -new.momentum, new.momentum)
        return eqx.tree_at(lambda s: s.momentum, new, momentum), info


class TurnAlways(Langevin):
    """The momentum is reversed after an acceptance, too."""

    def step(self, target, state, *, key):
        new, info = super().step(target, state, key=key)
        rejected = jnp.all(new.position == state.position)
        return eqx.tree_at(lambda s: s.momentum, new, jnp.where(rejected, 1, -1) * new.momentum), info


@eqx.filter_jit
def run(sampler, starts, key):
    """Chains from exact draws: where they are after some draws, and which of these were rejected."""
    states = jax.vmap(lambda x, k: sampler.init(SKEWED, x, key=k))(starts, jr.split(key, NUM_CHAINS))
    states, draws, infos = sampler.run_chunk(SKEWED, states, jnp.asarray(NUM_DRAWS), capacity=NUM_DRAWS)
    rejected = jnp.all(jnp.diff(draws.position, axis=1) == 0, axis=-1)
    return states, infos, rejected


def evolve(sampler, seed):
    starts = np.log(np.random.default_rng(seed).gamma(SKEWED.concentration, size=(NUM_CHAINS, 2)))
    return run(sampler, jnp.asarray(starts), jr.key(seed))


def scores(sampler):
    """Errors of moments of position, momentum and level after some draws, in standard errors, and the acceptance."""
    states, infos, _ = evolve(sampler, 3)
    x, p = np.asarray(states.position), np.asarray(states.momentum)
    mean, variance = np.asarray(SKEWED.mean()), np.asarray(SKEWED.variance())
    energy = np.asarray(states.potential)
    errors = [*(x - mean).T, *((x - mean) ** 2 - variance).T, energy - ENERGY, *p.T, p[:, 0] * p[:, 1]]
    errors += [np.sum(p * np.asarray(states.gradient), axis=1), states.level, states.level**2 - 1 / 3]
    z = [np.mean(error) / (np.std(error) / np.sqrt(NUM_CHAINS)) for error in errors]
    return np.array(z), float(np.mean(infos.acceptance_rate))


EXACT = {
    "langevin": Langevin(step_size=0.9, decoherence=3.0),
    "langevin_leapfrog": Langevin(step_size=0.9, decoherence=3.0, integrator=Leapfrog()),
    "persistent_ghmc": GHMC(step_size=0.8, num_steps=2, persistence=0.9, level_drift=0.05, spread=0.5),
    "malt": MALT(step_size=0.8),
    "adjusted_mclmc": AdjustedMCLMC(step_size=1.2),
}


SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler",
    [
        "langevin",
        "persistent_ghmc",
        "adjusted_mclmc",
        *(pytest.param(n, marks=SLOW) for n in ("langevin_leapfrog", "malt")),
    ],
)
def test_exact_draws_stay_exact(sampler):
    errors, acceptance = scores(EXACT[sampler])
    assert 0.5 < acceptance < 0.97
    assert np.max(np.abs(errors)) < 5, errors


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [NoTurn, pytest.param(TurnAlways, marks=SLOW)])
def test_wrong_twins_fail(wrong):
    errors, _ = scores(wrong(step_size=0.9, decoherence=3.0))
    assert np.max(np.abs(errors)) > 6, errors


def test_a_drifting_level_stays_uniform():
    level = jr.uniform(jr.key(0), (5000,), minval=-1, maxval=1)
    for _ in range(7):
        level = jax.vmap(drifted, in_axes=(0, None))(level, jnp.asarray(0.3))
    assert stats.kstest(np.asarray(level), "uniform", (-1, 2)).pvalue > 1e-4
    assert jnp.all((level >= -1) & (level < 1))


@pytest.mark.slow
def test_levels_rise_with_the_energy():
    sampler = EXACT["langevin"]
    states = sampler.init(SKEWED, jnp.zeros(2), key=jr.key(0))
    new, infos = eqx.filter_jit(jax.vmap(lambda k: sampler.step(SKEWED, states, key=k)))(jr.split(jr.key(1), 200))
    uphill = np.asarray((infos.acceptance_rate < 1) & jnp.any(new.position != 0, axis=1))
    assert uphill.sum() > 20
    level = drifted(states.level, sampler.level_drift)
    np.testing.assert_allclose((new.level * infos.acceptance_rate)[uphill], level, atol=1e-12)


@pytest.mark.slow
def test_a_slow_level_makes_rejections_cluster():
    """Their rate does not change."""
    slow, fast = (
        EXACT["persistent_ghmc"],
        eqx.tree_at(lambda s: s.level_drift, EXACT["persistent_ghmc"], jnp.asarray(0.77)),
    )
    rejected = [np.asarray(evolve(sampler, 5)[2]) for sampler in (slow, fast)]
    rates = [r.mean() for r in rejected]
    again = [r[:, 1:][r[:, :-1]].mean() for r in rejected]
    assert abs(rates[0] - rates[1]) < 0.01
    assert again[0] > 1.2 * max(*rates, again[1])


def test_lengths_are_spread_evenly():
    sampler = MALT(num_steps=4, spread=0.5)
    lengths = np.asarray(jax.vmap(sampler._length)(jnp.arange(1000)))
    np.testing.assert_allclose(np.bincount(lengths), [0, 0, 200, 200, 200, 200, 200], atol=3)
    assert set(np.asarray(jax.vmap(MALT(num_steps=3, spread=0.0)._length)(jnp.arange(100)))) == {3}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: GHMC(num_steps=0), "GHMC's num_steps is 0"),
        (lambda: Langevin(jitter=1.0), "Langevin's jitter is 1.0"),
        (lambda: MALT(spread=-0.1), "MALT's spread is -0.1"),
        (lambda: AdjustedMCLMC(decoherence=0.0), "AdjustedMCLMC's decoherence is 0"),
        (lambda: GHMC(persistence=1.0), "GHMC's persistence is 1"),
        (lambda: Langevin(step_size=np.inf), "Langevin's step_size is inf"),
    ],
)
def test_refusals(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_harmonic_steps_stay_below_a_quarter_turn():
    stats = {"acceptance_rate": np.ones((2, 25))}
    for num_steps in (1, 3):
        tuned = Langevin(num_steps=num_steps).retuned(np.zeros((2, 25, 2)), stats, 100.0)
        np.testing.assert_allclose(tuned.step_size, np.pi / 2 / num_steps)


@pytest.mark.slow
def test_harmonic_draws_of_a_standard_normal_are_independent():
    target = CorrelatedGaussian(jnp.zeros(3), jnp.eye(3))
    sampler = Langevin(step_size=np.pi / 2, decoherence=0.3, jitter=0.0)
    state = sampler.init(target, jnp.ones(3), key=jr.key(0))
    states = jax.tree.map(lambda a: a[None], state)
    _, draws, infos = eqx.filter_jit(sampler.run_chunk)(target, states, jnp.asarray(4000), capacity=4000)
    np.testing.assert_allclose(infos.acceptance_rate, 1, atol=1e-12)
    x = np.asarray(draws.position[0])
    for values in (x[:, 0], x[:, 1] ** 2, np.asarray(draws.log_density[0])):
        correlation = np.corrcoef(values[1:], values[:-1])[0, 1]
        assert abs(correlation) < 5 / np.sqrt(4000)
