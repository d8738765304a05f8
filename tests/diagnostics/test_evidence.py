"""Stepping stones from bridges whose ratios are known."""

import numpy as np

from cosmoflow.chains import Chain
from cosmoflow.diagnostics import stepping_stone, summarize


def gaussian_path(seed, num_draws=2000):
    """Rungs exp(-b x^2 / 2) N(x; 0, 1), drawn exactly: Z(b) = (1 + b)^-1/2."""
    rng = np.random.default_rng(seed)
    ladder = np.array([0.0, 2.0, 6.0])
    x = rng.standard_normal((4, num_draws, 3)) / np.sqrt(1 + ladder)
    half = -0.25 * np.diff(ladder) * np.stack([x[..., :2] ** 2, x[..., 1:] ** 2])
    stats = {
        "lp": x[..., -1],
        "log_bridge_hot": half[0],
        "log_bridge_cold": -half[1],
        "swap_rejection": np.full((4, num_draws, 2), 0.25),
        "round_trips": np.ones((4, num_draws), np.int32),
    }
    return Chain({"x": x[..., -1]}, stats)


def test_value_and_error():
    found = [stepping_stone(gaussian_path(seed)) for seed in range(60)]
    z = [(one.log_evidence + 0.5 * np.log(7)) / one.log_evidence_error for one in found]
    assert max(map(abs, z)) < 4
    assert 0.75 < np.std(z) < 1.25
    assert (found[0].barrier, found[0].num_rungs, found[0].round_trips) == (0.5, 3, 8000)


def test_large_weights_do_not_overflow():
    chain = gaussian_path(0)
    plain = stepping_stone(chain).log_evidence
    chain.sample_stats["log_bridge_hot"] = chain.sample_stats["log_bridge_hot"] + 1e4
    np.testing.assert_allclose(stepping_stone(chain).log_evidence, plain + 2e4, rtol=1e-12)


def test_a_wrong_sign_is_seen():
    chain = gaussian_path(1)
    chain.sample_stats["log_bridge_cold"] *= -1
    found = stepping_stone(chain)
    assert abs(found.log_evidence + 0.5 * np.log(7)) > 10 * found.log_evidence_error


def test_in_the_summary():
    summary = summarize(gaussian_path(2))
    assert "by stepping stones, 8000 round trips over 3 rungs" in str(summary)
    assert summary.to_dict()["tempered"]["num_rungs"] == 3


def test_other_chains_have_none():
    assert stepping_stone(Chain({"x": np.zeros((2, 9))})) is None
