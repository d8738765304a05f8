"""Garbage and malice are refused in a sentence, and what comes in can be used."""

import h5py
import numpy as np
import pytest
from chains.formats.examples import NUM_CHAINS, NUM_DRAWS, example

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, export_chain, import_chain
from cosmoflow.chains.formats._foreign import foreign_chain

SHAPE = (NUM_CHAINS, NUM_DRAWS)


def external_link(file, folder):
    file["posterior/x"] = h5py.ExternalLink("other.h5", "/x")


def external_link_in_a_corner(file, folder):
    file["a/b/c"] = h5py.ExternalLink("other.h5", "/x")


def external_storage(file, folder):
    (folder / "secret.txt").write_text("secret" * 1000)
    file["posterior"].create_dataset("x", SHAPE, external=[(str(folder / "secret.txt"), 0, 480)], dtype="f8")


def virtual(file, folder):
    layout = h5py.VirtualLayout(shape=SHAPE, dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=SHAPE)
    file["posterior"].create_virtual_dataset("x", layout)


def absurd_size(file, folder):
    draws = file["posterior"].create_dataset("x", (*SHAPE, 10**9), dtype="f8", chunks=(1, 1, 1024))
    for axis, name in enumerate(("chain", "draw")):
        draws.dims[axis].attach_scale(file["posterior"][name])


def absurd_compression(file, folder):
    draws = file["posterior"].create_dataset("x", (*SHAPE, 10**9), dtype="f8", chunks=(1, 1, 1024), compression="gzip")
    draws[0, 0, :1024] = 1.0
    for axis, name in enumerate(("chain", "draw")):
        draws.dims[axis].attach_scale(file["posterior"][name])


def no_draws(file, folder):
    for name in list(file["posterior"]):
        del file[f"posterior/{name}"]


def differing_lengths(file, folder):
    del file["posterior/single"]
    file["posterior/other"] = np.arange(NUM_DRAWS - 1)
    file["posterior/other"].make_scale("draw")
    file["deeper/draw"] = file["posterior/other"]
    draws = file["posterior"].create_dataset("single", data=np.zeros((NUM_CHAINS, NUM_DRAWS - 1)))
    draws.dims[0].attach_scale(file["posterior/chain"])
    draws.dims[1].attach_scale(file["deeper/draw"])


def group_for_a_file(file, folder):
    del file["posterior"]
    file["posterior"] = np.zeros(3)


@pytest.mark.parametrize(
    "attack",
    [
        external_link, external_link_in_a_corner, external_storage, virtual, absurd_size, absurd_compression, no_draws,
        group_for_a_file,
    ],
)  # fmt: skip
def test_hostile_files_are_refused(tmp_path, attack):
    path = tmp_path / "run.h5"
    example().save(path)
    with h5py.File(path, "r+") as file:
        attack(file, tmp_path)
    with pytest.raises(StoreError, match=r"run\.h5|no draws") as refusal:
        import_chain(path, "netcdf")
    assert "\n" not in str(refusal.value)


def test_soft_links_and_strings_are_passed_over(tmp_path):
    path = tmp_path / "run.h5"
    example().save(path)
    with h5py.File(path, "r+") as file:
        file["posterior/alias"] = h5py.SoftLink("/posterior/Omega_m")
        file["posterior/nowhere"] = h5py.SoftLink("/nowhere")
        file["posterior/again"] = file["posterior"]
        file["names"] = ["a", "b"]
        file["type"] = np.dtype("i4")
    assert list(import_chain(path).posterior) == list(example().posterior)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hello\n", b"# a b\n1 2 3\n", b"\x80\x04\x95pickle,", b"CDF\x01", b"1 2 3\n"]
)
@pytest.mark.parametrize("format", [None, "getdist", "cosmosis", "netcdf", "csv", "emcee", "zeus"])
def test_garbage_is_refused(tmp_path, content, format):
    path = tmp_path / "run.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refusal:
        import_chain(path, format)
    message = str(refusal.value)
    assert "\n" not in message and message.endswith(".") and str(path) in message


@pytest.mark.parametrize("format", [None, "emcee", "zeus", "netcdf"])
def test_damaged_files_are_refused(tmp_path, format):
    export_chain(example(), tmp_path / "run.h5", "emcee")
    whole = (tmp_path / "run.h5").read_bytes()
    rng = np.random.default_rng(8)
    for _ in range(40):
        damaged = bytearray(whole[: rng.integers(8, len(whole))] if rng.random() < 0.5 else whole)
        for place in rng.integers(8, len(damaged), 20) if len(damaged) > 8 else ():
            damaged[place] = rng.integers(256)
        (tmp_path / "damaged.h5").write_bytes(damaged)
        try:
            import_chain(tmp_path / "damaged.h5", format)
        except StoreError as refusal:
            assert str(refusal).count("\n") == 0


def test_nothing_there(tmp_path):
    for path in (tmp_path / "run", tmp_path / "no" / "run", tmp_path):
        with pytest.raises(StoreError, match="There is no chain at"):
            import_chain(path)
    with pytest.raises(ValueError, match="'pickle' is unknown"):
        import_chain(tmp_path, "pickle")
    export_chain(example(), tmp_path / "run.csv", "csv")
    with pytest.raises(StoreError, match="has names"):
        import_chain(tmp_path / "run.csv", names=["a"])


def test_names_that_cannot_be_kept(tmp_path):
    draws = np.arange(4.0).reshape(2, 2)
    names = ["a/b", "a_b", "two words", "draw", "..", "x[1]", "y[0]", "y[1]", "z[0,0]", "z[0,1]", "z", "star*", "n[7"]
    chain = foreign_chain("csv", {name: draws + i for i, name in enumerate(names)}, {})
    assert list(chain.posterior) == [
        "a_b_", "a_b", "two_words", "draw_", ".._", "x_1", "y", "z_0_0", "z_0_1", "z", "star", "n_7",
    ]  # fmt: skip
    assert np.array_equal(chain.posterior["y"], np.stack([draws + 6, draws + 7], axis=-1))
    assert len(chain.scalars()) == len(names)
    assert chain.attributes["import_notes"].count("\n") == 8
    chain.save(tmp_path / "run.h5")
    assert list(Chain.from_file(tmp_path / "run.h5").posterior) == list(chain.posterior)
    pytest.importorskip("getdist")
    assert len(chain.to_getdist().getParamNames().list()) == len(names)
