"""The study of generative models without its trainings: its grids, what it measures, and what it says of few seeds."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in [name for name in sys.modules if name.startswith(("generative_", "flows_", "samplers_", "cells"))]:
        del sys.modules[name]


def test_grids_are_parts_of_the_full_one():
    from generative_grid import BROAD_METHODS, GRIDS, TARGETS

    full = set(GRIDS["full"])
    assert len(full) == len(GRIDS["full"]) == 11 * (len(TARGETS) * 5) - 4 * 5  # no dense models of boxes
    assert all(set(cells) <= full for cells in GRIDS.values())
    assert len(GRIDS["core"]) == 110
    assert len(GRIDS["broad"]) == len(BROAD_METHODS) * len(TARGETS) - 3


def test_operations_of_known_functions():
    from generative_costs import operations

    def convolution(x, kernel):
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID")

    x, kernel = jnp.zeros((1, 3, 8, 8)), jnp.zeros((5, 3, 3, 3))
    assert operations(convolution, x, kernel) == 2 * 5 * 36 * 27
    assert operations(jnp.matmul, jnp.zeros((4, 6)), jnp.zeros((6, 5))) == 2 * 4 * 5 * 6
    assert operations(jnp.fft.rfft, jnp.zeros(14)) == pytest.approx(5 * 8 * np.log2(14))
    assert operations(lambda x: jax.lax.scan(lambda c, _: (jnp.sin(c), None), x, length=3)[0], jnp.zeros(5)) == 15


def test_coverage_of_the_same_law_and_of_half_of_it():
    from generative_metrics import coverage

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2000, 3))
    assert coverage(x, y) == pytest.approx(1 - 2**-5, abs=0.02)
    assert coverage(x[x[:, 0] > 0], y) == pytest.approx(0.5, abs=0.06)
    assert coverage(x + 20, y) == 0


def gaussian_fields(rng, num, slope):
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(16), np.fft.rfftfreq(16), indexing="ij"))
    modes = np.fft.rfft2(rng.standard_normal((num, 16, 16))) * (k + 1 / 16) ** slope
    return np.fft.irfft2(modes).reshape(num, -1)


def test_statistics_of_fields_tell_laws_apart():
    from generative_fields import differences, peaks

    rng = np.random.default_rng(0)
    same, reference = (gaussian_fields(rng, 500, -1.0) for _ in range(2))
    floor = differences(same, reference, (16, 16))
    assert floor["power"] < 0.06 and floor["one_point"] < 0.05 and floor["peaks"] < 0.05
    redder = differences(gaussian_fields(rng, 500, -1.3), reference, (16, 16))
    assert redder["power"] > 0.1 and redder["peaks"] > 0.15
    skewed = differences(np.exp(0.5 * same / same.std()), reference, (16, 16))
    assert skewed["one_point"] > 0.3
    one = np.zeros((2, 16, 16))
    one[:, 0, 0] = 5.0  # the rest is flat, and each of its cells as high as its neighbours
    one += 1e-3 * np.indices((16, 16)).sum(axis=0)
    assert peaks(one.reshape(2, -1), (16, 16))[-1] == 1


def record(distances, seconds=None):
    point = {"way": "", "evaluations": 1, "forward_equivalents": 1.0, "seconds_of_training": 1.0, "parameters": 5}
    measured = {"sliced_wasserstein": 1.0, "mmd": 1.0, "wasserstein": 1.0, "seconds_of_draws": 1.0}
    return {
        "date": "2026-01-01",
        "commit": "0123456789",
        "machine": "a machine",
        "versions": {},
        "training_steps": 100,
        "floor": measured,
        "points": [point | measured | {"steps": n, "sliced_wasserstein": d} for n, d in distances.items()],
    } | ({} if seconds is None else {"seconds": seconds})


def test_one_seed_has_no_verdict_and_times_are_summed():
    from generative_grid import GRIDS, Cell
    from generative_report import measured_time, report
    from generative_verdict import advantage

    flow = dict.fromkeys((1, 2, 5, 10), 0.1)
    diffusion = dict.fromkeys((1, 2, 5, 10, 20, 50, 100), 0.2)
    records = {
        Cell("rose", method, seed): record(points, seconds)
        for method, points in (("hamiltonian_flow", flow), ("diffusion", diffusion))
        for seed, seconds in ((0, 60.0), (1, None))
    }
    many = advantage(records, "rose", 1, "evaluations", "sliced_wasserstein")
    assert (str(many), many.verdict) == ("never (never, never)", "supported")
    few = {cell: kept for cell, kept in records.items() if cell.seed == 0}
    one = advantage(few, "rose", 1, "evaluations", "sliced_wasserstein")
    assert (str(one), one.verdict) == ("never", "one seed")
    said = measured_time(records, GRIDS)
    assert "broad 2.0 (2 of 69 cells)" in said and "full 2.0 (2 of 640 cells, 2 more without a clock)" in said
    page = report(few, GRIDS)
    assert "100 steps of training on batches of 256" in page and "| diffusion (v) | 0.2 | 0.2 |" in page
