import shutil

import jaxtyping
import numpy as np
import pytest

from cosmoflow import datasets
from cosmoflow.datasets import BAOData, DataError, SupernovaData, _location


def test_desi_dr2_bao():
    data = datasets.desi_dr2_bao()
    assert data.value.shape == (13,)
    np.testing.assert_array_equal(data.covariance, data.covariance.T)
    # The Lyman-alpha rows list D_H before D_M.
    assert data.quantity[-2:] == ("DH_over_rd", "DM_over_rd")
    np.testing.assert_allclose(data.value[-2:], (8.631545674846294, 38.988973961958784), rtol=0)
    np.testing.assert_allclose(np.sqrt(data.covariance[0, 0]), 0.0761, atol=5e-5)
    correlation = data.covariance[1, 2] / np.sqrt(data.covariance[1, 1] * data.covariance[2, 2])
    np.testing.assert_allclose(correlation, -0.459, atol=3e-2)  # D_M and D_H at z = 0.51, arXiv:2503.14738, Table 4


def test_union3():
    data = datasets.union3()
    assert data.redshift.shape == (22,)
    assert (data.redshift[0], data.distance_modulus[0]) == (0.05, 36.630361)
    assert np.all(np.diff(data.distance_modulus) > 0)
    np.testing.assert_allclose(data.covariance, data.covariance.T, rtol=0, atol=2e-16)
    assert np.all(np.linalg.eigvalsh(data.covariance) > 0)


@pytest.fixture
def copied_data(tmp_path, monkeypatch):
    folder = shutil.copytree(datasets.data_folder(), tmp_path / "data")
    monkeypatch.setattr(_location, "data_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("name", ["desi_dr2_bao", "union3"])
@pytest.mark.parametrize("file", ["measurements.csv", "covariance.csv"])
def test_one_changed_digit_is_noticed(copied_data, name, file):
    path = copied_data / name / file
    getattr(datasets, name)()
    path.write_text(path.read_text().replace("5", "6", 1))
    with pytest.raises(DataError, match="differs from its checksum"):
        getattr(datasets, name)()


def test_missing_file_is_named(copied_data):
    (copied_data / "union3" / "covariance.csv").unlink()
    with pytest.raises(DataError, match=r"covariance\.csv is missing"):
        datasets.union3()


def test_unknown_set_is_named():
    with pytest.raises(DataError, match=r"'union4'.*union3"):
        datasets.locate("union4")


def test_data_must_fit_together(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the test suite's own checks come first
    good = datasets.desi_dr2_bao()
    with pytest.raises(ValueError, match="13 quantities"):
        BAOData(good.redshift, good.quantity, good.value, good.covariance[:5, :5])
    with pytest.raises(ValueError, match="'DX'"):
        BAOData(good.redshift, ("DX", *good.quantity[1:]), good.value, good.covariance)
    with pytest.raises(ValueError, match="3 redshifts"):
        SupernovaData(np.ones(3), np.ones(3), np.eye(2))
