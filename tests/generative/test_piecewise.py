"""Piecewise deterministic models: the forward law and its reversal against Kolmogorov's equation, limits, errors."""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from generative.kolmogorov import Data, ExactRatios, ExactVelocity, Stationary, solve, vmapped
from scipy import stats

from cosmoflow.generative import (
    BouncyParticleModel,
    ForwardEventChainModel,
    RandomisedHamiltonianModel,
    ZigZagModel,
)

HORIZON = 10.0
MODELS = {
    "bouncy_particle": BouncyParticleModel,
    "forward_event_chain": ForwardEventChainModel,
    "randomised_hamiltonian": RandomisedHamiltonianModel,
    "zig_zag": ZigZagModel,
}
names = pytest.mark.parametrize("name", MODELS)


@cache
def solution(name):
    dt, stride = {"zig_zag": (0.01, 5), "randomised_hamiltonian": (0.05, 1)}.get(name, (0.1, 1))
    return solve(name, HORIZON, dt, stride)


def exact(name):
    law = ExactRatios if name == "zig_zag" else ExactVelocity
    return MODELS[name](1, law.of(solution(name), HORIZON), HORIZON)


def forward_rates(name, dim=1):
    return MODELS[name](dim, (lambda x, clock, c: jnp.zeros(dim)) if name == "zig_zag" else Stationary(dim))


def z_scores(observed, expected):
    """Of probabilities of events, from indicators."""
    expected = np.asarray(expected)
    return (observed.mean(axis=0) - expected) / np.sqrt(expected * (1 - expected) / len(observed))


@names
def test_forward_law_solves_kolmogorovs_equation(name):
    starts = jnp.asarray(Data.sample(np.random.default_rng(0), 40_000))
    model, points = forward_rates(name), np.linspace(-2, 2, 9)
    run = jax.jit(jax.vmap(lambda x, t, k: model.noised(x[None], t, key=k), (0, None, 0)))
    law = solution(name)
    for time in (0.5, 1.5, 3.0):
        x, v = (np.asarray(a[:, 0]) for a in run(starts, jnp.asarray(time), jr.split(jr.key(1), starts.size)))
        right = law.at(time)[:, law.v > 0].sum(axis=1)
        edges = law.x + (law.x[1] - law.x[0]) / 2
        joint = np.interp(points, edges, np.cumsum(right))
        assert np.max(np.abs(z_scores(x[:, None] < points, law.cdf(time, points)))) < 5
        assert np.max(np.abs(z_scores((x[:, None] < points) & (v[:, None] > 0), joint))) < 5
        assert np.max(np.abs(z_scores(x[:, None] < points, law.cdf(time + 0.1, points)))) > 5  # a little later


@names
def test_grids_have_converged(name):
    points, fine = np.linspace(-3, 3, 25), solve(name, 1.0, 0.005 if name == "zig_zag" else 0.05)
    assert np.max(np.abs(solution(name).cdf(1.0, points) - fine.cdf(1.0, points))) < 8e-4
    assert solution(name).distance(HORIZON) < 0.01


def test_the_grid_of_the_hamiltonian_process_has_its_moments():
    law, times = solution("randomised_hamiltonian"), np.array([0.5, 1.0, 2.5])
    omega = np.sqrt(3) / 2  # m'' + lambda_r m' + m = 0, m(0) = mean, m'(0) = 0, for lambda_r = 1
    means = Data.mean * np.exp(-times / 2) * (np.cos(omega * times) + np.sin(omega * times) / np.sqrt(3))
    np.testing.assert_allclose([law.at(t).sum(axis=1) @ law.x for t in times], means, atol=1e-3)


QUANTILE = -1.7
SPLIT = 0.0


def discrepancies(draws):
    """Mean, variance, weight of a mode and a quantile of draws, in standard errors from those of the data."""
    n, deviations = len(draws), draws - Data.mean
    kurtosis = np.mean(deviations**4) / Data.variance**2
    return np.array(
        [
            deviations.mean() / np.sqrt(Data.variance / n),
            (np.mean(deviations**2) / Data.variance - 1) / np.sqrt((kurtosis - 1) / n),
            *z_scores(draws[:, None] < np.array([SPLIT, QUANTILE]), Data.cdf(np.array([SPLIT, QUANTILE]))),
        ]
    )


@names
def test_reversal_with_exact_rates_returns_the_data(name):
    draws = vmapped(lambda k: exact(name).sample(k, num_steps=200)[0], 10_000, jr.key(2))
    print(name, discrepancies(draws))
    assert np.max(np.abs(discrepancies(draws))) < 5


@names
def test_reversal_with_forward_rates_stays_noise(name):
    draws = vmapped(lambda k: forward_rates(name).sample(k, num_steps=50)[0], 10_000, jr.key(3))
    assert np.min(np.abs(discrepancies(draws))[[0, 2]]) > 20
    assert stats.kstest(draws, "norm").pvalue > 1e-4
