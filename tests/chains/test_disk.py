"""Disks that are full, folders that go away: a clear sentence, and nothing acknowledged lost."""

import errno
import os
import shutil

import pytest
from chains import runs

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, ChainStore, _files, check


class FullDisk:
    """Stands for `os` in the one module that writes; has room for so many bytes."""

    def __init__(self, room: int):
        self.room = room

    def __getattr__(self, name):
        return getattr(os, name)

    def pwrite(self, descriptor, data, place):
        data = data[: self.room]
        if not data:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = os.pwrite(descriptor, data, place)
        self.room -= written
        return written


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chains.h5"


@pytest.mark.parametrize("room", [0, 1, 700, 5_000, 20_000])
def test_a_full_disk(path, monkeypatch, room):
    with ChainStore(path) as store:
        runs.append(store, 3)
        store.save_stage("training", {"w": runs.draws(0, 3)[0]["Omega_m"]}, {"step": 1})
        monkeypatch.setattr(_files, "os", FullDisk(room))
        with pytest.raises(StoreError, match="disk is full; free some space and resume"):
            runs.append(store, 400)
        with pytest.raises(StoreError, match="disk is full"):
            store.save_stage("training", {"w": runs.draws(0, 4000)[0]["Omega_m"]}, {"step": 2})
        with pytest.raises(StoreError, match="disk is full"):
            store.finish()
        runs.assert_holds(store.read(), 3)
        monkeypatch.undo()
        assert not list(path.parent.rglob("*.tmp"))
    with ChainStore(path, mode="resume") as store:
        assert store.load_stage("training")[1] == {"step": 1}
        runs.append(store, 9)
        store.finish()
    runs.assert_holds(Chain.from_file(path), 12)
    assert check(path).problems == ()


def test_no_room_to_join_segments(path, monkeypatch):
    """Where the disk has room for a commit but not for a copy of what is there, the run goes on."""
    from cosmoflow.chains import _compaction

    monkeypatch.setattr(_compaction, "FAN_IN", 3)
    with ChainStore(path) as store:
        for _ in range(3):
            runs.append(store, 3)
        size = max(segment.stat().st_size for segment in path.parent.rglob("seg-*"))
        monkeypatch.setattr(_files, "os", FullDisk(int(1.9 * size)))
        runs.append(store, 3)
        monkeypatch.setattr(_files, "os", os)
        assert len(list(path.parent.rglob("seg-*"))) == 4
        runs.append(store, 3)
        assert len(list(path.parent.rglob("seg-*"))) == 3
        runs.assert_holds(store.read(), 15)


def test_a_folder_that_goes_away(path):
    with ChainStore(path) as store:
        runs.append(store, 3)
        shutil.rmtree(path.with_name("chains.h5.segments"))
        with pytest.raises(StoreError, match=r"Could not commit draws to .*chains\.h5: the folder is missing"):
            runs.append(store, 3)
    assert not path.exists()


def test_a_folder_that_becomes_a_file(path):
    path.with_name("chains.h5.segments").write_text("precious")
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        ChainStore(path)
    assert path.with_name("chains.h5.segments").read_text() == "precious"


@pytest.mark.slow
def test_many_commits_are_few_files(path):
    with ChainStore(path) as store:
        for _ in range(72):
            runs.append(store, 1)
        segments = [file.name for file in path.parent.rglob("seg-*")]
        assert len(segments) < 16, segments
        runs.assert_holds(store.read(), 72)
        store.finish()
    runs.assert_holds(Chain.from_file(path), 72)
