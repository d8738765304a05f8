"""What a run will take is known before it takes it."""

import re
import time

import jax
import numpy as np
import pytest

from cosmoflow.fields import (
    GaussianField,
    Grid,
    LogNormalField,
    TabulatedPower,
    check_memory,
    memory_available,
    memory_needed,
)
from cosmoflow.fields._memory import MODEL_NUMBERS
from cosmoflow.likelihoods import FieldLevel, GaussianNoise

MODELS = {"gaussian": GaussianField, "log_normal": LogNormalField}


@pytest.mark.parametrize("name", MODELS)
def test_value_and_gradient_take_no_more_than_is_stated(name):
    grid = Grid((32, 32, 32), 160.0)
    power = TabulatedPower(np.array([0.01, 1.0]), np.array([1e4, 100.0]))
    likelihood = FieldLevel(MODELS[name](grid, power), GaussianNoise(1.0), np.zeros(grid.shape))
    point = {"white_noise": jax.ShapeDtypeStruct(grid.shape, float)}
    program = jax.jit(jax.value_and_grad(lambda p, likelihood: likelihood.log_likelihood(p)))
    used = program.lower(point, likelihood).compile().memory_analysis()
    sizes = used.temp_size_in_bytes + used.argument_size_in_bytes + used.output_size_in_bytes
    assert 0.5 < sizes / (8 * grid.num_cells) / MODEL_NUMBERS[name] < 1.1


def test_a_grid_that_cannot_fit_is_refused_at_once_with_both_numbers():
    held, began = len(jax.live_arrays()), time.process_time()
    with pytest.raises(ValueError, match=r"needs about [\d.e+]+ GB .* but [\d.]+ GB .*4096") as refused:
        check_memory((4096, 4096, 4096), num_chains=4, chunk=50, dtype="float32")
    assert time.process_time() - began < 1
    assert len(jax.live_arrays()) == held
    needed = float(re.findall(r"about (\S+) GB", str(refused.value))[0])
    assert needed == pytest.approx(4096**3 * 4 * 4 * (100 + 32 + MODEL_NUMBERS["lagrangian"]) / 1e9, rel=5e-3)


def test_a_small_grid_passes():
    check_memory((16, 16, 16), num_chains=4, chunk=10)
    assert 1e6 < memory_available() < 1e15


def test_the_need_grows_with_what_is_asked_for():
    small = memory_needed((16, 16, 16), chunk=10, dtype="float32")
    assert memory_needed((16, 16, 16), chunk=10, dtype="float64") == 2 * small
    assert memory_needed((16, 16, 16), chunk=10, num_chains=3, dtype="float32") == 3 * small
    assert memory_needed((16, 16, 32), chunk=10, dtype="float32") == 2 * small
    assert memory_needed((16, 16, 16), chunk=10, every=10, dtype="float32") == small - 9 * 4 * 16**3
