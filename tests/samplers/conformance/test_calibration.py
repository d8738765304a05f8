"""Joint tests over parameters and data: simulation-based calibration, and Geweke's."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jaxtyping import Array
from samplers.conformance.runs import with_step
from samplers.conformance.samplers import SAMPLERS
from scipy import stats

from cosmoflow.targets import AbstractTarget

TIMES = np.linspace(-1, 1, 5)
NUM_SETS = 2000
NUM_RANKED, THIN = 15, 8
ROUNDS, DRAWS = 10, 3


class Counts(AbstractTarget):
    """Poisson counts of mean e^((a + b t) / 2), under a standard normal prior of a and b: no posterior is narrow."""

    counts: Array
    dim: int = 2

    def log_density(self, x):
        log_mean = 0.5 * (x[0] + x[1] * jnp.asarray(TIMES, x.dtype))
        return -0.5 * (x @ x) + jnp.sum(self.counts * log_mean - jnp.exp(log_mean))

    def constrain(self, x):
        return {"a": x[0], "b": x[1]}


def simulate(x, key):
    return jr.poisson(key, jnp.exp(0.5 * (x[0] + x[1] * TIMES))).astype(x.dtype)


def chain(sampler, counts, start, key, num_draws, burn_in):
    """The draws of one chain on one data set."""
    target = Counts(counts)
    states = jax.tree.map(lambda leaf: leaf[None], sampler.init(target, start, key=key))
    if burn_in:
        states, _, _ = sampler.run_chunk(target, states, jnp.asarray(burn_in), capacity=burn_in)
    _, draws, _ = sampler.run_chunk(target, states, jnp.asarray(num_draws), capacity=num_draws)
    return draws.position[0]


def fine(name):
    return with_step(SAMPLERS[name].make(), SAMPLERS[name].fine)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_simulation_based_calibration(name):
    """The rank of the truth among posterior draws is uniform."""
    sampler, thin = fine(name), round(THIN / SAMPLERS[name].fine)

    @eqx.filter_jit
    @jax.vmap
    def rank(key):
        key_truth, key_data, key_start, key_run = jr.split(key, 4)
        truth = jr.normal(key_truth, (2,))
        counts = simulate(truth, key_data)
        num_draws = thin * (NUM_RANKED + 4)
        draws = chain(sampler, counts, jr.normal(key_start, (2,)), key_run, num_draws, 0)
        return jnp.sum(draws[4 * thin :: thin] < truth, axis=0)

    ranks = np.asarray(rank(jr.split(jr.key(3), NUM_SETS)))
    for of_parameter in ranks.T:
        assert stats.chisquare(np.bincount(of_parameter, minlength=NUM_RANKED + 1)).pvalue > 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_geweke(name):
    """Parameters and data drawn in turns from one another have the prior as their law."""
    sampler = fine(name)

    @eqx.filter_jit
    @jax.vmap
    def joint(key):
        def turn(x, key):
            key_data, key_run = jr.split(key)
            counts = simulate(x, key_data)
            return chain(sampler, counts, x, key_run, DRAWS, SAMPLERS[name].burn_in)[-1], None

        key_start, key_turns = jr.split(key)
        return jax.lax.scan(turn, jr.normal(key_start, (2,)), jr.split(key_turns, ROUNDS))[0]

    x = np.asarray(joint(jr.split(jr.key(4), NUM_SETS)))
    for parameter in x.T:
        assert stats.kstest(parameter, "norm").pvalue > 1e-5
    assert stats.kstest(np.sum(x**2, axis=1), stats.chi2(2).cdf).pvalue > 1e-5
