import numpy as np
import pytest
from helpers import official_supernovae

from cosmoflow.datasets import DataError, SupernovaData, des_dovekie, pantheon_plus

REDSHIFTS = (0.005, 0.02, 0.3, 0.9)
TABLE = "CID zHD zHEL m_b_corr\n" + "".join(f"sn{z} {z} {z + 0.001} {20 + z}\n" for z in REDSHIFTS)
DIAGRAM = "# MU = modulus\n#\nVARNAMES: CID zHD zHEL MU\n" + "".join(f"SN: a{z} {z} {z} {40 + z}\n" for z in REDSHIFTS)
MATRIX = 0.04 * np.eye(4) + 0.01


def write_covariance(path, matrix):
    path.write_text("\n".join(map(str, [len(matrix), *np.ravel(matrix)])) + "\n")


def write_precision(path, precision):
    np.savez(path, nsn=np.array([len(precision)]), cov=precision[np.triu_indices(len(precision))].astype(np.float32))


@pytest.fixture
def pantheon(tmp_path):
    (tmp_path / "Pantheon+SH0ES.dat").write_text(TABLE)
    write_covariance(tmp_path / "Pantheon+SH0ES_STAT+SYS.cov", MATRIX)
    return tmp_path


@pytest.fixture
def dovekie(tmp_path):
    (tmp_path / "DES-Dovekie_HD.csv").write_text(DIAGRAM)
    write_precision(tmp_path / "STAT+SYS.npz", np.linalg.inv(MATRIX))
    return tmp_path


def test_the_release_of_pantheon_plus():
    """1590 of the 1701 light curves have z_HD > 0.01 (arXiv:2202.04077)."""
    data = pantheon_plus(official_supernovae("pantheon_plus"))
    assert data.redshift.shape == (1590,)
    assert (data.redshift.min(), data.redshift.max()) == (0.01016, 2.26137)
    assert np.max(np.abs(data.heliocentric_redshift - data.redshift)) < 0.01


@pytest.mark.slow
def test_the_release_of_des_dovekie():
    folder = official_supernovae("des_dovekie")
    data = des_dovekie(folder)
    assert (data.redshift[0], data.heliocentric_redshift[0], data.distance_modulus[0]) == (0.02509, 0.02507, 35.25995)
    upper = np.load(folder / "DES-SN5YR_STAT+SYS.npz")["cov"]
    assert data.redshift.shape == (1820,)
    np.testing.assert_allclose(np.linalg.inv(data.covariance)[np.triu_indices(1820)], upper, rtol=1e-6, atol=1e-6)


def test_low_redshifts_are_left_out(pantheon):
    data = pantheon_plus(pantheon)
    np.testing.assert_array_equal(data.redshift, REDSHIFTS[1:])
    np.testing.assert_array_equal(data.heliocentric_redshift, np.array(REDSHIFTS[1:]) + 0.001)
    np.testing.assert_array_equal(data.distance_modulus, 20 + np.array(REDSHIFTS[1:]))
    np.testing.assert_array_equal(data.covariance, MATRIX[1:, 1:])


def test_inverse_covariance_is_inverted(dovekie):
    data = des_dovekie(dovekie)
    np.testing.assert_array_equal(data.distance_modulus, 40 + np.array(REDSHIFTS))
    np.testing.assert_allclose(data.covariance, MATRIX, rtol=1e-6)


def test_a_diagram_parted_by_commas_is_read_too(dovekie):
    (dovekie / "DES-Dovekie_HD.csv").write_text(
        "CID,zHD,zHEL,MU\n" + "".join(f"a,{z},{z},{40 + z}\n" for z in REDSHIFTS)
    )
    np.testing.assert_array_equal(des_dovekie(dovekie).redshift, REDSHIFTS)


@pytest.mark.parametrize("reader", [pantheon_plus, des_dovekie])
def test_what_to_fetch_is_said(reader, monkeypatch, tmp_path):
    name = reader.__name__
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"{name} is not in {tmp_path / name}; fetch it with `cosmoflow data fetch"):
        reader()
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=f"{name} holds no file .*`cosmoflow data fetch {name}`"):
        reader()


def test_the_folder_of_the_environment_is_read(pantheon, monkeypatch, tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    pantheon.rename(root / "pantheon_plus")
    monkeypatch.setenv("COSMOFLOW_DATA", str(root))
    assert pantheon_plus().redshift.shape == (3,)


def test_two_candidates_are_named(dovekie):
    (dovekie / "DES-SN5YR_HD.csv").write_text(DIAGRAM)
    with pytest.raises(DataError, match=r"DES-Dovekie_HD.csv and DES-SN5YR_HD.csv"):
        des_dovekie(dovekie)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.3 0.301", "nan 0.301", r"SH0ES\.dat, line 4: zHD is nan, not a finite number"),
        ("20.3", "twenty", r"SH0ES\.dat, line 4: m_b_corr is twenty, not a finite number"),
        (" 20.3", "", r"SH0ES\.dat, line 4: m_b_corr is missing, not a finite number"),
        ("zHEL", "zCMB", r"SH0ES\.dat has no column zHEL; its columns are CID, zHD, zCMB, m_b_corr"),
        (TABLE[22:], "", r"SH0ES\.dat has no rows"),
        ("sn0.9 0.9 0.901 20.9\n", "", r"SYS\.cov holds 17 numbers, but 3 light curves need 3\^2 and their count"),
    ],
)
def test_a_damaged_table_is_named(pantheon, old, new, message):
    path = pantheon / "Pantheon+SH0ES.dat"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        pantheon_plus(pantheon)


def test_a_table_that_is_no_text(pantheon):
    path = pantheon / "Pantheon+SH0ES.dat"
    path.write_bytes(path.read_bytes().replace(b"0.3 0.301", b"0.\xff 0.301"))
    with pytest.raises(DataError, match=r"SH0ES\.dat, line 4: zHD is 0\.\ufffd, not a finite number"):
        pantheon_plus(pantheon)


def damaged(row, column, value):
    matrix = MATRIX.copy()
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (damaged(1, 2, np.nan), "not finite in row 2, column 3"),
        (damaged(1, 2, 0.02), "not symmetric in row 2, column 3"),
        (damaged(2, 2, -1.0), "not positive definite: its first 3 rows are not"),
        (damaged(0, 0, -1.0), "not positive definite: its first 1 rows are not"),
    ],
)
def test_a_damaged_covariance_is_named(pantheon, matrix, message):
    write_covariance(pantheon / "Pantheon+SH0ES_STAT+SYS.cov", matrix)
    with pytest.raises(DataError, match=rf"SYS\.cov is {message}; fetch it again"):
        pantheon_plus(pantheon)


def test_a_covariance_that_is_no_list_of_numbers(pantheon):
    path = pantheon / "Pantheon+SH0ES_STAT+SYS.cov"
    path.write_text(path.read_text().replace("0.05", "O.05", 1))
    with pytest.raises(DataError, match=r"SYS\.cov is damaged: could not convert string 'O\.05' .* at row 1"):
        pantheon_plus(pantheon)
    path.write_text("4\n0.05\n")
    with pytest.raises(DataError, match=r"SYS\.cov holds 2 numbers, but 4 light curves"):
        pantheon_plus(pantheon)


def test_a_damaged_inverse_covariance_is_named(dovekie):
    path = dovekie / "STAT+SYS.npz"
    write_precision(path, damaged(2, 2, -1.0))
    with pytest.raises(DataError, match=r"SYS\.npz is not positive definite: its first 3 rows"):
        des_dovekie(dovekie)
    write_precision(path, MATRIX[:3, :3])
    with pytest.raises(DataError, match="6 elements of a triangle of 3 rows, but there are 4 supernovae"):
        des_dovekie(dovekie)
    np.savez(path, other=MATRIX)
    with pytest.raises(DataError, match="no archive of `nsn` and `cov`"):
        des_dovekie(dovekie)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="no archive of `nsn` and `cov`"):
        des_dovekie(dovekie)


def test_supernovae_must_fit_together():
    with pytest.raises(ValueError, match="`distance_modulus` is not finite in row 2"):
        SupernovaData(np.ones(3), np.array([1.0, np.inf, 1.0]), np.eye(3))
