import shutil

import jaxtyping
import numpy as np
import pytest

from cosmoflow import datasets
from cosmoflow.datasets import (
    BAOData,
    ChronometerData,
    CompressedCMBData,
    DataError,
    GrowthData,
    SupernovaData,
    _location,
)


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


TRACERS = ("BGS", "LRG1", "LRG2", "LRG3+ELG1", "ELG2", "QSO", "Lya")


@pytest.mark.parametrize("read", [datasets.desi_dr1_bao, datasets.desi_dr2_bao])
def test_desi_tracers(read):
    data = read()
    assert tuple(dict.fromkeys(data.tracer)) == TRACERS
    np.testing.assert_array_equal(data.covariance, data.covariance.T)
    assert np.all(np.linalg.eigvalsh(data.covariance) > 0)
    assert all(data.tracer[i] == data.tracer[j] for i, j in np.argwhere(data.covariance))
    part = read(["Lya", "BGS"])
    assert part.tracer == ("BGS", "Lya", "Lya")
    assert part.quantity[0] == "DV_over_rd"
    rows = [i for i, tracer in enumerate(data.tracer) if tracer in ("BGS", "Lya")]
    np.testing.assert_array_equal(part.value, data.value[rows])
    np.testing.assert_array_equal(part.covariance, data.covariance[np.ix_(rows, rows)])
    np.testing.assert_array_equal(read(TRACERS).value, data.value)


def test_unknown_tracer_is_named():
    with pytest.raises(ValueError, match=r"'ELG1'.*BGS, LRG1, LRG2, LRG3\+ELG1, ELG2, QSO, Lya"):
        datasets.desi_dr2_bao(["BGS", "ELG1"])
    with pytest.raises(ValueError, match="At least one"):
        datasets.desi_dr1_bao([])


def test_desi_dr1_bao():
    """arXiv:2404.03002, Table 1: D_V / r_d = 7.93 +- 0.15 of the bright galaxies, 26.07 +- 0.67 of the quasars."""
    data = datasets.desi_dr1_bao(["BGS", "QSO"])
    np.testing.assert_allclose(data.value, (7.93, 26.07), atol=0.006)
    np.testing.assert_allclose(np.sqrt(np.diag(data.covariance)), (0.15, 0.67), atol=0.006)


SDSS = {
    "sdss_dr12_lrg_bao": 4,
    "sdss_dr16_lrg_bao": 2,
    "sdss_dr16_qso_bao": 2,
    "sdss_dr16_lrg_full_shape": 9,
    "sdss_dr16_qso_full_shape": 3,
}


@pytest.mark.parametrize("name", SDSS)
def test_sdss(name):
    data = getattr(datasets, name)()
    assert data.value.shape == (SDSS[name],)
    assert set(data.quantity) == {"DM_over_rd", "DH_over_rd"} | ({"f_sigma8"} if "full_shape" in name else set())
    np.testing.assert_allclose(data.covariance, data.covariance.T, rtol=1e-14)
    assert np.all(np.linalg.eigvalsh(data.covariance) > 0)


def test_sdss_published_values():
    """arXiv:2007.08991, Table 3: 17.86 +- 0.33 and 19.33 +- 0.53 (LRG), f sigma8 = 0.462 +- 0.045 (QSO)."""
    lrg, qso = datasets.sdss_dr16_lrg_bao(), datasets.sdss_dr16_qso_full_shape()
    np.testing.assert_allclose(lrg.value, (17.86, 19.33), atol=0.006)
    np.testing.assert_allclose(np.sqrt(np.diag(lrg.covariance)), (0.33, 0.53), atol=0.006)
    np.testing.assert_allclose((qso.value[2], np.sqrt(qso.covariance[2, 2])), (0.462, 0.045), atol=6e-4)


def test_cosmic_chronometers():
    data = datasets.cosmic_chronometers()
    assert data.redshift.shape == (15,)
    assert (data.redshift[0], data.hubble_rate[0]) == (0.1791, 74.91)
    np.testing.assert_array_equal(data.covariance, data.covariance.T)
    assert np.all(np.linalg.eigvalsh(data.covariance) > 0)
    assert np.all(data.covariance > 0)  # the choice of stellar models correlates all


def test_fsigma8_gold2018():
    data = datasets.fsigma8_gold2018()
    assert data.redshift.shape == (22,)
    assert np.all(np.linalg.eigvalsh(data.covariance) > 0)
    linked = np.argwhere(np.triu(data.covariance, 1))
    assert {tuple(data.redshift[pair]) for pair in linked} == {
        (0.44, 0.60), (0.60, 0.73), (0.978, 1.23), (0.978, 1.526), (0.978, 1.944),
        (1.23, 1.526), (1.23, 1.944), (1.526, 1.944),
    }  # fmt: skip
    near = data.redshift < 0.2  # where H D_A is c z
    np.testing.assert_allclose(data.fiducial[near] / (299792.458 * data.redshift[near]), 1.0, atol=0.13)


def test_planck2018_distance_priors():
    """arXiv:1808.05724, Table 1."""
    data = datasets.planck2018_distance_priors()
    assert data.quantity == ("R", "l_A", "omega_b")
    error = np.sqrt(np.diag(data.covariance))
    np.testing.assert_allclose(error, (0.0046, 0.0895, 0.00015), rtol=1e-12)
    correlation = data.covariance / np.outer(error, error)
    np.testing.assert_allclose(correlation[np.triu_indices(3, 1)], (0.46, -0.66, -0.33), rtol=1e-6)


def test_desi_compressed_cmb():
    """arXiv:2503.14738, Eq. 35 and 36."""
    data = datasets.desi_compressed_cmb()
    assert data.quantity == ("theta_star", "omega_b", "omega_bc")
    np.testing.assert_allclose(data.value, (0.01041, 0.02223, 0.14208), rtol=3e-4)
    scaled = data.covariance * 1e9
    np.testing.assert_allclose(np.diag(scaled), (0.006621, 21.344, 1488.4), rtol=1e-4)
    np.testing.assert_array_equal(data.covariance, data.covariance.T)
    assert np.all(np.linalg.eigvalsh(data.covariance) > 0)


def test_single_numbers():
    assert datasets.h0_shoes2022() == ("H0", 73.04, 1.04)
    assert datasets.bbn_schoeneberg2024() == ("omega_b", 0.02218, 0.00055)


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


@pytest.mark.parametrize(
    "name", ["cosmic_chronometers", "desi_compressed_cmb", "desi_dr2_bao", "fsigma8_gold2018", "union3"]
)
@pytest.mark.parametrize("file", ["measurements.csv", "covariance.csv"])
def test_one_changed_digit_is_noticed(copied_data, name, file):
    path = copied_data / name / file
    getattr(datasets, name)()
    path.write_text(path.read_text().replace("1", "2", 1))
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
    with pytest.raises(ValueError, match="as many tracers"):
        BAOData(good.redshift, good.quantity, good.value, good.covariance, ("BGS",))
    with pytest.raises(ValueError, match="3 redshifts"):
        SupernovaData(np.ones(3), np.ones(3), np.eye(2))
    with pytest.raises(ValueError, match="3 redshifts"):
        ChronometerData(np.ones(3), np.ones(2), np.eye(3))
    with pytest.raises(ValueError, match="3 redshifts"):
        GrowthData(np.ones(3), np.ones(3), np.eye(3), np.ones(2))
    with pytest.raises(ValueError, match="2 quantities"):
        CompressedCMBData(("R", "l_A"), np.ones(3), np.eye(3))
    with pytest.raises(ValueError, match=r"'tau'.*theta_star"):
        CompressedCMBData(("R", "tau"), np.ones(2), np.eye(2))
