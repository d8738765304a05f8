"""HDF5 files of other programs: nothing outside them is followed, and nothing larger than them is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ..._results import StoreError

_MAX_COMPRESSION = 1032  # deflate does not reach more


@contextmanager
def open_foreign(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file for reading, once it is known to keep its data in itself.

    Strings, soft links and types, which honest files may hold, are passed over: see `children` and `read_numbers`.

    Raises:
        StoreError: the file is no HDF5 file, has links to other files, or external, virtual or overlapping storage.
    """
    if not h5py.is_hdf5(path):
        raise StoreError(f"{path} is not an HDF5 file, or is damaged; check the path and the format.")
    with h5py.File(path, "r") as file:
        budget = path.stat().st_size
        seen: set = {file["/"]}
        groups: list[h5py.Group] = [file]
        while groups:
            group = groups.pop()
            for name in group:
                if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                    raise _refusal(file, f"{name} in {group.name} is a link to another file")
            for child in children(group).values():
                if child in seen:
                    continue
                seen.add(child)
                if isinstance(child, h5py.Group):
                    groups.append(child)
                    continue
                if child.external or child.is_virtual:
                    raise _refusal(file, f"{child.name} keeps its data in other files")
                budget -= child.id.get_storage_size()
                if budget < 0:
                    raise _refusal(file, f"{child.name} claims more data than the file has bytes")
        yield file


def children(group: h5py.Group) -> dict[str, h5py.Group | h5py.Dataset]:
    """The groups and datasets in a group, without those that are only linked to."""
    own = [str(name) for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]
    found = {name: group[name] for name in own}
    return {name: child for name, child in found.items() if isinstance(child, h5py.Group | h5py.Dataset)}


def is_numeric(dataset: h5py.Dataset) -> bool:
    """Whether a dataset holds real numbers or booleans."""
    return dataset.shape is not None and dataset.dtype.kind in "biuf"


def read_numbers(dataset: h5py.Dataset, stop: int | None = None) -> np.ndarray:
    """The numbers of a dataset, or the first `stop` of them along its first axis.

    Raises:
        StoreError: it holds something else, or claims to be larger than its bytes can be.
    """
    if not is_numeric(dataset):
        raise _refusal(dataset.file, f"{dataset.name} does not hold numbers")
    count = dataset.size if stop is None or not dataset.shape[0] else dataset.size // dataset.shape[0] * stop
    filtered = dataset.id.get_create_plist().get_nfilters() > 0
    if count * dataset.dtype.itemsize > dataset.id.get_storage_size() * (_MAX_COMPRESSION if filtered else 1):
        raise _refusal(dataset.file, f"{dataset.name} claims more data than it has bytes")
    numbers = np.asarray(dataset[()] if stop is None else dataset[:stop])
    as_bool = numbers.dtype.kind in "iu" and text_attribute(dataset, "dtype") == "bool"
    return numbers.astype(bool if as_bool else numbers.dtype.newbyteorder("="))


def text_attribute(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """An attribute that is text, or nothing."""
    value = item.attrs.get(name, "")
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return str(value) if isinstance(value, str) else ""


def _refusal(file: h5py.File, reason: str) -> StoreError:
    return StoreError(f"Refused to read {file.filename}: {reason}; make sure where the file comes from.")
