import os
import shutil
from importlib.resources import files
from pathlib import Path

import jaxtyping
import numpy as np
import pytest

from cosmoflow.datasets import DataError, PlanckLiteData, planck2018_lite

pytest.importorskip("cosmofit", reason="cosmofit ships the official files")
OFFICIAL = Path(str(files("cosmofit") / "data" / "cmb" / "plik_lite"))


@pytest.fixture
def folder(tmp_path):
    for name in ("blmin.dat", "blmax.dat", "bweight.dat", "cl_cmb_plik_v22.dat", "c_matrix_plik_v22.dat"):
        shutil.copy(OFFICIAL / name, tmp_path)
    return tmp_path


def rewrite(path, row, text):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[: row - 1], text, *lines[row:]]) + "\n")


def test_official_files():
    data = planck2018_lite(OFFICIAL)
    assert [data.spectrum.count(name) for name in ("TT", "TE", "EE")] == [215, 199, 199]
    assert data.spectrum[::200] == ("TT", "TT", "TE", "EE")
    assert (data.ell_min[0], data.ell_max[0], data.ell_max[214]) == (30, 34, 2508)
    assert (data.ell_min[215], data.ell_max[413], data.ell_max[612]) == (30, 1996, 1996)
    np.testing.assert_array_equal(data.ell_min[1:215], data.ell_max[:214] + 1)
    table = np.loadtxt(OFFICIAL / "cl_cmb_plik_v22.dat")
    np.testing.assert_array_equal((data.ell_min + data.ell_max) / 2, table[:, 0])  # the multipoles that the file states
    np.testing.assert_array_equal(data.bandpower, table[:, 1])
    np.testing.assert_allclose(np.sqrt(np.diagonal(data.covariance)), table[:, 2], rtol=1e-12)
    np.testing.assert_array_equal(data.covariance, data.covariance.T)
    assert np.count_nonzero(data.covariance[0, 1:]) > 0
    sums = [data.weight[low : high + 1].sum() for low, high in zip(data.ell_min, data.ell_max, strict=True)]
    np.testing.assert_allclose(sums, 1, rtol=1e-12)


def test_temperature_alone():
    data, both = planck2018_lite(OFFICIAL, spectra="TT"), planck2018_lite(OFFICIAL)
    assert data.spectrum == ("TT",) * 215
    np.testing.assert_array_equal(data.bandpower, both.bandpower[:215])
    np.testing.assert_array_equal(data.covariance, both.covariance[:215, :215])


@pytest.mark.skipif("COSMOFLOW_DATA" not in os.environ, reason="COSMOFLOW_DATA names no folder of official files")
def test_triangle_is_the_same_matrix():
    np.testing.assert_array_equal(planck2018_lite().covariance, planck2018_lite(OFFICIAL).covariance)


def test_triangle(folder):
    expected = planck2018_lite(folder)
    (folder / "c_matrix_plik_v22.dat").unlink()
    np.savez(folder / "c_matrix_plik_v22_tril.npz", tril=expected.covariance[np.tril_indices(613)])
    np.testing.assert_array_equal(planck2018_lite(folder).covariance, expected.covariance)
    np.savez(folder / "c_matrix_plik_v22_tril.npz", tril=np.ones(4))
    with pytest.raises(DataError, match=r"tril\.npz does not hold the triangle"):
        planck2018_lite(folder)
    (folder / "c_matrix_plik_v22_tril.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"tril\.npz does not hold the triangle"):
        planck2018_lite(folder)


@pytest.mark.parametrize(
    ("name", "row", "text", "sentence"),
    [
        ("cl_cmb_plik_v22.dat", 7, "67 4.6 nan", r"Row 7 of .*cl_cmb_plik_v22\.dat does not hold 3 finite numbers"),
        ("cl_cmb_plik_v22.dat", 7, "67 4.6", r"Row 7 of .*cl_cmb_plik_v22\.dat does not hold 3"),
        ("cl_cmb_plik_v22.dat", 7, "67 4.6 0.1", r"Row 7 of .*: its error 0\.1 is not that of the covariance"),
        ("bweight.dat", 40, "abc", r"Row 40 of .*bweight\.dat does not hold 1 finite numbers: 'abc'"),
        ("blmin.dat", 3, "10.5", r"Row 3 of .*blmin\.dat and blmax\.dat: the bin from 10\.5 to 14 does not follow"),
        ("blmax.dat", 3, "9", r"Row 3 of .*blmax\.dat: the bin from 10 to 9"),
        ("blmax.dat", 3, "14.5", r"Row 3 of .*blmax\.dat: the bin from 10 to 14\.5"),
        ("blmin.dat", 3, "15", r"Row 3 of .*blmax\.dat: the bin from 15 to 14 does not follow .* ends at 9"),
    ],
)
def test_bad_row_is_named(folder, name, row, text, sentence):
    rewrite(folder / name, row, text)
    with pytest.raises(DataError, match=sentence):
        planck2018_lite(folder)


def test_bad_file_is_named(folder):
    covariance = folder / "c_matrix_plik_v22.dat"
    content = bytearray(covariance.read_bytes())
    covariance.write_bytes(content[:-8])
    with pytest.raises(DataError, match=r"c_matrix_plik_v22\.dat is no Fortran record of 613 x 613"):
        planck2018_lite(folder)
    content[4 + 8 * 613 * 9 : 4 + 8 * (613 * 9 + 1)] = np.array(np.nan).tobytes()
    covariance.write_bytes(content)
    with pytest.raises(DataError, match=r"Row 10 of .*c_matrix_plik_v22\.dat"):
        planck2018_lite(folder)
    covariance.unlink()
    with pytest.raises(DataError, match=r"c_matrix_plik_v22\.dat is missing; fetch it"):
        planck2018_lite(folder)
    (folder / "bweight.dat").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"bweight\.dat is no text"):
        planck2018_lite(folder)
    (folder / "blmin.dat").write_text("0\n5\n")
    with pytest.raises(DataError, match=r"blmin\.dat has 2 rows where 215"):
        planck2018_lite(folder)


def test_missing_folder_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path))
    with pytest.raises(DataError, match="`cosmoflow data fetch planck2018_lite`"):
        planck2018_lite()
    shutil.copytree(OFFICIAL, tmp_path / "planck2018_lite")
    assert planck2018_lite().bandpower.size == 613


def test_data_must_fit_together(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    one, matrix, weight = np.ones(1), np.eye(1), np.ones(5)
    bin_ = np.array([2])
    with pytest.raises(ValueError, match="1 spectra"):
        PlanckLiteData(("TT",), one, bin_, bin_, weight, np.eye(2))
    with pytest.raises(ValueError, match="'BB'"):
        PlanckLiteData(("BB",), one, bin_, bin_, weight, matrix)
    with pytest.raises(ValueError, match="between the multipoles 0 and 4"):
        PlanckLiteData(("TT",), one, bin_, bin_ + 3, weight, matrix)
    with pytest.raises(ValueError, match="'EE'"):
        planck2018_lite(OFFICIAL, spectra="EE")
