import math

import numpy as np
import pytest

from cosmoflow.diagnostics import convergence, nested_rhat


def autoregressive(rho: float, *, num_chains: int = 4, num_draws: int = 20_000, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(num_draws, num_chains))
    draws = np.empty_like(noise)
    draws[0] = noise[0]
    for i in range(1, num_draws):
        draws[i] = rho * draws[i - 1] + math.sqrt(1 - rho**2) * noise[i]
    return draws.T


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5, 0.9])
def test_autoregressive_chain(rho):
    found = convergence(autoregressive(rho))
    exact = 80_000 * (1 - rho) / (1 + rho)
    assert found.ess_mean == pytest.approx(exact, rel=0.1)
    assert found.ess_bulk == pytest.approx(exact, rel=0.1)
    assert found.mcse_mean == pytest.approx(1 / math.sqrt(exact), rel=0.1)
    # the autocorrelation of x^2 is rho^2
    assert found.ess_sd == pytest.approx(80_000 * (1 - rho**2) / (1 + rho**2), rel=0.1)
    assert found.rhat < 1.01
    assert found.ess_tail > 1000


def test_one_chain():
    found = convergence(autoregressive(0.5, num_chains=1))
    assert found.rhat < 1.01
    assert convergence(np.linspace(0, 1, 1001)[None]).rhat > 1.5


def test_chains_that_disagree():
    draws = autoregressive(0.5)
    assert convergence(draws + 3 * np.arange(4)[:, None]).rhat > 1.5
    assert convergence(draws * np.asarray([1, 1, 1, 5])[:, None]).rhat > 1.01


def stuck(draws):
    draws[1] = 0.3


def constant(draws):
    draws[:] = 1.0


def apart(draws):
    draws[:] = np.arange(4.0)[:, None]


def not_a_number(draws):
    draws[0, 5] = np.nan


def infinite(draws):
    draws[0, 5] = -np.inf


@pytest.mark.parametrize("spoil", [stuck, constant, apart, not_a_number, infinite])
def test_failures_are_flagged(spoil):
    draws = autoregressive(0.0, num_draws=100)
    spoil(draws)
    found = convergence(draws)
    assert found.rhat == math.inf
    assert found.ess_bulk == found.ess_tail == found.ess_mean == 0
    assert found.mcse_mean == math.inf


def test_too_few_draws():
    assert convergence(autoregressive(0.0, num_draws=5)).rhat == math.inf


def test_integers_and_booleans():
    draws = autoregressive(0.0, num_draws=500)
    assert convergence(draws > 0).ess_mean > 500
    assert convergence(np.round(draws).astype(int)).rhat < 1.02


def test_nested_rhat_of_many_short_chains():
    """By its definition, and where ordinary R-hat has too few draws to say anything."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(4, 32, 1))
    assert nested_rhat(noise.reshape(128, 1), 4) < 1.1
    starts = 3 * np.arange(4.0)[:, None, None]
    means, variances = (noise + starts).mean(axis=(1, 2)), noise.var(axis=(1, 2), ddof=1)
    expected = math.sqrt(1 + means.var(ddof=1) / variances.mean())
    assert nested_rhat((noise + starts).reshape(128, 1), 4) == pytest.approx(expected, rel=1e-12)
    longer = rng.normal(size=(6, 50))
    within = longer.var(axis=1, ddof=1).reshape(3, 2).mean(axis=1) + longer.mean(axis=1).reshape(3, 2).var(
        axis=1, ddof=1
    )
    between = longer.mean(axis=1).reshape(3, 2).mean(axis=1).var(ddof=1)
    assert nested_rhat(longer, 3) == pytest.approx(math.sqrt(1 + between / within.mean()), rel=1e-12)
    assert nested_rhat(np.ones((4, 10)), 2) == math.inf
    with pytest.raises(ValueError, match="6 chains cannot be parted"):
        nested_rhat(longer, 4)
