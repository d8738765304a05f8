"""The bias of a step size: found where it is, in the right size, and not found where there is none."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.samplers import MCLMC, Langevin, ZigZag
from cosmoflow.targets import Skewed
from cosmoflow.warmup import step_bias

TARGET = Skewed(jnp.array([1.0, 2.0, 5.0]))
NUM_CHAINS = 16


def estimate(sampler):
    return step_bias(TARGET, sampler, TARGET.sample(jr.key(0), (NUM_CHAINS,)), num_draws=4000, key=jr.key(1))


def exact_bias(sampler):
    """Of means and squares, in standard deviations, from a long run and the exact moments."""
    states = jax.vmap(lambda x, k: sampler.init(TARGET, x, key=k))(
        TARGET.sample(jr.key(2), (NUM_CHAINS,)), jr.split(jr.key(3), NUM_CHAINS)
    )
    run = jax.jit(lambda s, n: sampler.run_chunk(TARGET, s, n, capacity=20_000)[1])
    x = np.asarray(run(states, jnp.asarray(20_000)).position[:, 2000:])
    mean, variance = np.asarray(TARGET.mean()), np.asarray(TARGET.variance())
    squares = (x - mean) ** 2
    square = (np.mean(squares, axis=(0, 1)) - variance) / np.std(squares, axis=(0, 1))
    return (np.mean(x, axis=(0, 1)) - mean) / np.sqrt(variance), square


@pytest.mark.slow
def test_a_large_step_is_found_out_and_its_bias_has_the_right_size():
    sampler = MCLMC(step_size=1.2, decoherence=1.5)
    found = estimate(sampler)
    assert found.significance > 5
    assert found.largest > 0.05
    mean, square = exact_bias(sampler)
    assert np.max(np.abs(square)) > 0.05
    np.testing.assert_array_less(np.abs(found.mean["x"] - mean), 3 * found.mean_error["x"] + 0.01)
    np.testing.assert_array_less(np.abs(found.square["x"] - square), 3 * found.square_error["x"] + 0.01)
    assert np.all(found.square_error["x"] < 0.02)


@pytest.mark.parametrize(
    "sampler",
    [
        MCLMC(step_size=0.2, decoherence=1.5),
        pytest.param(Langevin(step_size=1.2, decoherence=1.5), marks=pytest.mark.slow),
    ],
)
def test_a_small_step_and_a_test_leave_no_bias(sampler):
    found = estimate(sampler)
    assert found.significance < 4
    assert all(np.all(error["x"] < 0.1) for error in (found.mean_error, found.square_error))


def test_a_sampler_without_a_step_is_refused():
    with pytest.raises(ValueError, match="ZigZag does not have"):
        estimate(ZigZag())
