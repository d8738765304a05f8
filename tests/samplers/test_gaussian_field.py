"""Samplers on a Gaussian field, whose posterior is known mode by mode: mean, variance and P(k) in bands of |k|."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.targets import log_standard_normal

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def field(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import gaussian_field

    yield gaussian_field
    for name in ("gaussian_field", "cells"):
        del sys.modules[name]


def sampled(field, name, size, num_draws, *, noise=1.0, factor=1.0):
    """One sampler, whose target may have another noise than the truth it is compared with."""
    truth, setup = field.field_posterior(size), field.SETUPS[name]
    target = field.field_posterior(size, noise=noise)
    return field.run(
        setup.make(),
        field.target_of(target, setup.response),
        field.bands_of(truth),
        num_draws=num_draws,
        key=jr.key(0),
        factor=factor,
    )


def test_the_exact_posterior_is_that_of_the_density(field):
    """Draws of the Wiener filter have the numbers one, and the density is theirs up to a constant."""
    posterior = field.field_posterior(8)
    bands = field.bands_of(posterior)
    white = jr.normal(jr.key(0), (2000, 8, 8, 8))
    draws = bands.mean + jnp.sqrt(bands.variance) * white
    log_density = jax.jit(jax.vmap(lambda x: posterior.log_density(x)))(draws[:4].reshape(4, -1))
    excess = log_density - jax.vmap(lambda z: log_standard_normal(z.ravel()))(white[:4])
    np.testing.assert_allclose(excess, excess[0], atol=1e-7)
    values = np.asarray(jax.jit(jax.vmap(lambda x: bands(x)))(draws))
    assert np.max(np.abs(values.mean(axis=0) - 1) / (values.std(axis=0) / np.sqrt(2000))) < 5


def test_a_sampler_is_right_and_another_noise_is_noticed(field):
    assert field.passes(sampled(field, "Langevin", 8, 1000))
    wrong = sampled(field, "Langevin", 8, 1000, noise=1.1)
    assert np.max(np.abs(wrong["z"])) > 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MCLMC", "AdjustedMCLMC", "Langevin", "GHMC, harmonic", "MALT", "NUTS", "Boomerang"])
def test_32_cubed(field, name):
    record = sampled(field, name, 32, field.SETUPS[name].num_draws)
    assert field.passes(record), (record["z"], record["ess"])


@pytest.mark.slow
def test_five_times_the_step_is_noticed(field):
    assert not field.passes(sampled(field, "MCLMC", 32, 1000, factor=5.0))
