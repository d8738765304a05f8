"""The flow benchmark without its trainings: which cells it plans, what its targets and metrics are, its tables."""

import sys
from pathlib import Path

import jax.random as jr
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in [name for name in sys.modules if name.startswith(("flows_", "samplers_", "cells"))]:
        del sys.modules[name]


def test_grids_hold_every_cell_once(benchmarks):
    from flows_grid import CORE_TARGETS, MODELS, TARGETS, planned

    core, full = planned("core"), planned("full")
    assert len(set(core + full)) == len(core) + len(full) == 5 * len(TARGETS) * len(MODELS)
    assert {cell.target for cell in core} == set(CORE_TARGETS)
    assert sum(cell[:2] == ("moons", "real_nvp") for cell in core) == 3


def test_the_evidence_and_the_draws_of_many_wells_belong_to_its_density(benchmarks):
    from flows_targets import many_well

    what = many_well()
    wells = what.target.num_wells
    # arXiv:2208.01893: ln 11784.50927 + ln(2 pi) / 2 for each well
    assert what.log_evidence == pytest.approx(wells * (np.log(11784.50927) + 0.5 * np.log(2 * np.pi)), rel=1e-8)
    draws = what.draw(np.random.default_rng(0), 20_000)
    deep = what.mode_of(draws).mean(axis=0)
    np.testing.assert_allclose(deep, what.weights[1], atol=5 * 0.5 / np.sqrt(20_000))
    # E[x U'(x)] = 1, the virial theorem
    x = draws[:, ::2]
    virial = (x * (4 * x**3 - 12 * x - 0.5)).mean(axis=1)
    assert abs(virial.mean() - 1) < 5 * virial.std() / np.sqrt(len(virial))


def test_parameters_are_matched(benchmarks):
    from flows_grid import CORE_RIVALS, OURS
    from flows_models import model, num_parameters

    counts = {name: num_parameters(model(name, "nine_modes", 2, jr.key(0))) for name in (*OURS, *CORE_RIVALS)}
    most = counts["spline_coupling"]
    assert all(0.75 < counts[name] / most < 1.25 for name in CORE_RIVALS), counts
    assert all(counts[name] / most < 1.25 for name in OURS), counts  # the widths of these end before


@pytest.mark.slow
def test_metrics_of_the_target_itself(benchmarks):
    from flowjax.distributions import Normal
    from flows_metrics import ess_fractions, importance_weights, metrics, sliced_wasserstein
    from flows_targets import Problem

    from cosmoflow.targets import CorrelatedGaussian

    target = CorrelatedGaussian(np.zeros(2), np.eye(2))
    what = Problem(2, lambda rng, n: rng.standard_normal((n, 2)), target=target, log_evidence=0.0)
    found = metrics(what, Normal(np.zeros(2)), 0)
    assert abs(found["entropy_gap"]) < 1e-6
    assert found["ess_fraction"] == pytest.approx(1)
    assert found["sliced_wasserstein"] < 2 * found["sliced_wasserstein_floor"]
    wrong = Normal(np.ones(2))
    fractions = ess_fractions(importance_weights(wrong, target, jr.key(0)))
    assert fractions.shape == (10,)
    assert 0.03 < np.median(fractions) < 0.3  # e^-2
    x = np.random.default_rng(0).standard_normal((10_000, 2))
    assert sliced_wasserstein(x, x + 1, np.random.default_rng(1)) == pytest.approx(1, rel=0.1)  # |(1, 1)| / sqrt 2


def test_report(benchmarks):
    from flows_grid import Cell, planned
    from flows_report import report

    record = {
        "date": "2026-01-01",
        "commit": "0123456789abcdef",
        "machine": "a machine",
        "versions": {"cosmoflow": "0"},
        "parameters": 12000,
        "nll": 0.5,
        "sliced_wasserstein": 0.03,
        "sliced_wasserstein_floor": 0.02,
        "seconds_of_training": 10.0,
        "seconds_of_step": 0.002,
        "bytes_of_step": 3e6,
        "seconds_of_draws": 0.01,
    }
    records = {Cell("moons", "real_nvp", seed): record | {"nll": 0.5 + 0.1 * seed} for seed in range(3)}
    records[Cell("moons", "fixed_kinetic", 0)] = record | {"failure": "no loss was finite"}
    text = report(records, {"core": planned("core")})
    assert f"4 of {len(planned('core'))} cells of the core grid" in text
    assert "| real_nvp | 12000 |  | 0.6 (0.5, 0.7) |  | 1.5 |  |  |  |  |  |  | 10 | 2 | 3 | 10 |" in text
    assert "| fixed_kinetic | 1 failed: no loss was finite |" in text
