"""A chain on disk is whole or it is not, and what is sound of it can be had."""

import h5py
import numpy as np
import pytest
from chains import runs

from cosmoflow._results import Status, StoreError
from cosmoflow.chains import Chain, ChainStore, _check, _seal, check, repair
from cosmoflow.chains._files import drafted

SIZES = (20, 5, 30)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chains.h5"


def make(path, *, finished):
    with ChainStore(path) as store:
        store.identify({"seed": 1})
        store.annotate({"labels": '{"Omega_m": "x"}'})
        store.save_stage("warmup", {"a": np.eye(3)}, {"kind": "dense"})
        store.save_group("observed_data", {"data": np.arange(5.0)})
        for size in SIZES:
            runs.append(store, size)
        if finished:
            store.finish()


def segment(path, number):
    return sorted(path.with_name("chains.h5.segments").glob("seg-*"))[number]


def flip(path, needle):
    content = bytearray(path.read_bytes())
    content[content.index(needle)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("finished", [True, False])
def test_a_whole_chain(path, finished):
    make(path, finished=finished)
    found = check(path)
    assert (found.problems, found.notes) == ((), ())
    assert (found.num_chains, found.num_draws) == (runs.NUM_CHAINS, 55)


def test_the_digest_is_that_of_the_draws(path, tmp_path):
    make(path, finished=False)
    before = check(path)
    with ChainStore(path, mode="resume") as store:
        store.finish()
    assert check(path).sha256 == before.sha256
    with ChainStore(tmp_path / "other.h5") as store:
        runs.append(store, 55)
    assert check(tmp_path / "other.h5").sha256 == before.sha256
    with ChainStore(tmp_path / "shorter.h5") as store:
        runs.append(store, 54)
    assert check(tmp_path / "shorter.h5").sha256 != before.sha256


def test_nothing_there(path):
    with pytest.raises(StoreError, match="no chain at"):
        check(path)


def test_a_killed_writer_leaves_a_note(path):
    make(path, finished=False)
    segment(path, 0).with_name("seg.h5.0123.tmp").write_bytes(b"x")
    found = check(path)
    assert found.problems == () and "1 unfinished" in found.notes[0]


@pytest.mark.parametrize("harm", ["flip", "gap", "manifest"])
def test_what_is_sound_of_pieces(path, tmp_path, harm):
    make(path, finished=False)
    kept, manifest = 25, path.with_name("chains.h5.segments") / "manifest.json"
    if harm == "flip":
        flip(segment(path, 2), runs.draws(25, 55)[0]["Omega_m"][0, 7].tobytes())
    elif harm == "gap":
        segment(path, 1).unlink()
        kept = 20
    else:
        manifest.write_text(manifest.read_text().replace('"seed": 1', '"seed": 2'))
        kept = 55
    found = check(path)
    assert len(found.problems) == 1
    mended = repair(path, tmp_path / "mended.h5")
    assert mended.problems == () and mended.num_draws == kept
    chain = Chain.from_file(tmp_path / "mended.h5")
    runs.assert_holds(chain, kept)
    assert chain.observed_data["data"].tolist() == [0, 1, 2, 3, 4]
    with ChainStore(tmp_path / "mended.h5", mode="resume") as store:
        assert store.load_stage("warmup")[1] == {"kind": "dense"}
        assert bool(store.load_state()) == (harm != "manifest")
        if harm != "manifest":
            with pytest.raises(StoreError, match="seed"):
                store.identify({"seed": 2})
    assert check(path).problems == found.problems


def test_a_file_that_something_wrote_to(path, tmp_path):
    make(path, finished=True)
    whole = check(path)
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "mine"
    assert "wrote to it" in check(path).problems[0]
    mended = repair(path, tmp_path / "mended.h5")
    assert (mended.problems, mended.sha256) == ((), whole.sha256)
    with ChainStore(tmp_path / "mended.h5", mode="resume") as store:
        assert store.load_state()[".position"][0, 0, 0] == 55


def test_numbers_that_something_changed(path, tmp_path):
    make(path, finished=True)
    with h5py.File(path, "r+") as file:
        file["posterior/Omega_m"][0, 3] = 7.0
    mended = repair(path, tmp_path / "mended.h5")
    assert mended.num_draws == 55
    assert "not all of them as they were written" in Chain.from_file(tmp_path / "mended.h5").attributes["repaired"]
    with ChainStore(tmp_path / "mended.h5", mode="resume") as store:
        assert store.load_state() == {}


def test_a_flipped_bit_in_a_finished_chain(path, tmp_path):
    make(path, finished=True)
    flip(path, runs.draws(0, 55)[0]["Omega_m"][0, 7].tobytes())
    assert "damaged" in check(path).problems[0]
    with pytest.raises(StoreError, match="No draws"):
        repair(path, tmp_path / "mended.h5")
    assert not (tmp_path / "mended.h5").exists()


@pytest.mark.soon(1)
@pytest.mark.parametrize("array", ["state", "stage"])
def test_numbers_beside_the_draws_are_not_taken_for_sound(path, tmp_path, array):
    """A scalar has no checksum of HDF5's; the digest of all that is not draws has seen it."""
    with ChainStore(path) as store:
        store.identify({"seed": 1})
        posterior, stats, _ = runs.draws(0, 5)
        store.append(posterior, stats, {"scale": np.asarray(0.7654321)})
        store.save_stage("warmup", {"step_size": np.asarray(0.1234567)})
        store.finish()
    flip(path, np.asarray(0.7654321 if array == "state" else 0.1234567).tobytes())
    mended = repair(path, tmp_path / "mended.h5")
    assert mended.problems == () and mended.num_draws == 5
    chain = Chain.from_file(tmp_path / "mended.h5")
    assert chain.status is Status.STOPPED and "without the state" in chain.attributes["repaired"]
    with ChainStore(tmp_path / "mended.h5", mode="resume") as store:
        assert store.load_state() == {} and store.load_stage("warmup") is None


def test_an_array_that_cannot_be_read_costs_no_draws(path, tmp_path):
    make(path, finished=True)
    flip(path, np.full((runs.NUM_CHAINS, 2, 2), 55.0).tobytes())  # the position in the state
    mended = repair(path, tmp_path / "mended.h5")
    assert mended.problems == () and mended.num_draws == 55
    assert Chain.from_file(tmp_path / "mended.h5").observed_data == {}


def test_a_repaired_chain_does_not_keep_its_verdict(path, tmp_path):
    make(path, finished=False)
    with ChainStore(path, mode="resume") as store:
        store.annotate({"status": Status.CONVERGED.name})
    segment(path, 2).unlink()
    segment(path, 1).write_bytes(b"gone")
    repair(path, tmp_path / "mended.h5")
    chain = Chain.from_file(tmp_path / "mended.h5")
    assert chain.status is Status.STOPPED and "not sound" in chain.attributes["repaired"]


def test_files_that_are_joined_meanwhile_are_no_damage(path, monkeypatch):
    make(path, finished=False)
    real, finished = _check.problem_of, []

    def late(paths, file):
        if not finished:
            finished.append(True)
            with ChainStore(path, mode="resume") as store:
                store.finish()
        return real(paths, file)

    monkeypatch.setattr(_check, "problem_of", late)
    assert check(path).problems == ()


def test_a_variable_of_another_length_is_refused(path, tmp_path):
    make(path, finished=True)
    with h5py.File(path, "r+") as file:
        for name in ("Omega_m", "field", "count"):
            file["posterior"][name].resize(50, axis=1)
    with drafted(tmp_path / "forged.h5") as draft:
        draft.write(path.read_bytes())
        _seal.seal(draft)
    with pytest.raises(StoreError, match="does not hold the draws"):
        Chain.from_file(tmp_path / "forged.h5")


def test_a_new_file_replaces_nothing(path, tmp_path):
    make(path, finished=True)
    (tmp_path / "there.h5").write_text("precious")
    with pytest.raises(StoreError):
        repair(path, tmp_path / "there.h5")
    assert (tmp_path / "there.h5").read_text() == "precious"
