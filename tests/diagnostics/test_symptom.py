"""Runs that ran away, and chains that froze, are told from sound ones."""

import numpy as np
import pytest

from cosmoflow._results import Status
from cosmoflow.diagnostics import frozen_chains, symptom


def as_draws(x):
    """Log-density, squared norm and coordinates of positions of shape (chain, draw, dim)."""
    square = np.sum(x**2, axis=2, keepdims=True)
    return np.concatenate([-0.5 * square, square, x], axis=2)


def noise(num_chains=4, num_draws=2000, dim=2, seed=0):
    return np.random.default_rng(seed).normal(size=(num_chains, num_draws, dim))


@pytest.mark.parametrize("seed", range(20))
def test_sound_runs(seed):
    """Independent draws, heavy tails, and chains with fifty effective draws."""
    x = noise(seed=seed)
    assert symptom(as_draws(x)) is None
    assert symptom(as_draws(np.random.default_rng(seed).standard_t(2, size=x.shape))) is None
    for i in range(1, 2000):
        x[:, i] = 0.95 * x[:, i - 1] + 0.3 * x[:, i]
    assert symptom(as_draws(x)) is None


@pytest.mark.parametrize("seed", range(5))
def test_walks_without_an_end(seed):
    x = np.cumsum(noise(seed=seed, dim=5), axis=1)
    status, why = symptom(as_draws(x))
    assert status is Status.RUNAWAY and "grew" in why
    straight = np.arange(2000.0)[:, None] * noise(seed=seed)[:, :1]
    assert symptom(as_draws(straight))[0] is Status.RUNAWAY


def test_overflow():
    x = noise()
    x[1, 1500:] = np.nan
    assert symptom(as_draws(x)) == (Status.RUNAWAY, "the positions overflow")


def test_frozen_chains():
    x = noise()
    assert frozen_chains(as_draws(x)) == []
    x[1] = x[1, :1]
    x[3] *= 0.05
    assert frozen_chains(as_draws(x)) == [1, 3]
    assert symptom(as_draws(x)) == (Status.FROZEN, "chain 1, 3")
    assert frozen_chains(as_draws(x[:, :50])) == []
    assert frozen_chains(as_draws(x[1:2])) == [0]
    narrow = noise()
    narrow[0, :, 0] *= 0.01
    assert frozen_chains(as_draws(narrow)) == []
