import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from chains import runs
from jaxtyping import TypeCheckError

from cosmoflow._results import Status, StoreError
from cosmoflow.chains import Chain, ChainStore, _compaction, _files, _manifest, _segments, _store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chains.h5"


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def test_a_run_from_beginning_to_end(path):
    with ChainStore(path) as store:
        assert store.num_draws == 0
        assert store.load_state() is None
        for size in (4, 1, 7):
            runs.append(store, size)
        runs.assert_holds(store.read(), 12)
        assert store.read().status is Status.STOPPED
        store.finish()
        assert store.num_draws == 12
        runs.assert_holds(store.read(), 12)
    assert names(path.parent) == ["chains.h5"]
    chain = Chain.from_file(path)
    assert chain.status is Status.SUCCESSFUL
    assert chain.attributes["sampling_seconds"] == 1.5


@pytest.mark.parametrize("sizes", [(12,), (1,) * 12, (5, 7)])
@pytest.mark.parametrize("reopen", [False, True])
def test_neither_segments_nor_interruptions_change_a_chain(path, sizes, reopen):
    store = ChainStore(path)
    for size in sizes:
        runs.append(store, size)
        if reopen:
            store.close()
            store = ChainStore(path, mode="resume")
    for name, array in runs.draws(0, 12)[2].items():
        assert np.array_equal(store.load_state()[name], array)
    store.finish()
    store.close()
    runs.assert_holds(Chain.from_file(path), 12)


def test_a_finished_run_can_be_extended(path):
    with ChainStore(path) as store:
        store.identify({"seed": 1})
        store.save_stage("warmup", {"x": np.arange(3)}, {"kind": "diagonal"})
        runs.append(store, 5)
        store.finish()
        runs.append(store, 5)
    assert "chains.h5.segments" in names(path.parent)
    with ChainStore(path, mode="resume") as store:
        assert store.num_draws == 10
        with pytest.raises(StoreError, match="seed"):
            store.identify({"seed": 2})
        runs.assert_holds(store.read(), 10)
        store.finish()
    assert names(path.parent) == ["chains.h5"]
    with ChainStore(path, mode="resume") as store:
        assert store.load_stage("warmup")[1] == {"kind": "diagonal"}
        assert store.load_state()[".position"][0, 0, 0] == 10.0
        store.finish()
    assert names(path.parent) == ["chains.h5"]
    runs.assert_holds(Chain.from_file(path), 10)
    assert Chain.from_file(path).attributes["sampling_seconds"] == 1.0


def test_stages(path):
    with ChainStore(path) as store:
        assert store.load_stage("training") is None
        store.save_stage("training", {"w": np.zeros(3)}, {"step": 1})
        store.save_stage(
            "training", {"w": np.ones((2, 2)), "empty": np.zeros((0, 2)), "s": np.asarray(2)}, {"step": [2]}
        )
        with pytest.raises(StoreError, match="stage"):
            store.save_stage("../x", {})
    with ChainStore(path, mode="resume") as store:
        arrays, attributes = store.load_stage("training")
        assert attributes == {"step": [2]}
        assert {name: array.shape for name, array in arrays.items()} == {"w": (2, 2), "empty": (0, 2), "s": ()}
        store.finish()
    with ChainStore(path, mode="resume") as store:
        assert np.array_equal(store.load_stage("training")[0]["w"], np.ones((2, 2)))
        assert store.num_draws == 0
    with pytest.raises(StoreError, match="no draws"):
        Chain.from_file(path)


def test_modes(path):
    with ChainStore(path, mode="resume") as store:
        runs.append(store, 3)
    with pytest.raises(StoreError, match="already holds a run"):
        ChainStore(path, mode="create")
    with ChainStore(path, mode="overwrite") as store:
        assert store.num_draws == 0
        runs.append(store, 2)
        store.finish()
    with pytest.raises(StoreError, match="already holds a run"):
        ChainStore(path, mode="create")
    assert names(path.parent) == ["chains.h5"]
    with ChainStore(path, mode="overwrite") as store:
        assert store.num_draws == 0


@pytest.mark.parametrize("mode", ["resume", "overwrite", "create"])
def test_files_of_others_are_left_alone(path, mode):
    path.write_text("precious")
    with pytest.raises(StoreError):
        ChainStore(path, mode=mode)
    assert path.read_text() == "precious"
    assert names(path.parent) == ["chains.h5"]


def test_overwriting_deletes_only_our_files(path):
    with ChainStore(path) as store:
        runs.append(store, 3)
        (path.parent / "chains.h5.segments" / "notes.txt").write_text("precious")
    with ChainStore(path, mode="overwrite") as store:
        store.finish()
    assert names(path.parent / "chains.h5.segments") == ["notes.txt"]


def test_missing_folder(tmp_path):
    with pytest.raises(StoreError, match="folder is missing"):
        ChainStore(tmp_path / "nowhere" / "chains.h5")


def test_unwritable_folder(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    closed = tmp_path / "closed" if os.geteuid() else Path("/sys")  # root writes everywhere but there
    with pytest.raises(StoreError, match="permission"):
        ChainStore(closed / "chains.h5")


def test_second_writer_is_refused(path):
    with ChainStore(path), pytest.raises(StoreError, match="Another process"):
        ChainStore(path, mode="resume")
    ChainStore(path, mode="resume").close()


def test_closed_store_refuses(path):
    store = ChainStore(path)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        runs.append(store, 1)


def test_identity(path):
    with ChainStore(path) as store:
        store.identify({"seed": 1, "prior": {"Omega_m": [0.1, 0.9], "h": (0.5, 1.0)}, "order": ["a", "b"]})
        store.identify({"sampler": "x" * 200})
    with ChainStore(path, mode="resume") as store:
        store.identify({"seed": 1, "prior": {"h": [0.5, 1.0], "Omega_m": [0.1, 0.9]}})
        with pytest.raises(StoreError, match=r"prior\.h was \[0\.5, 1\.0\], is \[0\.5, 2\.0\]; order was"):
            store.identify({"seed": 1, "prior": {"Omega_m": [0.1, 0.9], "h": [0.5, 2.0]}, "order": ["b", "a"]})
        with pytest.raises(StoreError) as caught:
            store.identify({"sampler": "x" * 201, "new": 1})
        assert len(str(caught.value)) < 250
        store.identify({"new": 2})


def test_other_versions_warn(path, monkeypatch):
    ChainStore(path).close()
    monkeypatch.setattr(_manifest, "version", lambda name: "99")
    with pytest.warns(UserWarning, match=r"jax .* -> 99"):
        ChainStore(path, mode="resume").close()


def test_annotations(path):
    with ChainStore(path) as store:
        store.annotate({"configuration": "a = 1\n" * 30_000, "labels": json.dumps({"Omega_m": r"\Omega_m"})})
        store.annotate({"status": Status.OUT_OF_TIME.name})
        runs.append(store, 2)
        assert store.read().status is Status.OUT_OF_TIME
        store.annotate({"status": Status.SUCCESSFUL.name})
        store.finish()
    chain = Chain.from_file(path)
    assert chain.attributes["configuration"] == "a = 1\n" * 30_000
    assert chain.labels["Omega_m"] == r"\Omega_m"
    assert chain.status is Status.SUCCESSFUL


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_gap_is_refused(path, missing):
    with ChainStore(path) as store:
        for _ in range(4):
            runs.append(store, 3)
    sorted((path.parent / "chains.h5.segments").glob("seg-*"))[missing].unlink()
    with pytest.raises(StoreError, match="missing"):
        ChainStore(path, mode="resume")
    with pytest.raises(StoreError, match="missing"):
        Chain.from_file(path)


def test_an_overlap_is_refused(path):
    with ChainStore(path) as store:
        runs.append(store, 3)
        runs.append(store, 3)
    folder = path.parent / "chains.h5.segments"
    (folder / "seg-0000000003-0000000006.h5").rename(folder / "seg-0000000002-0000000005.h5")
    with pytest.raises(StoreError, match="twice"):
        Chain.from_file(path)


def test_a_renamed_segment_is_refused(path):
    with ChainStore(path) as store:
        runs.append(store, 3)
        runs.append(store, 3)
    folder = path.parent / "chains.h5.segments"
    (folder / "seg-0000000003-0000000006.h5").rename(folder / "seg-0000000003-0000000007.h5")
    with pytest.raises(StoreError, match="does not hold the draws"):
        Chain.from_file(path)


@pytest.mark.parametrize("change", ["name", "dtype", "shape", "chains", "uneven", "empty", "slash", "text"])
def test_draws_that_do_not_fit_are_refused(path, change):
    with ChainStore(path) as store:
        runs.append(store, 3)
        posterior, stats, state = runs.draws(3, 6)
        if change == "name":
            posterior["other"] = posterior.pop("Omega_m")
        elif change == "dtype":
            posterior["Omega_m"] = posterior["Omega_m"].astype(np.float32)
        elif change == "shape":
            posterior["field"] = posterior["field"][..., 0]
        elif change == "chains":
            posterior, stats = ({k: v[:1] for k, v in group.items()} for group in (posterior, stats))
        elif change == "uneven":
            stats = {k: v[:, :1] for k, v in stats.items()}
        elif change == "empty":
            posterior, stats = ({k: v[:, :0] for k, v in group.items()} for group in (posterior, stats))
        elif change == "slash":
            posterior["a/b"] = posterior["Omega_m"]
        elif change == "text":
            posterior["word"] = np.full((3, 3), "x")
        with pytest.raises((StoreError, TypeCheckError)):
            store.append(posterior, stats, state)
        runs.append(store, 3)
        runs.assert_holds(store.read(), 6)


class Crash(BaseException):
    """What no handler catches by accident."""


def crash_at(monkeypatch, call: str, error: BaseException, *, after: int = 0):
    real, count = getattr(os, call), [0]

    def failing(*args, **kwargs):
        count[0] += 1
        if count[0] > after:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(_files.os, call, failing)


CRASHES = [("open", 0), ("fsync", 0), ("replace", 0), ("fsync", 1)]
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.soon(4)
@pytest.mark.parametrize(
    ("call", "after", "error"),
    [(*crash, error) for crash in CRASHES for error in (Crash(), FULL)]
    + [("pwrite", after, FULL) for after in (0, 5, 20)]
    + [("ftruncate", 0, FULL)],
)
def test_a_commit_that_fails_loses_nothing(path, monkeypatch, call, after, error):
    store = ChainStore(path)
    runs.append(store, 3)
    with monkeypatch.context() as patch:
        crash_at(patch, call, error, after=after)
        with pytest.raises(Crash if isinstance(error, Crash) else StoreError) as caught:
            runs.append(store, 4)
    if isinstance(error, OSError):
        assert "disk is full" in str(caught.value)
        with pytest.raises(StoreError, match="mode 'resume'"):
            runs.append(store, 4)
    store.close()
    with ChainStore(path, mode="resume") as store:
        assert store.num_draws in (3, 7)
        runs.assert_holds(store.read(), store.num_draws)
        runs.append(store, 12 - store.num_draws)
        store.finish()
    runs.assert_holds(Chain.from_file(path), 12)
    assert names(path.parent) == ["chains.h5"]


def test_torn_files_are_ignored(path):
    with ChainStore(path) as store:
        runs.append(store, 3)
    torn = path.parent / "chains.h5.segments" / "seg-0000000003-0000000006.h5.0123.tmp"
    torn.write_bytes(b"\x89HDF")
    runs.assert_holds(Chain.from_file(path), 3)
    with ChainStore(path, mode="resume"):
        assert not torn.exists()


@pytest.mark.parametrize(("call", "after"), CRASHES)
def test_a_merge_that_fails_loses_nothing(path, monkeypatch, call, after):
    with ChainStore(path) as store:
        runs.append(store, 3)
        runs.append(store, 4)
        with monkeypatch.context() as patch:
            crash_at(patch, call, Crash(), after=after)
            with pytest.raises(Crash):
                store.finish()
        runs.assert_holds(Chain.from_file(path), 7)
    with ChainStore(path, mode="resume") as store:
        assert store.num_draws == 7
        store.finish()
    assert names(path.parent) == ["chains.h5"]
    runs.assert_holds(Chain.from_file(path), 7)


def merge_and_crash(path, monkeypatch):
    """A run of seven draws whose final file is there, and whose pieces are not yet removed."""
    with ChainStore(path) as store:
        runs.append(store, 3)
        runs.append(store, 4)
        with monkeypatch.context() as patch:
            crash_at(patch, "unlink", Crash())
            with pytest.raises(Crash):
                store.finish()


def test_segments_left_by_a_merge_are_not_read_twice(path, monkeypatch):
    merge_and_crash(path, monkeypatch)
    assert path.exists()
    runs.assert_holds(Chain.from_file(path), 7)
    with ChainStore(path, mode="resume") as store:
        runs.append(store, 2)
        store.finish()
    runs.assert_holds(Chain.from_file(path), 9)
    assert names(path.parent) == ["chains.h5"]


def test_leftovers_of_a_joined_file_that_is_damaged_stay(path, monkeypatch):
    merge_and_crash(path, monkeypatch)
    content = path.read_bytes()
    path.write_bytes(content[:5000] + b"!" + content[5001:])
    with pytest.raises(StoreError, match="damaged"):
        ChainStore(path, mode="resume")
    path.unlink()
    runs.assert_holds(Chain.from_file(path), 7)


def test_the_final_file_of_an_extended_run_is_not_joined(path):
    with ChainStore(path) as store:
        store.identify({"seed": 1})
        store.save_stage("warmup", {"x": np.arange(3)})
        runs.append(store, 3)
        store.finish()
        for _ in range(20):
            runs.append(store, 1)
        assert path.exists() and store.load_stage("warmup") is not None
    runs.assert_holds(Chain.from_file(path), 23)
    with ChainStore(path, mode="resume") as store, pytest.raises(StoreError, match="seed"):
        store.identify({"seed": 2})


@pytest.mark.parametrize("fan_in", [3, 8])
def test_a_joining_that_is_not_known_to_have_worked_is_undone(path, monkeypatch, fan_in):
    monkeypatch.setattr(_compaction, "FAN_IN", fan_in)
    real, folder = _files.sync, path.with_name("chains.h5.segments")
    failed = []

    def failing(place):
        if place == folder and not failed and (folder / f"seg-{0:010d}-{fan_in:010d}.h5").exists():
            failed.append(place)
            raise OSError(errno.EIO, "Input/output error")
        real(place)

    monkeypatch.setattr(_files, "sync", failing)
    with ChainStore(path) as store:
        for _ in range(3 * fan_in):
            runs.append(store, 1)
        assert failed
        runs.assert_holds(store.read(), 3 * fan_in)
    with ChainStore(path, mode="resume") as store:
        store.finish()
    runs.assert_holds(Chain.from_file(path), 3 * fan_in)


def test_what_is_overwritten_is_gone_for_good_before_the_new_run_begins(path, monkeypatch):
    with ChainStore(path) as store:
        runs.append(store, 3)
        store.finish()
    calls = []
    real_unlink, real_replace, real_sync = os.unlink, os.replace, _files.sync
    monkeypatch.setattr(_files.os, "unlink", lambda p: (calls.append(("unlink", Path(p))), real_unlink(p)))
    monkeypatch.setattr(_files.os, "replace", lambda a, b: (calls.append(("replace", Path(b))), real_replace(a, b)))
    for module in (_files, _store):
        monkeypatch.setattr(module, "sync", lambda p: (calls.append(("sync", Path(p))), real_sync(p)))
    ChainStore(path, mode="overwrite").close()
    removed, manifest = calls.index(("unlink", path)), next(call for call in calls if call[0] == "replace")
    assert ("sync", path.parent) in calls[removed : calls.index(manifest)]


def test_an_identity_that_could_not_be_written_is_not_taken_for_written(path, monkeypatch):
    with ChainStore(path) as store:
        with monkeypatch.context() as patch:
            crash_at(patch, "pwrite", FULL)
            with pytest.raises(StoreError, match="disk is full"):
                store.identify({"seed": 1})
        store.identify({"seed": 1})
    with ChainStore(path, mode="resume") as store, pytest.raises(StoreError, match="seed"):
        store.identify({"seed": 2})


def test_a_reader_that_meets_a_run_being_finished(path, monkeypatch):
    """The pieces are listed before the final file is looked for: they go only once it is there."""
    store = ChainStore(path)
    for _ in range(3):
        runs.append(store, 3)
    pieces, finished = _segments.RunPaths.pieces, []

    def late(self):
        found = pieces(self)
        if not finished:
            finished.append(True)
            store.finish()
        return found

    monkeypatch.setattr(_segments.RunPaths, "pieces", late)
    runs.assert_holds(Chain.from_file(path), 9)
    store.close()


def test_a_disk_that_forgets_is_noticed(path, monkeypatch):
    from cosmoflow.chains import _merge

    with ChainStore(path) as store:
        runs.append(store, 3)
        with monkeypatch.context() as patch:
            patch.setattr(_merge, "write_draws", lambda *_: None)
            with pytest.raises(StoreError, match="did not keep"):
                store.finish()
        assert not path.exists()
        runs.assert_holds(store.read(), 3)


def test_a_reader_that_meets_a_folder_being_changed(path, monkeypatch):
    """A folder is not listed in one instant: of files being joined it may show neither the old nor the new."""
    with ChainStore(path) as store:
        for _ in range(3):
            runs.append(store, 3)
        pieces, listed = _segments.RunPaths.pieces, []

        def late(self):
            found = pieces(self)
            listed.append(len(listed))
            return found if len(listed) > 2 else [piece for piece in found if "0000000003-" not in piece.name]

        monkeypatch.setattr(_segments.RunPaths, "pieces", late)
        runs.assert_holds(Chain.from_file(path), 9)


WRITER = """
import sys, types
import cosmoflow
package = types.ModuleType("cosmoflow.chains")  # without the modules that import jax
package.__path__ = [cosmoflow.__path__[0] + "/chains"]
sys.modules["cosmoflow.chains"] = package
from cosmoflow.chains._store import ChainStore
sys.path.insert(0, sys.argv[2])
import runs
assert "jax" not in sys.modules
with ChainStore(sys.argv[1], mode="resume") as store:
    print(store.num_draws, flush=True)
    while True:
        runs.append(store, 3 + store.num_draws % 4)
        store.save_stage("checkpoint", {"x": __import__("numpy").arange(3)})
        print(store.num_draws, flush=True)
"""


def test_ten_kills_lose_no_acknowledged_draw(path):
    delays = np.random.default_rng(0).uniform(0.0, 0.03, size=10)
    acknowledged = 0
    for number, delay in enumerate(delays):
        command = [sys.executable, "-c", WRITER, str(path), os.path.dirname(runs.__file__)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            lines = [int(writer.stdout.readline()) for _ in range(1 + number % 3)]
            try:
                writer.wait(delay)
            except subprocess.TimeoutExpired:
                writer.kill()
            lines += map(int, writer.stdout.read().split())
        assert lines[0] >= acknowledged
        acknowledged = lines[-1]
        if acknowledged:
            chain = Chain.from_file(path)
            assert chain.num_draws >= acknowledged
            runs.assert_holds(chain, chain.num_draws)
    assert acknowledged > 0
    with ChainStore(path, mode="resume") as store:
        total = store.num_draws
        store.finish()
    runs.assert_holds(Chain.from_file(path), total)
    assert names(path.parent) == ["chains.h5"]


def test_the_last_commit_can_be_undone(path, monkeypatch):
    """However many commits were joined before it; not the one before, nor a finished run."""
    monkeypatch.setattr(_compaction, "FAN_IN", 3)
    with ChainStore(path) as store:
        for _ in range(10):
            runs.append(store, 3)
            store.undo(store.num_draws)
        store.undo(27)
        with pytest.raises(StoreError, match=r"holds 27 draws, but .* another process .* holds 23"):
            store.undo(23)
        runs.assert_holds(store.read(), 27)
    with ChainStore(path, mode="resume") as store:
        runs.append(store, 3)
        store.finish()
        with pytest.raises(StoreError, match="holds 30 draws"):
            store.undo(0)
    runs.assert_holds(Chain.from_file(path), 30)
