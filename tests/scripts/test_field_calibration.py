"""Calibration of unadjusted microcanonical Langevin on simulated convergence maps: it passes, five times its step not."""

import sys
from pathlib import Path

import jax.random as jr
import numpy as np
import pytest

from cosmoflow.samplers import MCLMC

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"
STEP = 0.5


@pytest.fixture
def skies(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import field_skies

    yield field_skies
    for name in [name for name in sys.modules if name.startswith(("field_", "cells"))]:
        del sys.modules[name]


def calibrated(skies, posterior, step, plan, num_skies):
    """The least p-value times the number of quantities, and the longest correlation time."""
    sampler = MCLMC(step_size=step)
    keys = jr.split(jr.key(3), num_skies)
    truth, draws, _ = skies.draw_skies(posterior, skies.coordinates(posterior), sampler, plan, keys)
    draws = np.asarray(draws)
    p = skies.uniformity(skies.ranks(np.asarray(truth), draws), plan.num_draws)
    return len(p) * np.min(p), np.max(skies.correlation_time(draws))


def test_uniform_ranks_pass_and_others_do_not(skies):
    rng = np.random.default_rng(0)
    draws, truth = rng.normal(size=(400, 39, 3)), rng.normal(size=(400, 3))
    assert np.min(skies.uniformity(skies.ranks(truth, draws), 39)) > 1e-3
    assert np.all(skies.uniformity(skies.ranks(truth, 0.7 * draws), 39) < 1e-3)
    assert np.all(skies.uniformity(skies.ranks(truth, draws + 0.4), 39) < 1e-3)
    np.testing.assert_allclose(skies.correlation_time(rng.normal(size=(200, 200, 2))), 1, atol=0.1)


def test_correlation_time_of_an_autoregressive_process(skies):
    rng, draws = np.random.default_rng(1), np.zeros((200, 400, 1))
    draws[:, 0] = rng.normal(size=(200, 1))
    for i in range(1, 400):
        draws[:, i] = 0.5 * draws[:, i - 1] + np.sqrt(0.75) * rng.normal(size=(200, 1))
    np.testing.assert_allclose(skies.correlation_time(draws), 3, rtol=0.1)


PLAN = {"thinning": 16, "num_draws": 39, "num_settling": 8}


@pytest.mark.slow
def test_calibration(skies):
    posterior, plan = skies.survey(16, 3.0), skies.Plan(**PLAN)
    least, time = calibrated(skies, posterior, STEP, plan, 200)
    assert time < 2
    assert least > 0.01
    least, _ = calibrated(skies, posterior, 5 * STEP, plan, 200)
    assert least < 0.01
