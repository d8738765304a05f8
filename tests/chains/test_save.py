"""A chain in memory as a finished file."""

import numpy as np
import pytest
from chains.formats.examples import assert_same_numbers, example
from chains.test_disk import FullDisk

import cosmoflow.chains._save as module
from cosmoflow import Status
from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, ChainStore, _files


@pytest.mark.parametrize("block_bytes", [1, 2**10, 2**26])
def test_it_is_read_back(tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(module, "_BLOCK_BYTES", block_bytes)
    chain = example()
    chain.save(tmp_path / "run.h5")
    found = Chain.from_file(tmp_path / "run.h5")
    assert_same_numbers(found, chain, same_dtypes=True)
    assert found.attributes == {**chain.attributes, "status": "SUCCESSFUL"}
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def test_status_is_kept(tmp_path):
    Chain({"x": np.zeros((1, 2))}, status=Status.STUCK).save(tmp_path / "run.h5")
    assert Chain.from_file(tmp_path / "run.h5").status is Status.STUCK


def test_nothing_is_overwritten_unasked(tmp_path):
    example().save(tmp_path / "run.h5")
    before = (tmp_path / "run.h5").read_bytes()
    other = Chain({"x": np.zeros((1, 2))})
    with pytest.raises(StoreError, match="already holds a run"):
        other.save(tmp_path / "run.h5")
    assert (tmp_path / "run.h5").read_bytes() == before
    other.save(tmp_path / "run.h5", overwrite=True)
    assert list(Chain.from_file(tmp_path / "run.h5").posterior) == ["x"]


def test_the_old_chain_stays_until_the_new_one_is_there(tmp_path, monkeypatch):
    example().save(tmp_path / "run.h5")
    before = (tmp_path / "run.h5").read_bytes()
    monkeypatch.setattr(_files, "os", FullDisk(5000))
    with pytest.raises(StoreError, match="disk is full"):
        Chain({"x": np.zeros((1, 5000))}).save(tmp_path / "run.h5", overwrite=True)
    assert (tmp_path / "run.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def test_what_cannot_be_stored_leaves_nothing(tmp_path):
    for chain in (Chain({"a/b": np.zeros((1, 2))}), Chain({"x": np.zeros((1, 2), complex)})):
        with pytest.raises(StoreError, match=r"cannot be stored|store real numbers"):
            chain.save(tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_saved_chain_has_no_state_to_go_on_from(tmp_path):
    example().save(tmp_path / "run.h5")
    with ChainStore(tmp_path / "run.h5", mode="resume") as store:
        assert store.load_state() == {}
