"""Draws on their way to the disk: one commit at a time, and what goes wrong with it comes to light."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow._commits import commits
from cosmoflow._results import StoreError
from cosmoflow.chains import ChainStore

BLOCK = {"posterior": {"x": np.zeros((2, 5))}, "sample_stats": {"lp": np.zeros((2, 5))}}
STATE = {"position": jnp.zeros(3)}


def test_without_a_store_everything_is_kept():
    with commits(None, seconds=0.0, size=1) as queue:
        assert not any(queue.add(BLOCK, [STATE], 0.25, [{}]) for _ in range(3))
    assert len(queue.blocks) == 3 and queue.seconds == 0.75


def test_all_is_acknowledged_when_the_block_ends(tmp_path):
    with ChainStore(tmp_path / "run.h5") as store:
        with commits(store, seconds=1e9, size=2**30) as queue:
            for _ in range(3):
                assert not queue.add(BLOCK, [STATE], 0.5, [{}])
            assert store.num_draws == 0
        assert store.num_draws == 15
        assert store.read().attributes["sampling_seconds"] == 1.5
    assert not any(thread.name.startswith("commits") for thread in threading.enumerate())


@pytest.mark.parametrize("more", [0, 1])
def test_a_failed_commit_is_raised(tmp_path, monkeypatch, more):
    def failing(*_):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(ChainStore, "append_blocks", failing)
    with (
        ChainStore(tmp_path / "run.h5") as store,
        pytest.raises(StoreError, match="full"),
        commits(store, seconds=0.0, size=1) as queue,
    ):
        for _ in range(1 + more):
            queue.add(BLOCK, [STATE], 0.5, [{}])
