"""Files of observed fields: what they hold, and one sentence for each that holds something wrong."""

import re

import h5py
import numpy as np
import pytest

from cosmoflow.datasets import DataError, field_shape, read_curve, read_field

SHAPE = (4, 6)


@pytest.fixture
def path(tmp_path):
    """A file with all that a file may hold."""
    path = tmp_path / "sky.h5"
    with h5py.File(path, "w") as file:
        file.attrs["box_size"] = (0.1, 0.2)
        file["data"] = np.arange(24, dtype=np.float32).reshape(SHAPE)
        file["mask"] = np.arange(24).reshape(SHAPE) > 3
        file["mean_count"] = 5
        file["noise_sd"] = np.full(SHAPE, 0.5)
        file["truth"] = np.ones(SHAPE)
        file["truth"].attrs["Omega_m"] = 0.3
    return path


def change(path, name, value):
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value


def test_everything_is_read(path):
    field = read_field(path)
    assert field_shape(path) == SHAPE and field.box_size == (0.1, 0.2)
    assert field.data.dtype == np.float32 and field.data[0, 5] == 5
    assert field.mask.dtype == bool and field.mask.sum() == 20
    assert field.mean_count.shape == () and field.noise_sd.shape == field.truth.shape == SHAPE
    assert field.parameters == {"Omega_m": 0.3}


def test_data_alone(path, tmp_path):
    np.save(tmp_path / "box.npy", np.zeros((2, 3, 4), np.int32))
    field = read_field(tmp_path / "box.npy")
    assert field.data.shape == (2, 3, 4) and field.data.dtype == float
    assert field.box_size is field.mask is field.mean_count is field.noise_sd is field.truth is None
    np.save(tmp_path / "mask.npy", np.eye(4, 6, dtype=bool))
    assert read_field(path, mask=tmp_path / "mask.npy").mask.sum() == 4


def test_one_length_is_that_of_all_axes(path):
    with h5py.File(path, "a") as file:
        file.attrs["box_size"] = 7
    assert read_field(path).box_size == (7.0, 7.0)


def test_what_is_masked_need_not_be_finite(path):
    data = np.zeros(SHAPE)
    data[0, 1] = np.nan
    change(path, "data", data)
    assert np.isnan(read_field(path).data[0, 1])


NAN = np.where(np.arange(24).reshape(SHAPE) >= 22, np.nan, 1.0)
WRONG = {
    "no data": ("data", None, "has no dataset 'data'; it holds mask, mean_count, noise_sd, truth."),
    "not a field": (
        "data",
        np.zeros(4),
        "have shape (4,), but a field is a map or a box of cells; store one value for each.",
    ),
    "text": ("data", np.full(SHAPE, b"x"), "cannot be read as real numbers"),
    "not finite": ("data", NAN, "has 2 cells that are not finite, the first (3, 4); mask them."),
    "noise that is not finite": ("noise_sd", NAN, "The noise_sd in"),
    "empty mask": ("mask", np.zeros(SHAPE, bool), "is empty: it leaves no cell of the field"),
    "weights for a mask": ("mask", np.full(SHAPE, 0.5), "holds other numbers than 0 and 1"),
    "mask of another shape": ("mask", np.ones((6, 4)), "has shape (6, 4), but the data have (4, 6); make them equal."),
    "truth of another shape": ("truth", np.ones(6), "has shape (6,), but the data have (4, 6); make them equal."),
    "counts of another shape": ("mean_count", np.ones(6), "has shape (6,), but the data have (4, 6); make them equal."),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_sentence(path, name):
    dataset, value, sentence = WRONG[name]
    change(path, dataset, value)
    with pytest.raises(DataError, match=re.escape(sentence)) as caught:
        read_field(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("lengths", [-1.0, np.nan, (1.0, 2.0, 3.0)])
def test_lengths_that_cannot_be(path, lengths):
    with h5py.File(path, "a") as file:
        file.attrs["box_size"] = lengths
    with pytest.raises(DataError, match=r"The box_size of .* give one positive length, or one for each axis"):
        read_field(path)


def test_files_that_are_none(tmp_path):
    (tmp_path / "text.h5").write_text("text")
    (tmp_path / "text.npy").write_text("text")
    for name, sentence in (
        ("missing.h5", "is missing; check its name."),
        ("text.h5", "is no HDF5 file that can be read"),
        ("text.npy", "is no NumPy array that can be read"),
    ):
        with pytest.raises(DataError, match=sentence):
            field_shape(tmp_path / name)


def test_a_shape_is_known_without_the_numbers(tmp_path):
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("data", (100_000,) * 3, "f4", chunks=(64, 64, 64))
    assert field_shape(tmp_path / "huge.h5") == (100_000,) * 3


def test_curves(tmp_path):
    (tmp_path / "curve.txt").write_text("# redshift, number\n0.1 1\n0.2 3\n")
    first, second = read_curve(tmp_path / "curve.txt")
    assert first.tolist() == [0.1, 0.2] and second.tolist() == [1, 3]
    (tmp_path / "curve.txt").write_text("0.1\n0.2\n")
    with pytest.raises(DataError, match="does not hold two columns of numbers"):
        read_curve(tmp_path / "curve.txt")
    with pytest.raises(DataError, match=r"missing.txt cannot be read .* check its name"):
        read_curve(tmp_path / "missing.txt")
