"""Exports: every number comes back to the bit, and nothing is overwritten, half written or left over."""

import numpy as np
import pytest
from chains.formats.examples import assert_same_numbers, example

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, export_chain, import_chain
from cosmoflow.chains.formats import _export

OUTPUTS = {"getdist": "run", "cosmosis": "run", "netcdf": "run.nc", "csv": "run.csv", "emcee": "run.h5"}


@pytest.mark.parametrize("format", OUTPUTS)
def test_round_trip(tmp_path, format):
    chain = example()
    export_chain(chain, tmp_path / OUTPUTS[format], format)
    found = import_chain(tmp_path / OUTPUTS[format])
    assert found.attributes["imported_from"] == format
    assert_same_numbers(found, chain, same_dtypes=format == "netcdf")
    found.save(tmp_path / "again.h5")
    assert_same_numbers(Chain.from_file(tmp_path / "again.h5"), chain, same_dtypes=format == "netcdf")


@pytest.mark.parametrize("format", OUTPUTS)
def test_round_trip_of_single_precision(tmp_path, format):
    draws = np.random.default_rng(1).normal(size=(2, 9)).astype(np.float32)
    export_chain(Chain({"x": draws}), tmp_path / OUTPUTS[format], format)
    found = import_chain(tmp_path / OUTPUTS[format])
    assert np.array_equal(found.posterior["x"], draws) and "lp" not in found.sample_stats
    assert found.posterior["x"].dtype == (np.float32 if format in ("netcdf", "emcee") else np.float64)


def test_csv_keeps_whole_numbers_and_booleans(tmp_path):
    chain = example()
    export_chain(chain, tmp_path / "run.csv", "csv", parameters=["count", "flag"])
    found = import_chain(tmp_path / "run.csv").posterior
    assert {name: draws.dtype for name, draws in found.items()} == {"count": np.int64, "flag": np.bool_}


@pytest.mark.parametrize("format", OUTPUTS)
def test_a_choice_of_parameters(tmp_path, format):
    export_chain(example(), tmp_path / OUTPUTS[format], format, parameters=["field[1,2]", "Omega_m"])
    found = import_chain(tmp_path / OUTPUTS[format])
    assert list(found.posterior) == ["field_1_2", "Omega_m"] and "'field_1_2'" in found.attributes["import_notes"]
    assert np.array_equal(found.posterior["field_1_2"], example().posterior["field"][..., 1, 2])
    with pytest.raises(ValueError, match="no parameter 'h'"):
        export_chain(example(), tmp_path / "other", format, parameters=["h"])


@pytest.mark.parametrize("format", OUTPUTS)
def test_nothing_is_overwritten_unasked(tmp_path, format):
    path = tmp_path / OUTPUTS[format]
    written = export_chain(example(), path, format)
    assert sorted(written) == sorted(tmp_path.iterdir())
    before = {file: file.read_bytes() for file in written}
    with pytest.raises(StoreError, match="is there already"):
        export_chain(example(), path, format)
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir()}
    shorter = Chain({"x": np.zeros((1, 2))}, {"lp": np.ones((1, 2))})
    written = export_chain(shorter, path, format, overwrite=True)
    assert sorted(written) == sorted(tmp_path.iterdir())  # chains 2 and 3 of before are gone
    assert import_chain(path).num_chains == 1


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    files = {tmp_path / "a": lambda path: path.write_text("whole"), tmp_path / "b": fail}
    monkeypatch.setitem(_export._SINGLE, "csv", lambda *_: files)
    with pytest.raises(StoreError, match="disk is full"):
        export_chain(example(), tmp_path / "a", "csv")
    assert list(tmp_path.iterdir()) == []


def test_a_table_beside_the_root_is_no_chain(tmp_path):
    (tmp_path / "run.txt").write_text("a table")
    with pytest.raises(StoreError, match=r"run\.txt would be taken for one of the chains"):
        export_chain(example(), tmp_path / "run", "getdist", overwrite=True)
    assert (tmp_path / "run.txt").read_text() == "a table"


@pytest.mark.parametrize(
    ("format", "name", "draws"),
    [
        ("getdist", "two words", np.zeros((1, 1))),
        ("cosmosis", "tab\t", np.zeros((1, 1))),
        ("csv", "lp", np.zeros((1, 1))),
        ("csv", "x", np.zeros((1, 1), np.longdouble)),
        ("emcee", "x", np.full((1, 1), 2**63 - 1)),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, format, name, draws):
    with pytest.raises(StoreError, match=f"format {format} cannot hold"):
        export_chain(Chain({name: draws}), tmp_path / "run", format)


def test_unknown_format(tmp_path):
    with pytest.raises(ValueError, match="'fits' is unknown; choose one of netcdf"):
        export_chain(example(), tmp_path / "run", "fits")
