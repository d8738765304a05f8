"""The bias of unadjusted samplers falls as the square of their step."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from samplers.conformance.runs import CAPACITY, NUM_CHAINS, Runs
from samplers.conformance.samplers import SAMPLERS, Entry

from cosmoflow.targets import CorrelatedGaussian

LAW = CorrelatedGaussian([0.0, 0.0, 0.0], np.diag([1.0, 1.0, 1.0]))


def bias(name, factor):
    """Of E[|x|^2] / d, with its standard error, after chains of equal physical length."""
    entry = SAMPLERS[name]
    runs = Runs(Entry(entry.make, fine=factor))
    states = runs.states(LAW, starts=LAW.sample(jr.key(1), (NUM_CHAINS,)))
    rounds = round(4 / factor)
    states, *_ = runs.draws(LAW, states=states, lengths=(CAPACITY,) * rounds)
    _, draws, _ = runs.draws(LAW, states=states, lengths=(CAPACITY,))
    means = np.mean(draws.position**2, axis=(1, 2))
    return means.mean() - 1, means.std() / np.sqrt(NUM_CHAINS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in SAMPLERS.items() if not entry.exact])
def test_bias_extrapolates_to_zero(name):
    steps = jnp.asarray([2.0, 1.0, 0.5])
    values, errors = np.transpose([bias(name, float(factor)) for factor in steps])
    assert abs(values[0]) > 10 * errors[0]
    assert abs(values[-1]) < 0.01
    extrapolated = (4 * values[2] - values[1]) / 3
    assert abs(extrapolated) < 5 * np.hypot(4 * errors[2], errors[1]) / 3 + 0.1 * abs(values[1])
