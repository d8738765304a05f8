"""Statistical assertions shared by the tests, and where official files lie."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base import array_stats


def effective_size(values):
    """Effective sample size of a mean, from draws of shape (chain, draw)."""
    return float(array_stats.ess(np.asarray(values), chain_axis=0, draw_axis=1, method="mean"))


def z_score(values, exact):
    """(mean - exact) / MCSE and the effective sample size, from draws of shape (chain, draw)."""
    size = effective_size(values)
    return (np.mean(values) - exact) / (np.std(values) / np.sqrt(size)), size


def assert_moments(draws, target, *, min_ess, sigmas=5.0):
    """First and second moments of every coordinate within `sigmas` of the exact ones, at a guaranteed ESS.

    The draws have shape (chain, draw, dim).
    """
    mean, second = np.asarray(target.mean()), np.asarray(target.variance() + target.mean() ** 2)
    for i in range(draws.shape[-1]):
        for power, exact in ((1, mean[i]), (2, second[i])):
            z, size = z_score(draws[..., i] ** power, exact)
            assert size > min_ess, f"ESS of x[{i}]^{power} is {size:.0f}, below the gate of {min_ess}"
            assert abs(z) < sigmas, f"E[x[{i}]^{power}] is {z:.1f} MCSE from {exact:.4g}"


def official_supernovae(name):
    """The folder of an official data set inside the package cosmofit; without it the test is skipped."""
    pytest.importorskip("cosmofit", reason="the official files come with the package cosmofit")
    folder = {"pantheon_plus": "pantheon-plus-sh0es", "des_dovekie": "des-sn5yr"}[name]
    return Path(str(files("cosmofit"))) / "data" / "sn" / folder
