import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from cosmoflow.diagnostics import Monitor, _monitor, convergence


def draws(num_draws, *, num_chains=4, seed=0):
    """A vector whose second entry mixes ten times more slowly, a parameter held fixed, and a log-density."""
    noise = np.random.default_rng(seed).normal(size=(num_chains, num_draws, 2))
    slow = np.cumsum(noise[..., 1], axis=1)
    x = np.stack([noise[..., 0], np.sin(slow / 4)], axis=-1)
    return {"x": x, "fixed": np.ones((num_chains, num_draws))}, -0.5 * noise[..., 0] ** 2


def cut(posterior, first, stop):
    return {name: values[:, first:stop] for name, values in posterior.items()}


def fed(posterior, lp, edges, **options):
    monitor = Monitor(lp.shape[0], **options)
    for first, stop in itertools.pairwise(edges):
        monitor.update(cut(posterior, first, stop), cut({"lp": lp, "squared_norm": lp}, first, stop))
    return monitor


def test_the_worst_of_all_scalars():
    posterior, lp = draws(2000)
    found = [convergence(values) for values in (posterior["x"][..., 0], posterior["x"][..., 1], lp)]
    ess, rhat = fed(posterior, lp, [0, 700, 2000]).worst()
    assert ess == min(min(one.ess_bulk, one.ess_tail) for one in found)
    assert rhat == max(one.rhat for one in found)


def test_chains_that_disagree():
    posterior, lp = draws(500)
    posterior["x"][0] += 3
    assert fed(posterior, lp, [0, 500]).worst()[1] > 1.3


def test_nothing_moves():
    assert fed({"x": np.ones((2, 100))}, np.zeros((2, 100)), [0, 100]).worst() == (0.0, math.inf)


@pytest.mark.parametrize("edges", [[0, 10_001], [0, 1, 3, 4096, 4097, 9999, 10_001], [*range(0, 10_001, 73), 10_001]])
def test_what_is_kept_does_not_depend_on_the_chunks(edges):
    posterior, lp = draws(10_001)
    ess, rhat = fed(posterior, lp, edges).worst()  # 4096 draws fit: every fourth is kept
    thinned = [convergence(values[:, ::4]) for values in (posterior["x"][..., 0], posterior["x"][..., 1], lp)]
    assert ess == min(min(one.ess_bulk, one.ess_tail) for one in thinned)
    assert rhat == max(one.rhat for one in thinned)


def test_a_criterion_gets_all_draws():
    posterior, lp = draws(10_001)
    exact = [convergence(values) for values in (posterior["x"][..., 0], posterior["x"][..., 1], lp)]
    ess, _ = fed(posterior, lp, [0, 5000, 10_001], exact=True).worst()
    assert ess == min(min(one.ess_bulk, one.ess_tail) for one in exact)


def test_a_field_takes_no_more_memory_than_64_scalars():
    noise = np.random.default_rng(0).normal(size=(4, 20_000, 100))
    monitor = fed({"field": noise.reshape(4, 20_000, 10, 10)}, noise[..., 0], [0, 9000, 20_000])
    assert monitor.draws().nbytes <= 66 * 2**14 * 8


def test_glances_are_rare(monkeypatch):
    """A glance that took a second is not repeated before 99 more have passed."""
    clock, computed = SimpleNamespace(now=0.0), []
    monkeypatch.setattr(_monitor, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monitor = fed(*draws(100), [0, 100])

    def slow():
        clock.now += 1.0
        computed.append(clock.now)
        return 1.0, 1.0

    monkeypatch.setattr(monitor, "worst", slow)
    assert all(map(math.isnan, monitor.glance())) and not computed
    for _ in range(3000):
        clock.now += 0.1
        monitor.glance()
    assert computed == pytest.approx([6.0, 106.0, 206.0], abs=0.5)
