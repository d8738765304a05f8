"""Runs in parts: divided, joined, and what of them does not fit."""

from pathlib import Path

import numpy as np
import pytest

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, ChainStore, arrange_parts, inherit, join, part_path, parts_of, remove_parts, tasks

NUM_CHAINS = 6
WHOLE = range(NUM_CHAINS)


def draws(first, stop, chains):
    number, chain = np.arange(first, stop, dtype=float), np.arange(chains.start, chains.stop, dtype=float)[:, None]
    posterior = {"x": np.sin(number + chain), "field": np.cos(number - chain)[..., None] * np.arange(3.0)}
    stats = {"lp": -((number - chain) ** 2), "diverging": (number + chain) % 7 == 0}
    thinned = {"map": np.cos(np.arange(first // 4, stop // 4) + chain)}
    state = {".chains.position": np.full((len(chains), 2), stop) + chain, ".window.num_draws": np.array(stop)}
    moments = {"map_mean": np.full((len(chains), 2), 1.0 * stop) + chain}
    return {"posterior": posterior, "sample_stats": stats, "posterior_every_4": thinned}, state, moments


def write(path, sizes, chains=WHOLE, *, finish=True, seed=1):
    """A run of all chains, or of some of them, committed in pieces of these sizes."""
    path.parent.mkdir(exist_ok=True)
    with ChainStore(path) as store:
        part = {} if chains == WHOLE else {"chains": [chains.start, chains.stop]}
        store.identify({"num_chains": NUM_CHAINS, "seed": seed} | part)
        store.annotate({"labels": "{}"})
        store.save_stage("warmup", {"step": np.array(0.5)}, {"sampler": "given"})
        store.save_group("observed_data", {"y": np.arange(3.0)})
        for size in sizes:
            block, state, moments = draws(store.num_draws, store.num_draws + size, chains)
            store.append_blocks([block], state, {"seconds": 0.5 * len(chains)}, moments)
        if finish:
            store.finish()


def assert_whole(path, num_draws):
    expected, state, moments = draws(0, num_draws, WHOLE)
    for group, found in (("posterior", "posterior"), ("posterior_every_4", "posterior")):
        chain = Chain.from_file(path, group=group)
        for name, array in expected[group].items():
            np.testing.assert_array_equal(getattr(chain, found)[name], array)
    chain = Chain.from_file(path)
    np.testing.assert_array_equal(chain.sample_stats["diverging"], expected["sample_stats"]["diverging"])
    np.testing.assert_array_equal(chain.moments["map_mean"], moments["map_mean"])
    np.testing.assert_array_equal(chain.observed_data["y"], np.arange(3.0))
    with ChainStore(path, mode="resume") as store:
        saved, stage = store.load_state(), store.load_stage("warmup")
        assert saved is not None and stage is not None and stage[0]["step"] == 0.5
        np.testing.assert_array_equal(saved[".chains.position"], state[".chains.position"])
        assert saved[".window.num_draws"] == num_draws
        store.identify({"num_chains": NUM_CHAINS, "seed": 1})
    return chain


@pytest.mark.parametrize("edges", [(0, 3, 6), (0, 2, 3, 6)])
def test_parts_are_joined_to_the_whole(tmp_path, edges):
    parts = [tmp_path / f"{first}.h5" for first in edges[:-1]]
    for path, first, stop in zip(parts, edges, edges[1:], strict=False):
        write(path, [5, 1 + first, 6 - first], range(first, stop))
    join(parts[::-1], tmp_path / "run.h5", attributes={"status": "SUCCESSFUL"})
    chain = assert_whole(tmp_path / "run.h5", 12)
    assert chain.attributes["status"] == "SUCCESSFUL" and chain.attributes["sampling_seconds"] == 9.0


@pytest.mark.parametrize("finish", [True, False])
def test_a_run_is_divided_extended_and_joined(tmp_path, finish):
    run = tmp_path / "run.h5"
    write(run, [5, 7], finish=finish)
    assert arrange_parts(run, [range(0, 4), range(4, 6)]) == [range(0, 4), range(4, 6)]
    assert arrange_parts(run, [range(0, 2), range(2, 6)]) == [range(0, 2), range(2, 4), range(4, 6)]
    assert tasks(run, range(2, 6)) == [range(2, 4), range(4, 6)]
    for chains in parts_of(run):
        with ChainStore(part_path(run, chains), mode="resume") as store:
            block, state, moments = draws(12, 20, chains)
            store.append_blocks([block], state, {"seconds": 0.0}, moments)
            store.finish()
    join([part_path(run, chains) for chains in parts_of(run)], run, attributes={}, overwrite=True)
    chain = assert_whole(run, 20)
    assert chain.attributes["sampling_seconds"] == pytest.approx(6.0)
    remove_parts(run)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]


def test_what_an_interrupted_division_left_is_made_again(tmp_path):
    run = tmp_path / "run.h5"
    write(run, [12])
    arrange_parts(run, [range(0, 2), range(2, 6)])
    write(part_path(run, range(2, 4)), [3], range(2, 4))
    assert arrange_parts(run, [range(0, 2), range(2, 4), range(4, 6)]) == [range(0, 2), range(2, 4), range(4, 6)]
    assert Chain.from_file(part_path(run, range(2, 4))).num_draws == 12
    with ChainStore(part_path(run, range(4, 6)), mode="resume") as store:
        store.abandon()
    part_path(run, range(4, 6)).unlink()
    assert arrange_parts(run, [range(0, 3), range(3, 6)]) == [range(0, 3), range(3, 6)]


def test_parts_are_not_given_up_for_a_run_that_has_trained_alone(tmp_path):
    run = tmp_path / "run.h5"
    write(run, [], finish=False)
    write(part_path(run, range(0, 2)), [12], range(0, 2))
    assert arrange_parts(run, [WHOLE]) == [range(0, 2)]
    assert Chain.from_file(part_path(run, range(0, 2))).num_draws == 12


@pytest.mark.parametrize("other", [WHOLE, range(0, 4)])
def test_parts_with_draws_that_nothing_else_has_are_not_removed(tmp_path, other):
    run = tmp_path / "run.h5"
    write(run if other == WHOLE else part_path(run, other), [5], other)
    write(part_path(run, range(0, 2)), [12], range(0, 2))
    with pytest.raises(StoreError, match=r"chains-00000-00002.h5 holds more draws of its chains than .*; move one"):
        arrange_parts(run, [WHOLE])
    assert Chain.from_file(part_path(run, range(0, 2))).num_draws == 12


def test_a_missing_part_is_a_task(tmp_path):
    run = tmp_path / "run.h5"
    assert tasks(run, range(0, 6)) == [range(0, 6)]
    write(part_path(run, range(2, 4)), [3], range(2, 4))
    assert tasks(run, range(0, 6)) == [range(0, 2), range(2, 4), range(4, 6)]


def test_a_part_inherits_what_another_has_found(tmp_path):
    write(tmp_path / "low.h5", [3], range(0, 3), finish=False)
    with ChainStore(tmp_path / "high.h5") as store:
        assert not inherit(store, tmp_path / "low.h5", "training") and store.load_stage("warmup") is None
        assert inherit(store, tmp_path / "low.h5", "warmup")
        arrays, attributes = store.load_stage("warmup") or ({}, {})
        assert arrays["step"] == 0.5 and attributes == {"sampler": "given"} and store.num_draws == 0
        np.testing.assert_array_equal((store.load_group("observed_data") or {})["y"], np.arange(3.0))


def test_nothing_is_inherited_from_another_run(tmp_path):
    write(tmp_path / "low.h5", [3], range(0, 3), finish=False)
    with ChainStore(tmp_path / "high.h5") as store:
        store.identify({"seed": 2, "chains": [3, 6]})
        assert not inherit(store, tmp_path / "low.h5", "warmup") and store.load_stage("warmup") is None


def refused(tmp_path: Path, *parts: Path) -> str:
    with pytest.raises(StoreError) as raised:
        join(parts, tmp_path / "run.h5", attributes={})
    assert not (tmp_path / "run.h5").exists()
    return str(raised.value)


def test_parts_that_do_not_fit(tmp_path):
    low, high, short, other, open_, whole = (
        tmp_path / f"{name}.h5" for name in ("low", "high", "short", "other", "open", "whole")
    )
    write(low, [12], range(0, 3))
    write(high, [12], range(3, 6))
    write(short, [8], range(3, 6))
    write(other, [12], range(3, 6), seed=2)
    write(open_, [12], range(3, 6), finish=False)
    write(whole, [12])
    assert "[3, 6) are missing" in refused(tmp_path, low)
    assert "[0, 3) are missing before" in refused(tmp_path, high)
    assert "there twice" in refused(tmp_path, low, low, high)
    assert "8 draws, but" in refused(tmp_path, low, short)
    assert "another run" in refused(tmp_path, low, other)
    assert "not finished" in refused(tmp_path, low, open_)
    assert "only parts" in refused(tmp_path, low, whole)
    assert "no chain" in refused(tmp_path, low, tmp_path / "absent.h5")
