"""A warm-up of several processes: what it finds is what one finds alone, and nobody waits for one that left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow import _team
from cosmoflow._results import RunError, Status
from cosmoflow._team import Team
from cosmoflow.chains import tree_to_arrays
from cosmoflow.samplers import NUTS, ZigZag
from cosmoflow.targets import CorrelatedGaussian

SETTINGS = {"num_chains": 6, "block": 2, "key": jr.key(3), "max_gradients": 6000}
TARGET = CorrelatedGaussian(jnp.array([1.0, -2.0]), jnp.array([[2.0, 0.6], [0.6, 1.0]]))


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(_team, "_end_after_grace", lambda: None)


def teams(count):
    """The first process with a line to each other one."""
    pairs = [Pipe() for _ in range(count - 1)]
    first = Team(0, count, {index: pair[0] for index, pair in enumerate(pairs, 1)})
    return [first, *(Team(index, count, {0: pair[1]}) for index, pair in enumerate(pairs, 1))]


def found(warmed):
    target, sampler, positions = warmed
    return jax.tree.map(np.asarray, [tree_to_arrays(target.bijection), tree_to_arrays(sampler), positions])


@pytest.mark.parametrize("sampler", [ZigZag(), NUTS()])
def test_processes_find_what_one_does(sampler, tmp_path):
    with cf.ChainStore(tmp_path / "alone.h5") as store:
        alone = found(cf.warmup(TARGET, sampler, store=store, **SETTINGS))
        draws = store.load_group("warmup_posterior")["x"]
    with cf.ChainStore(tmp_path / "three.h5") as store, ThreadPoolExecutor(3) as pool:
        started = [
            pool.submit(cf.warmup, TARGET, sampler, team=team, store=None if team.index else store, **SETTINGS)
            for team in teams(3)
        ]
        outcomes = [found(one.result(600)) for one in started]
        np.testing.assert_array_equal(store.load_group("warmup_posterior")["x"], draws)
    for outcome in outcomes:
        jax.tree.map(np.testing.assert_array_equal, outcome, alone)


def test_what_the_first_has_found_before_is_told(tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store:
        alone = found(cf.warmup(TARGET, ZigZag(), store=store, **SETTINGS))
        first, other = teams(2)
        with ThreadPoolExecutor(1) as pool:
            follower = pool.submit(cf.warmup, TARGET, ZigZag(), team=other, **SETTINGS)
            again = cf.warmup(TARGET, ZigZag(), team=first, store=store, **SETTINGS)
            jax.tree.map(np.testing.assert_array_equal, found(follower.result(60)), alone)
    jax.tree.map(np.testing.assert_array_equal, found(again), alone)


@pytest.mark.parametrize("leaving", [0, 1])
def test_one_that_stops_ends_the_warm_up_of_all(leaving):
    both, stop = teams(2), threading.Event()

    def warm_up(team):
        try:
            return cf.warmup(TARGET, ZigZag(), team=team, stop=stop.is_set if team.index == leaving else lambda: False,
                             **SETTINGS | {"max_gradients": 10**9})  # fmt: skip
        finally:
            team.leave()

    with ThreadPoolExecutor(2) as pool:
        started = [pool.submit(warm_up, team) for team in both]
        threading.Timer(2.0, stop.set).start()
        statuses = []
        for one in started:
            with pytest.raises(RunError) as error:
                one.result(120)
            statuses.append(error.value.status)
    assert statuses[leaving] is Status.STOPPED and statuses[1 - leaving] is Status.LOST
