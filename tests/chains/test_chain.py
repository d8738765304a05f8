import subprocess
import sys
import warnings

import h5py
import numpy as np
import pytest
from chains import runs

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, ChainStore


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "chains.h5"
    with ChainStore(path) as store:
        store.annotate({"labels": '{"Omega_m": "\\\\Omega_\\\\mathrm{m}"}'})
        store.save_stage("warmup", {"['a'][0]": np.eye(3), "flag": np.asarray(True), "none": np.zeros((0, 2))})
        runs.append(store, 20)
        runs.append(store, 30)
        store.finish()
    return path


def test_h5py(path):
    with h5py.File(path) as file:
        assert file["posterior/field"].shape == (3, 50, 2, 3)
        assert file["posterior/field"].fletcher32
        assert [scale[0].name.split("/")[-1] for scale in file["posterior/field"].dims] == [
            "chain",
            "draw",
            "field_dim_0",
            "field_dim_1",
        ]
        assert file["posterior/draw"].dtype == file["posterior/chain"].dtype == np.int64
        assert file["posterior/draw"].maxshape == (None,)
        assert set(file["posterior"].attrs) == {"created_at", "inference_library", "inference_library_version"}


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray(path, engine):
    xarray = pytest.importorskip("xarray")
    with xarray.open_datatree(path, engine=engine) as tree:
        posterior, _, _ = runs.draws(0, 50)
        for name, array in posterior.items():
            assert np.array_equal(tree["posterior"][name].values, array)
        assert tree["sample_stats"]["diverging"].dtype == bool
        assert list(tree["posterior"]["draw"].values) == list(range(50))
        assert np.array_equal(tree["setup/warmup"]["['a'][0]"].values, np.eye(3))


def test_arviz(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        arviz = pytest.importorskip("arviz")
    if arviz.__version__.startswith("0."):
        posterior = arviz.from_netcdf(path).posterior
    else:
        xarray = pytest.importorskip("xarray")
        posterior = arviz.convert_to_datatree(xarray.open_datatree(path))["posterior"]
    assert np.array_equal(posterior["Omega_m"].values, runs.draws(0, 50)[0]["Omega_m"])


def test_getdist(path, capsys):
    pytest.importorskip("getdist")
    samples = Chain.from_file(path).to_getdist(["Omega_m", "field[1,2]"])
    assert capsys.readouterr().out == ""
    assert samples.numrows == 150
    assert samples.getParamNames().list() == ["Omega_m", "field[1,2]"]
    assert samples.getParamNames().labels()[0] == r"\Omega_\mathrm{m}"
    assert np.allclose(samples.getMeans()[0], runs.draws(0, 50)[0]["Omega_m"].mean())


def test_scalars(path):
    chain = Chain.from_file(path)
    scalars = chain.scalars()
    assert list(scalars)[:3] == ["Omega_m", "field[0,0]", "field[0,1]"]
    assert np.array_equal(chain.scalars(["field[1,0]"])["field[1,0]"], chain.posterior["field"][..., 1, 0])
    assert list(chain.scalars(["count", "Omega_m"])) == ["count", "Omega_m"]
    for unknown in ("h", "field[9,9]"):
        with pytest.raises(ValueError, match="no parameter"):
            chain.scalars([unknown])


def test_labels():
    draws = np.zeros((1, 1))
    names = {
        "Omega_m": r"\Omega_\mathrm{m}",
        "sigma8": r"\sigma_8",
        "x1": r"x_\mathrm{1}",
        "M_B": r"M_\mathrm{B}",
        "bias": r"\mathrm{bias}",
        "a_b_c": r"a_\mathrm{b,c}",
    }
    assert Chain(dict.fromkeys(names, draws)).labels == names


def test_nothing_there(tmp_path):
    with pytest.raises(StoreError, match="no chain at"):
        Chain.from_file(tmp_path / "chains.h5")


def test_not_ours(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(3)
    for name, complaint in {"text.h5": "not an HDF5", "other.h5": "not a chain file", "": "folder"}.items():
        with pytest.raises(StoreError, match=complaint):
            Chain.from_file(tmp_path / name)


def external_link(file, tmp_path):
    with h5py.File(tmp_path / "target.h5", "w") as target:
        target["x"] = np.zeros((3, 50))
    file["posterior/x"] = h5py.ExternalLink("target.h5", "/x")


def soft_link(file, tmp_path):
    file["posterior/x"] = h5py.SoftLink("/posterior/Omega_m")


def hard_link(file, tmp_path):
    file["posterior/x"] = file["posterior/Omega_m"]


def cycle(file, tmp_path):
    file["posterior/x"] = file["posterior"]


def external_storage(file, tmp_path):
    (tmp_path / "secret.txt").write_text("secret" * 1000)
    file["posterior"].create_dataset("x", (3, 50), external=[(str(tmp_path / "secret.txt"), 0, 3 * 50 * 4)], dtype="f4")


def virtual(file, tmp_path):
    layout = h5py.VirtualLayout(shape=(3, 50), dtype="f8")
    layout[:] = h5py.VirtualSource("target.h5", "x", shape=(3, 50))
    file["posterior"].create_virtual_dataset("x", layout)


def absurd_size(file, tmp_path):
    file["posterior"].create_dataset("x", (3, 50, 10**9), dtype="f8", chunks=(1, 1, 1024))


def strings(file, tmp_path):
    file["posterior/x"] = ["a", "b"]


def null(file, tmp_path):
    file["posterior/x"] = h5py.Empty("f8")


def wrong_length(file, tmp_path):
    file["posterior/x"] = np.zeros((3, 49))


def missing_group(file, tmp_path):
    del file["sample_stats"]


def group_for_dataset(file, tmp_path):
    del file["posterior/draw"]
    file.create_group("posterior/draw")


def bad_manifest(file, tmp_path):
    file.attrs["cosmoflow_manifest"] = "[1]"


HOSTILE = [
    external_link, soft_link, hard_link, cycle, external_storage, virtual, absurd_size, strings, null, wrong_length,
    missing_group, group_for_dataset, bad_manifest,
]  # fmt: skip


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_files_are_refused(path, tmp_path, attack):
    with h5py.File(path, "r+") as file:
        attack(file, tmp_path)
    with pytest.raises(StoreError):
        Chain.from_file(path)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_cut_files_are_refused(path, keep):
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(StoreError):
        Chain.from_file(path)


def test_a_flipped_bit_is_noticed(path):
    content = bytearray(path.read_bytes())
    needle = runs.draws(0, 50)[0]["Omega_m"][0, 7].tobytes()
    content[content.index(needle)] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError):
        Chain.from_file(path)


def test_import_is_light():
    script = (
        "import sys, cosmoflow.chains, cosmoflow.diagnostics, cosmoflow.plotting\n"
        "heavy = {'matplotlib', 'getdist', 'xarray', 'arviz', 'arviz_stats', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
