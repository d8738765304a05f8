"""InferenceData, in memory and as netCDF of whoever wrote it."""

import json
import warnings

import h5py
import numpy as np
import pytest
from chains.formats.examples import assert_same_numbers, example

from cosmoflow import Status
from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, export_chain, import_chain

xarray = pytest.importorskip("xarray")


@pytest.fixture
def arviz():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("arviz")


def test_datatree():
    chain = example()
    tree = chain.to_datatree()
    assert set(tree.children) == {"posterior", "sample_stats"}
    assert tree["posterior/field"].dims == ("chain", "draw", "field_dim_0", "field_dim_1")
    assert list(tree["posterior"]["draw"].values) == list(range(20))
    assert np.array_equal(tree["sample_stats/diverging"].values, chain.sample_stats["diverging"])
    assert tree["posterior/Omega_m"].attrs["long_name"] == r"$\Omega_\mathrm{m}$"
    assert json.loads(tree.attrs["labels"]) == chain.labels and tree.attrs["sampling_seconds"] == 2.5
    assert {"created_at", "inference_library", "inference_library_version"} == set(tree["posterior"].attrs)
    assert set(Chain({"x": np.zeros((1, 2))}).to_datatree().children) == {"posterior"}


def test_arviz_takes_it(arviz):
    tree = example().to_datatree()
    if arviz.__version__.startswith("0."):
        tree = arviz.InferenceData.from_datatree(tree)
        assert arviz.summary(tree, var_names=["field"]).shape[0] == 6
    else:
        assert arviz.convert_to_datatree(tree) is tree
    assert np.array_equal(tree["posterior"]["field"].values, example().posterior["field"])


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_reads_it(tmp_path, engine):
    export_chain(example(), tmp_path / "run.nc", "netcdf")
    with xarray.open_datatree(tmp_path / "run.nc", engine=engine) as tree:
        assert set(tree.children) == {"posterior", "sample_stats"}
        for name, draws in example().posterior.items():
            assert tree["posterior"][name].values.tobytes() == draws.tobytes()


def test_status_and_attributes(tmp_path):
    chain = Chain({"x": np.zeros((1, 3))}, {}, {"seed": "1", "sampling_seconds": 2.0}, Status.DIVERGENCES)
    export_chain(chain, tmp_path / "run.nc", "netcdf")
    found = import_chain(tmp_path / "run.nc")
    assert found.status is Status.DIVERGENCES
    assert found.attributes["seed"] == "1" and found.attributes["sampling_seconds"] == 2.0


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_what_arviz_wrote(tmp_path, arviz, engine):
    rng = np.random.default_rng(7)
    posterior = {"mu": rng.normal(size=(4, 30)), "theta": rng.normal(size=(4, 30, 5)).astype(np.float32)}
    stats = {"lp": rng.normal(size=(4, 30)), "diverging": np.zeros((4, 30), bool)}
    data = arviz.from_dict(
        **({"posterior": posterior, "sample_stats": stats} if arviz.__version__.startswith("0.") else {}),
        **({} if arviz.__version__.startswith("0.") else {"data": {"posterior": posterior, "sample_stats": stats}}),
        coords={"school": ["a", "b", "c", "d", "e"]},
        dims={"theta": ["school"]},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.to_netcdf(str(tmp_path / "run.nc"), engine=engine)
    chain = import_chain(tmp_path / "run.nc")
    for name, draws in posterior.items():
        assert chain.posterior[name].dtype == draws.dtype and np.array_equal(chain.posterior[name], draws)
    assert np.array_equal(chain.sample_stats["lp"], stats["lp"]) and chain.sample_stats["diverging"].dtype == bool
    assert "import_notes" not in chain.attributes
    chain.save(tmp_path / "run.h5")


def test_our_own_file(tmp_path):
    example().save(tmp_path / "run.h5")
    assert_same_numbers(import_chain(tmp_path / "run.h5"), example(), same_dtypes=True)


def test_what_is_no_number_is_left_out(tmp_path):
    draws = np.arange(6.0).reshape(3, 2)
    data = xarray.Dataset(
        {
            "turned": (("draw", "chain"), draws),
            "name": (("chain", "draw"), draws.T.astype(str)),
            "n": ("draw", [1, 2, 3]),
        }
    )
    data.to_netcdf(tmp_path / "run.nc", group="posterior", engine="h5netcdf")
    chain = import_chain(tmp_path / "run.nc")
    assert list(chain.posterior) == ["turned"] and np.array_equal(chain.posterior["turned"], draws.T)
    assert "/posterior/name" in chain.attributes["import_notes"] and "/posterior/n " in chain.attributes["import_notes"]


def test_packed_numbers_are_refused(tmp_path):
    export_chain(Chain({"x": np.zeros((2, 3), np.int16)}), tmp_path / "run.nc", "netcdf")
    with h5py.File(tmp_path / "run.nc", "r+") as file:
        file["posterior/x"].attrs["scale_factor"] = 0.1
    with pytest.raises(StoreError, match="packed"):
        import_chain(tmp_path / "run.nc")
