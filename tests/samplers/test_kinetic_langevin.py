"""Kinetic Langevin dynamics: exact for Gaussian targets, biased elsewhere, tuned, and safe beyond its stability."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.samplers import MCLMC, KineticLangevin
from cosmoflow.targets import CorrelatedGaussian, Skewed

NUM_CHAINS = 4000
WIDTHS = jnp.array([0.8, 1.0, 1.6, 2.5])
GAUSSIAN = CorrelatedGaussian(jnp.zeros(4), jnp.diag(WIDTHS**2))
SKEWED = Skewed(jnp.array([1.0, 2.0, 3.0, 5.0]))


@eqx.filter_jit
def evolve(sampler, target, starts, num_draws, key):
    states = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(starts, jr.split(key, len(starts)))
    return sampler.run_chunk(target, states, num_draws, capacity=50)


def relative_variances(sampler, target, starts, mean):
    """Of the last draws of independent chains, over those of the target, and what 5 sigma of them is."""
    _, draws, _ = evolve(sampler, target, starts, jnp.asarray(50), jr.key(1))
    x = np.asarray(draws.position[:, -1])
    return np.mean((x - mean) ** 2, axis=0) / np.asarray(target.variance()), 5 * np.sqrt(2 / NUM_CHAINS)


@pytest.mark.slow
def test_gaussian_variances_are_exact_at_long_steps():
    starts = WIDTHS * jr.normal(jr.key(0), (NUM_CHAINS, 4))
    variances, error = relative_variances(KineticLangevin(step_size=1.2), GAUSSIAN, starts, 0.0)
    assert np.all(np.abs(variances - 1) < error)
    wrong, error = relative_variances(MCLMC(step_size=2.4), GAUSSIAN, starts, 0.0)
    assert np.any(np.abs(wrong - 1) > error)


@pytest.mark.slow
def test_bias_and_equipartition_fall_with_the_step():
    starts = jnp.log(np.random.default_rng(0).gamma(SKEWED.concentration, size=(NUM_CHAINS, 4)))

    def equipartition(step_size):
        _, _, infos = evolve(KineticLangevin(step_size=step_size), SKEWED, starts, jnp.asarray(50), jr.key(1))
        return abs(float(np.mean(infos.equipartition[:, 20:])) - 1)

    assert equipartition(0.2) < 0.02 < equipartition(1.0)


def stats(*, energy=1.0, diverging=False, non_finite=0):
    shape = (4, 50)
    return {
        "energy_change": np.full(shape, energy),
        "diverging": np.full(shape, diverging) & (np.arange(50) == 0),
        "non_finite": np.full(shape, non_finite),
    }


def retuned(kernel: Any, times: int = 1, scale: float = 1.0, gain: float = 1.0, **found: Any) -> Any:
    positions = scale * np.asarray(jr.normal(jr.key(0), (4, 50, 2000)))
    for _ in range(times):
        kernel = kernel.retuned(positions, stats(**found), gain)
    return kernel


def test_the_step_is_tuned_by_its_error_of_energy():
    kernel = KineticLangevin(step_size=0.5)
    assert retuned(kernel).step_size > 0.5
    assert retuned(kernel, energy=10.0).step_size < 0.5
    assert retuned(kernel, non_finite=1).step_size < 0.5
    stricter = KineticLangevin(step_size=0.5, bias=0.01)
    assert retuned(stricter).step_size < retuned(kernel).step_size


def test_a_step_that_diverged_is_avoided_for_a_while():
    kernel = retuned(KineticLangevin(step_size=0.5), diverging=True)
    assert np.isclose(kernel.step_size, 0.35) and np.isclose(kernel.stable_step, 0.35)
    kernel = retuned(kernel)
    assert 0.35 < kernel.step_size < 0.4
    assert retuned(kernel, times=60).step_size == kernel.longest_step


def test_what_diverges_on_the_way_from_the_start_shortens_the_step_for_once():
    kernel = retuned(KineticLangevin(step_size=0.5), gain=2.0, diverging=True)
    assert np.isclose(kernel.step_size, 0.35)
    assert retuned(kernel).step_size > 0.5


def test_the_momentum_is_tuned_to_persist_for_twice_the_longest_scale():
    assert np.isclose(float(retuned(KineticLangevin(step_size=0.5), 20, 3.0).decoherence), 6.0, rtol=0.02)


@pytest.mark.slow
def test_steps_beyond_stability_are_undone_and_counted():
    starts = WIDTHS * jr.normal(jr.key(0), (50, 4))
    _, draws, infos = evolve(KineticLangevin(step_size=4.0), GAUSSIAN, starts, jnp.asarray(50), jr.key(1))
    undone = np.asarray(infos.diverging)
    assert undone.any()
    assert np.all(np.diff(np.asarray(draws.position), axis=1)[undone[:, 1:]] == 0)
    assert np.max(np.abs(draws.position)) < 1e3


def test_refusals():
    with pytest.raises(ValueError, match="KineticLangevin's step_size is 0"):
        KineticLangevin(step_size=0.0)
