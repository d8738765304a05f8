"""Observed fields and what belongs to them, in HDF5 or NumPy files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Bool, Float

from ._location import DataError

_WHOLE = ("mask", "truth")
"""Datasets of the shape of the data."""

_EACH_OR_ONE = ("mean_count", "noise_sd")
"""Those that may be one number."""


@dataclass(frozen=True, eq=False)
class FieldData:
    """An observed field.

    Attributes:
        data: The field, one number in each cell.
        box_size: Lengths of the box [Mpc/h], or of the map [rad]; None where the file is silent.
        mask: Which cells were observed; None if all.
        mean_count: Expected counts, one number or one for each cell.
        noise_sd: Standard deviation of the noise, one number or one for each cell.
        truth: The white noise that mock data were made from, cell by cell.
        parameters: The parameters that mock data were made with.
    """

    data: Float[np.ndarray, "*grid"]
    box_size: tuple[float, ...] | None = None
    mask: Bool[np.ndarray, "*grid"] | None = None
    mean_count: Float[np.ndarray, "*count"] | None = None
    noise_sd: Float[np.ndarray, "*noise"] | None = None
    truth: Float[np.ndarray, "*grid"] | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)


def field_shape(path: str | Path) -> tuple[int, ...]:
    """Cells of an observed field along each axis; its numbers are not read.

    Args:
        path: An HDF5 file with a dataset `data`, or a NumPy file `.npy`.

    Raises:
        DataError: It is missing, no such file, or holds neither a map nor a box.
    """
    with _opened(Path(path)) as entries:
        shape = tuple(entries["data"].shape)
    if len(shape) not in (2, 3) or min(shape) < 2:
        raise DataError(
            f"The data in {path} have shape {shape}, but a field is a map or a box of cells; store one value for each."
        )
    return shape


def read_field(path: str | Path, *, mask: str | Path | None = None) -> FieldData:
    """An observed field.

    An HDF5 file holds the dataset `data` and, where there are any, `mask`, `mean_count`, `noise_sd` and `truth`, each
    of the shape of the data; counts and noise may be one number. Its attribute `box_size` is one length or one for each
    axis, and the attributes of `truth` are parameters. A NumPy file `.npy` holds the data alone.

    Args:
        path: The file.
        mask: A file of the same kinds whose data are the mask, in place of that of the first.

    Raises:
        DataError: A file is missing, lacks the data, or holds what is no field; the sentence names file and cell.
    """
    path, shape = Path(path), field_shape(path)
    with _opened(path) as entries:
        names = [name for name in ("data", *_WHOLE, *_EACH_OR_ONE) if name in entries]
        found = {name: _numbers(path, name, entries[name]) for name in names}
        parameters = {name: float(value) for name, value in entries["truth"].attrs.items()} if "truth" in found else {}
        lengths = getattr(entries, "attrs", {}).get("box_size")
    source = path if mask is None else Path(mask)
    if mask is not None:
        with _opened(source) as entries:
            found["mask"] = _numbers(source, "data", entries["data"])
    for name, array in found.items():
        if name in _EACH_OR_ONE and array.size == 1:
            found[name] = array.reshape(())
        elif array.shape != shape:
            where = source if name == "mask" else path
            raise DataError(
                f"The {name} in {where} has shape {array.shape}, but the data have {shape}; make them equal."
            )
    observed = _mask(source, found.get("mask"))
    for name in ("data", *_EACH_OR_ONE, "truth"):
        if name in found:
            _check_finite(path, name, found[name], None if name == "truth" else observed)
    box_size = None if lengths is None else _box_size(path, lengths, len(shape))
    return FieldData(**{**found, "mask": observed}, box_size=box_size, parameters=parameters)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The arrays of a file by name, `data` among them."""
    if not path.is_file():
        raise DataError(f"The file of a field {path} is missing; check its name.")
    if path.suffix == ".npy":
        try:
            array = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise DataError(f"The file {path} is no NumPy array that can be read: {error}.") from error
        yield {"data": array}
        return
    try:
        file = h5py.File(path)
    except OSError as error:
        raise DataError(
            f"The file {path} is no HDF5 file that can be read, nor NumPy's .npy; store the field as one."
        ) from error
    with file:
        if not isinstance(file.get("data"), h5py.Dataset):
            raise DataError(f"The file {path} has no dataset 'data'; it holds {', '.join(file) or 'nothing'}.")
        yield file


def _numbers(path: Path, name: str, dataset: Any) -> np.ndarray:
    """Real numbers, in their own precision where they have one."""
    try:
        array = np.asarray(dataset[()])
        return array if array.dtype in (np.float32, np.float64) else array.astype(float, casting="safe")
    except (OSError, TypeError, ValueError) as error:
        raise DataError(f"The {name} in {path} cannot be read as real numbers: {error}.") from error


def _mask(path: Path, mask: Float[np.ndarray, "*grid"] | None) -> Bool[np.ndarray, "*grid"] | None:
    if mask is None:
        return None
    if not np.isin(mask, (0, 1)).all():
        raise DataError(f"The mask in {path} holds other numbers than 0 and 1; write 1 where a cell was observed.")
    if not mask.any():
        raise DataError(f"The mask in {path} is empty: it leaves no cell of the field; write 1 where one was observed.")
    return mask.astype(bool)


def _check_finite(path: Path, name: str, array: np.ndarray, observed: Bool[np.ndarray, "*grid"] | None) -> None:
    bad = ~np.isfinite(array)
    cells = np.argwhere(bad if observed is None or array.size == 1 else bad & observed)
    if len(cells):
        first = tuple(map(int, cells[0]))
        raise DataError(
            f"The {name} in {path} has {len(cells)} cells that are not finite, the first {first}; mask them."
        )


def _box_size(path: Path, lengths: Any, num_axes: int) -> tuple[float, ...]:
    box_size = tuple(float(length) for length in np.atleast_1d(lengths))
    box_size = box_size * num_axes if len(box_size) == 1 else box_size
    if len(box_size) != num_axes or not all(0 < length < np.inf for length in box_size):
        raise DataError(f"The box_size of {path} is {lengths}; give one positive length, or one for each axis.")
    return box_size


def read_curve(path: str | Path) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Two columns of a text file, such as redshift and number of sources, or wave number and power.

    Args:
        path: The file; what follows a # is a comment.

    Raises:
        DataError: It is missing or holds no such columns.
    """
    try:
        first, second = np.loadtxt(path, ndmin=2, unpack=True)
    except OSError as error:
        raise DataError(f"The file {path} cannot be read ({error.strerror or 'not found'}); check its name.") from error
    except ValueError as error:
        raise DataError(f"The file {path} does not hold two columns of numbers: {error}.") from error
    return first, second
