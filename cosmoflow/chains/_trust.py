"""Opening files that others may have written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from .._results import StoreError


@contextmanager
def open_trusted(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file for reading, once it is known to refer to nothing but its own bytes.

    Raises:
        StoreError: the file has links, external or virtual storage, data that are not numbers, or claims to hold
            more data than it has bytes.
    """
    with h5py.File(path, "r") as file:
        budget = path.stat().st_size
        seen: set = {file["/"]}
        groups: list[h5py.Group] = [file]
        while groups:
            group = groups.pop()
            for name in group:
                where = f"{group.name}/{name}".replace("//", "/")
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise _refusal(path, f"{where} is a link")
                child = group[name]
                if child in seen:
                    raise _refusal(path, f"{where} is a second name of another object")
                seen.add(child)
                if isinstance(child, h5py.Group):
                    groups.append(child)
                elif isinstance(child, h5py.Dataset):
                    budget -= _checked_size(path, where, child)
                    if budget < 0:
                        raise _refusal(path, f"{where} claims more data than the file has bytes")
                else:
                    raise _refusal(path, f"{where} is neither a group nor a dataset")
        yield file


def _checked_size(path: Path, where: str, dataset: h5py.Dataset) -> int:
    if dataset.external or dataset.is_virtual:
        raise _refusal(path, f"{where} keeps its data in other files")
    if dataset.shape is None or dataset.dtype.kind not in "biuf":
        raise _refusal(path, f"{where} does not hold numbers")
    return dataset.size * dataset.dtype.itemsize


def _refusal(path: Path, reason: str) -> StoreError:
    return StoreError(f"Refused to read {path}: {reason}; cosmoflow writes no such file, so do not trust this one.")
