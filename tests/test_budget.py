"""The time budget and the wish to stop, in training, warm-up and sampling."""

import itertools
import time
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

import cosmoflow as cf
from cosmoflow._budget import Budget
from cosmoflow._results import RunError, Status
from cosmoflow.samplers import GHMC
from cosmoflow.targets import CorrelatedGaussian

TARGET = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2))
RUN = {"num_draws": 200, "num_chains": 2, "key": jr.key(0), "chunk": 10}


def never():
    return False


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when it is told to."""
    watch = SimpleNamespace(now=0.0)
    monkeypatch.setattr("cosmoflow._budget.time", SimpleNamespace(monotonic=lambda: watch.now))
    return watch


@pytest.fixture
def ticking(monkeypatch):
    """A clock on which a second passes whenever the budget looks at it."""
    seconds = itertools.count()
    monkeypatch.setattr("cosmoflow._budget.time", SimpleNamespace(monotonic=lambda: float(next(seconds))))


def test_it_looks_ahead_by_the_longest_chunk(clock):
    budget = Budget(never, 10.0)
    for now in (1.0, 4.0, 5.0, 7.0):  # chunks of 3, 1 and 2 seconds: another of 3 would just fit
        clock.now = now
        assert budget.ask() is None
    clock.now = 7.5
    assert budget.ask() is Status.OUT_OF_TIME


def test_what_comes_before_the_first_chunk_is_none(clock):
    budget = Budget(never, 10.0)
    clock.now = 9.0
    assert budget.ask() is None


def test_no_limit(clock):
    answers = iter([False, True])
    budget = Budget(lambda: next(answers), None)
    clock.now = 1e9
    assert budget.ask() is None and budget.ask() is Status.STOPPED


@pytest.mark.slow
def test_the_date_does_not_matter(monkeypatch):
    dates = itertools.count(step=10**6)
    monkeypatch.setattr(time, "time", lambda: float(next(dates)))
    chain = cf.sample(TARGET, GHMC(), max_time=600.0, **RUN)
    assert chain.status is Status.SUCCESSFUL


def test_sampling_ends_in_time(ticking):
    chain = cf.sample(TARGET, GHMC(), max_time=5.0, **RUN)
    assert chain.status is Status.OUT_OF_TIME
    assert chain.num_draws == 40  # after 5 seconds another chunk would end after 6


def test_warmup_ends_in_time(ticking, tmp_path):
    with cf.ChainStore(tmp_path / "run.h5") as store:
        with pytest.raises(RunError) as error:
            cf.warmup(TARGET, GHMC(), num_chains=2, key=jr.key(0), max_time=5.0, store=store)
        assert error.value.status is Status.OUT_OF_TIME
        assert store.load_stage("warmup") is None


@pytest.mark.slow
def test_training_ends_in_time_with_a_checkpoint(ticking, tmp_path):
    flow = cf.fixed_kinetic_flow(2, num_steps=2, num_maps=1, width=8, depth=1, key=jr.key(1))
    with cf.ChainStore(tmp_path / "run.h5") as store, jax.numpy_dtype_promotion("standard"):
        with pytest.raises(RunError) as error:
            cf.fit(flow, cf.ReverseKL(TARGET, 16), num_steps=60, key=jr.key(2), chunk=10, max_time=5.0, store=store)
        assert error.value.status is Status.OUT_OF_TIME
        assert len(store.load_stage("training")[0]["history_losses"]) == 40
