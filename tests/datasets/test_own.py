"""A user's own tables, and the sentence that answers each mistake in them."""

import numpy as np
import pytest

from cosmoflow.datasets import QUANTITIES, DataError, desi_dr2_bao, read_covariance, read_measurements

VALUES = "# redshift value sd\n0.5, 13.5, 0.2\n\n0.9 20.1 0.3  # preliminary\n1.3 26.0 0.5\n"
THREE = "0.5 13.5\n0.9 20.1\n1.3 26.0\n"
COVARIANCE = "0.04 0.01 0\n0.01 0.09 0\n0 0 0.25\n"
MIXED = "0.5 DM_over_rd 13.5 0.2\n0.5 22.0 DH_over_rs 0.5\n"

MISTAKES = {
    "NaN": (VALUES.replace("20.1", "nan"), None, "mine.txt, line 4, holds NaN; give a finite number"),
    "infinite": (VALUES.replace("20.1", "-inf"), None, "mine.txt, line 4, holds -inf; give a finite number"),
    "a word": ("z mu sd\n" + VALUES, None, "mine.txt, line 1: 'z' is not a number; begin comments with #."),
    "ragged": (VALUES.replace("26.0", ""), None, "mine.txt, line 5, has 2 columns, but line 2 has 3; complete"),
    "empty": ("# nothing\n", None, "mine.txt holds no numbers; write one measurement in each line."),
    "negative redshift": (VALUES.replace("0.9", "-0.9"), None, "mine.txt, line 4: the redshift -0.9 is not positive"),
    "no error": (VALUES.replace("0.3", "0"), None, "mine.txt, line 4: the standard deviation 0 is not positive"),
    "no covariance": (
        THREE,
        None,
        "mine.txt has 2 columns, but needs 3 (redshift, value, standard deviation); name the file of their covariance",
    ),
    "errors twice": (VALUES, COVARIANCE, "mine.txt has 3 columns, but needs 2 (redshift, value); keep either"),
    "too many columns": ("1 2 3 4 5\n", None, "mine.txt has 5 columns, but needs 3 (redshift, value, standard dev"),
    "another size": (THREE + "1.5 28\n", COVARIANCE, "cov.txt is 3 x 3, but "),
    "not square": (
        THREE,
        COVARIANCE + "1 2 3\n",
        "cov.txt is 4 x 3, but a covariance is square; write one row a line.",
    ),
    "NaN covariance": (THREE, COVARIANCE.replace("0.09", "NaN"), "cov.txt, line 2, holds NaN; give a finite number"),
    "half": (
        THREE,
        COVARIANCE.replace("0.04 0.01", "0.04 0"),
        "cov.txt is not symmetric: line 1, column 2 is 0, but line 2, column 1 is 0.01; write both halves",
    ),
    "variance": (THREE, COVARIANCE.replace("0.09", "-0.09"), "cov.txt, line 2: the variance -0.09 is not positive"),
    "indefinite": (
        THREE,
        COVARIANCE.replace("0.01", "0.1"),
        "cov.txt is not positive definite: the smallest eigenvalue of its correlations is -0.667; give more digits",
    ),
}


def written(folder, values, covariance=None):
    (folder / "mine.txt").write_text(values)
    if covariance is None:
        return folder / "mine.txt", None
    (folder / "cov.txt").write_text(covariance)
    return folder / "mine.txt", folder / "cov.txt"


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path, name):
    values, covariance, sentence = MISTAKES[name]
    with pytest.raises(DataError) as caught:
        read_measurements(*written(tmp_path, values, covariance))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/{sentence}") and message.endswith(".") and "\n" not in message, message


def test_sizes_are_named(tmp_path):
    with pytest.raises(DataError, match=r"cov.txt is 3 x 3, but .*mine.txt has 2 values; name files that belong"):
        read_measurements(*written(tmp_path, "0.5 13.5\n0.9 20.1\n", COVARIANCE))


def test_files(tmp_path):
    with pytest.raises(DataError, match=r"There is no file .*mine.txt; name it relative to the folder"):
        read_measurements(tmp_path / "mine.txt")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\); name a text file"):
        read_measurements(tmp_path)
    (tmp_path / "mine.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"mine.txt is not a text file"):
        read_measurements(tmp_path / "mine.txt")


def test_standard_deviations(tmp_path):
    measured = read_measurements(*written(tmp_path, "\ufeff" + VALUES))
    np.testing.assert_array_equal(measured.redshift, [0.5, 0.9, 1.3])
    np.testing.assert_array_equal(measured.value, [13.5, 20.1, 26.0])
    np.testing.assert_allclose(measured.covariance, np.diag([0.04, 0.09, 0.25]), rtol=1e-15)
    assert measured.quantity == ()


def test_covariance(tmp_path):
    measured = read_measurements(*written(tmp_path, THREE, COVARIANCE))
    np.testing.assert_array_equal(measured.covariance, [[0.04, 0.01, 0], [0.01, 0.09, 0], [0, 0, 0.25]])


def test_several_quantities(tmp_path):
    measured = read_measurements(*written(tmp_path, MIXED), quantities=QUANTITIES)
    assert measured.quantity == ("DM_over_rd", "DH_over_rd")
    np.testing.assert_array_equal(measured.value, [13.5, 22.0])
    with pytest.raises(DataError, match=r"line 2, does not say which quantity it holds; the nearest known is DH_over"):
        read_measurements(*written(tmp_path, MIXED.replace("DH_over_rs", "DH_rd")), quantities=QUANTITIES)
    with pytest.raises(
        DataError, match=r"line 2, does not say .*; write one of DM_over_rd, DH_over_rd, DV_over_rd, f_s"
    ):
        read_measurements(*written(tmp_path, MIXED.replace("DH_over_rs", "7")), quantities=QUANTITIES)


def test_a_published_set_read_as_ones_own(tmp_path):
    data = desi_dr2_bao()
    rows = zip(data.redshift.tolist(), data.value.tolist(), data.quantity, strict=True)
    np.savetxt(tmp_path / "cov.txt", data.covariance, fmt="%.17e")
    (tmp_path / "mine.txt").write_text("\n".join(f"{z} {value} {name}" for z, value, name in rows))
    measured = read_measurements(tmp_path / "mine.txt", tmp_path / "cov.txt", quantities=QUANTITIES)
    assert measured.quantity == data.quantity
    np.testing.assert_array_equal(measured.value, data.value)
    np.testing.assert_array_equal(read_covariance(tmp_path / "cov.txt"), data.covariance)
