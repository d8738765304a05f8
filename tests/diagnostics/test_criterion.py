"""The stop criterion: where a run ends depends on nothing but its draws."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow._results import Status
from cosmoflow.diagnostics import Converged, next_check
from cosmoflow.samplers import GHMC
from cosmoflow.targets import Skewed

TARGET = Skewed(jnp.array([1.0, 3.0]))
RUN = {"num_draws": 3000, "num_chains": 3, "key": jr.key(5)}
ENOUGH = Converged(ess=300.0, rhat=1.02)


def run(store=None, **options):
    return cf.sample(TARGET, GHMC(), store=store, **(RUN | {"until": ENOUGH} | options))


@pytest.fixture(scope="module")
def whole():
    return run()


def test_the_grid():
    checks = [100, 125, 157, 197]
    assert [next_check(n) for n in (0, 100, 125, 157)] == checks
    assert next_check(99) == 100 and next_check(101) == 125


@pytest.mark.parametrize("wrong", [{"ess": 0.0}, {"rhat": 1.0}, {"ess": float("nan")}])
def test_impossible_criteria(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Converged(**wrong)


@pytest.mark.slow
def test_it_ends_at_the_first_check_that_holds(whole):
    assert whole.status is Status.CONVERGED
    assert 100 < whole.num_draws < 3000 and next_check(whole.num_draws - 1) == whole.num_draws
    rows = cf.summarize(whole)
    every = [row.convergence for row in rows.parameters + rows.statistics if row.name != "energy"]
    assert min(min(one.ess_bulk, one.ess_tail) for one in every) >= 300
    before = max(n for n in range(100, whole.num_draws) if next_check(n - 1) == n)
    assert run(num_draws=before).status is Status.NOT_CONVERGED


@pytest.mark.soon(1)
@pytest.mark.parametrize("chunk", [7, 1000])
def test_chunks_do_not_matter(whole, chunk):
    assert run(chunk=chunk).num_draws == whole.num_draws


@pytest.mark.slow
def test_interruptions_do_not_matter(whole, tmp_path):
    answers = iter([False, True] * 30 + [False] * 1000)
    chain = None
    while chain is None or chain.status is not Status.CONVERGED:
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
            chain = run(store, chunk=13, stop=lambda: next(answers))
    for name, values in whole.posterior.items():
        np.testing.assert_array_equal(values, chain.posterior[name])


def test_a_finished_run_is_merged_and_left_alone(whole, tmp_path):
    path = tmp_path / "run.h5"
    with cf.ChainStore(path) as store:
        run(store)
    assert not path.with_name("run.h5.segments").exists()
    before = path.read_bytes()
    with cf.ChainStore(path, mode="resume") as store:
        assert run(store, stop=lambda: pytest.fail("went on")).status is Status.CONVERGED
    assert path.read_bytes() == before
    with cf.ChainStore(path, mode="resume") as store:
        assert run(store, until=Converged(ess=500.0)).num_draws > whole.num_draws


def test_converged_at_the_last_draw_off_the_grid(whole, tmp_path):
    """It stays converged when more draws are allowed."""
    num_draws = whole.num_draws + 1
    with cf.ChainStore(tmp_path / "run.h5") as store:
        cf.sample(TARGET, GHMC(), store=store, **(RUN | {"num_draws": num_draws}))
    for limit in (num_draws, 3000):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
            chain = run(store, num_draws=limit)
        assert (chain.status, chain.num_draws) == (Status.CONVERGED, num_draws)


def test_a_run_that_does_not_get_there_says_so():
    chain = run(num_draws=150, until=Converged(ess=1e6))
    assert chain.num_draws == 150 and chain.status is Status.NOT_CONVERGED
