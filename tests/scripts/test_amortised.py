"""The benchmark of amortised posteriors on a normal law, where all of its verdicts are known."""

import sys
from pathlib import Path

import jax.random as jr
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"
NUM = 4000
LOST = 0.5
"""Variance that the statistic t = map + noise adds to that of the map, one as that of the prior is."""


@pytest.fixture
def amortised(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import amortised

    yield amortised
    for name in [name for name in sys.modules if name.startswith(("amortised", "field_", "cells"))]:
        del sys.modules[name]


def skies(rng):
    """z ~ N(0, I) in three quantities, a map z + N(0, I) and t; means given both, and their deviations."""
    z = rng.normal(size=(NUM, 3))
    maps = z + rng.normal(size=z.shape)
    t = maps + np.sqrt(LOST) * rng.normal(size=z.shape)
    return z, (maps / 2, np.sqrt(1 / 2)), (t / (2 + LOST), np.sqrt((1 + LOST) / (2 + LOST)))


def record(z, mean, sd):
    area = np.full(NUM, sd**2)
    return {
        "truth": z[:, :2],
        "mean": mean,
        "sd": np.full_like(mean, sd),
        "area": area,
        "correlation_time": np.zeros(3),
    }


def test_widths_imply_the_shift(amortised):
    z, given_map, given_t = skies(np.random.default_rng(0))
    found = amortised.comparison(record(z, *given_t), [record(z, *given_map)])
    width = np.sqrt(2 * (1 + LOST) / (2 + LOST))
    np.testing.assert_allclose(found.width, width, rtol=1e-12)
    np.testing.assert_allclose(found.area, width**2, rtol=1e-12)
    np.testing.assert_allclose(found.shift, found.implied, rtol=5 / np.sqrt(2 * NUM))
    mean, sd = given_t
    too_sure = amortised.comparison(record(z, 1.3 * mean, sd), [record(z, *given_map)])
    assert np.all(np.abs(too_sure.shift / too_sure.implied - 1) > 5 / np.sqrt(2 * NUM))
    with pytest.raises(RuntimeError, match="not seen the same skies"):
        amortised.comparison(record(z[::-1], *given_t), [record(z, *given_map)])


def counts(amortised, narrowing):
    """Ranks as the benchmark counts them, of draws given t."""
    from amortised_cell import NUM_RANKED, distance_ranks
    from field_skies import ranks

    rng = np.random.default_rng(1)
    z, _, (mean, sd) = skies(rng)
    draws = mean[:, None] + narrowing * sd * rng.normal(size=(NUM, NUM_RANKED, 3))
    far = [np.sum((values - mean[:, None])[..., :2] ** 2, axis=-1) for values in (draws, z[:, None])]
    columns = [*ranks(z, draws).T, np.sum(far[0] < far[1], axis=1), distance_ranks(z[:, :2], draws[..., :2])]
    return [np.bincount(column, minlength=NUM_RANKED + 1).tolist() for column in columns]


def test_right_draws_pass_and_narrow_ones_do_not(amortised):
    right, narrow = (counts(amortised, narrowing) for narrowing in (1.0, 0.7))
    assert amortised.passes(amortised.p_values(right))
    assert np.all(amortised.p_values(narrow) < 1e-4)
    assert abs(amortised.coverage(right, 0.68) - 0.68) < 5 * np.sqrt(0.68 * 0.32 / NUM)
    # Within 0.7 of the radius that holds 68% of a normal law in the plane
    assert abs(amortised.coverage(narrow, 0.68) - (1 - 0.32**0.49)) < 0.03


def test_verdicts_follow(amortised):
    z, given_map, given_t = skies(np.random.default_rng(0))
    right, narrow = (counts(amortised, narrowing) for narrowing in (1.0, 0.7))
    costs = {"simulation_cpu_seconds": 90.0, "compression_cpu_seconds": 5.0, "training_cpu_seconds": 5.0}
    model = record(z, *given_t) | costs | {"cpu_seconds_per_sky": 0.5}
    sampler = record(z, *given_map) | {"cpu_seconds_per_sky": 2.5}
    controls = dict.fromkeys(amortised.CONTROLS.values(), narrow)
    good = {"flow matching": model | {"tests": {"flow matching": right, **controls}}}
    text = "\n".join(amortised.verdicts(good | {"diffusion": model | {"tests": {"diffusion": narrow}}}, [sampler]))
    assert "maps: flow matching. Not calibrated: diffusion." in text
    assert "2 controls that have to fail, 2 do" in text
    assert "S8 is 10% wider" in text and "20% larger" in text
    assert ", as the loss of information implies, 0.45" in text
    assert "cheaper from 50 maps on" in text


@pytest.mark.slow
def test_a_statistic_is_learned(amortised, monkeypatch):
    """Of small maps: it tells of S8, and skies are those of the sampler."""
    import amortised_skies
    from field_skies import coordinates, sky, survey

    posterior = survey(32, 3.0)
    monkeypatch.setattr(amortised_skies, "EDGES", (0.5, 2.5, 6.0, 12.0, 23.0))
    monkeypatch.setattr(amortised_skies, "STEPS", 500)
    summary = amortised_skies.Summary.of(posterior, jr.key(0))
    z, summaries = amortised_skies.pairs(posterior, summary, jr.split(jr.key(1), 2000))
    assert summaries.shape == (2000, 4 + 27)
    statistic = amortised_skies.compressed(summary, z, summaries, jr.key(2))
    fresh, t = amortised_skies.pairs(posterior, statistic, jr.split(jr.key(3), 500))
    combined = np.array([0.4, 0.6]) @ np.stack([fresh.T, t.T])  # about S8
    assert np.corrcoef(combined)[0, 1] > 0.5
    key = jr.split(jr.key(3), 500)[7]
    bijection = coordinates(posterior)
    observed, truth = sky(posterior, bijection, key)
    np.testing.assert_allclose(observed.bijection.transform(truth)[:2], fresh[7], atol=1e-8)
