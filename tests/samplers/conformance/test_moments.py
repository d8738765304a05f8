"""Moments of convex, skewed, heavy-tailed, bounded and multimodal laws, by long runs of every sampler."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from samplers.conformance.runs import with_step
from samplers.conformance.samplers import SAMPLERS
from samplers.conformance.targets import TARGETS, energies

NUM_CHAINS, NUM_DRAWS, SEEDS = 128, 1600, 3
NUM_EXACT = 1_000_000
LEAST_ESS = 500


def columns(target, draws):
    """x_i, x_i^2 and U of draws of any leading shape, along a last axis."""
    return np.concatenate([draws, draws**2, np.asarray(energies(target, jnp.asarray(draws)))[..., None]], axis=-1)


@functools.cache
def truth(name):
    """Means and standard deviations, from very many exact draws."""
    target = TARGETS[name]()
    exact = columns(target, np.asarray(target.sample(jr.key(200), (NUM_EXACT,))))
    return exact.mean(axis=0), exact.std(axis=0)


@functools.cache
def chunk(name):
    sampler = with_step(SAMPLERS[name].make(), SAMPLERS[name].fine)
    num_draws = NUM_DRAWS * SAMPLERS[name].patience

    @eqx.filter_jit
    def run(target, starts, key):
        keys = jr.split(key, NUM_CHAINS)
        states = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(starts, keys)
        burn_in = jnp.asarray(SAMPLERS[name].burn_in)
        states, _, _ = sampler.run_chunk(target, states, burn_in, capacity=num_draws)
        return sampler.run_chunk(target, states, jnp.asarray(num_draws), capacity=num_draws)[1].position

    return run


def scores(name, law, seed):
    """(mean - exact) / standard error from chains that start from exact draws, and effective sizes."""
    target = TARGETS[law]()
    key_start, key_run = jr.split(jr.key(seed))
    draws = chunk(name)(target, target.sample(key_start, (NUM_CHAINS,)), key_run)
    mean, sd = truth(law)
    means = columns(target, np.asarray(draws)).mean(axis=1)
    error = means.std(axis=0, ddof=1) / np.sqrt(NUM_CHAINS)
    return (means.mean(axis=0) - mean) / np.hypot(error, sd / np.sqrt(NUM_EXACT)), (sd / error) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_moments(name):
    found = {(law, seed): scores(name, law, seed) for law in TARGETS for seed in range(SEEDS)}
    z = np.concatenate([score for score, _ in found.values()])
    assert len(z) >= 50
    for (law, seed), (_, sizes) in found.items():
        assert sizes.min() > LEAST_ESS, f"{law}, seed {seed}: ESS {sizes.min():.0f}"
    assert np.max(np.abs(z)) < 4
    assert 0.6 < np.sqrt(np.mean(z**2)) < 1.5
