"""What the `SaveProgressCallback` of zeus leaves: `samples` (step, walker, parameter) and `logprob` (step, walker)."""

from collections.abc import Sequence
from pathlib import Path

import h5py

from ..._results import StoreError
from .._chain import Chain
from ._emcee import ensemble
from ._foreign import foreign_chain
from ._hdf5 import children, is_numeric, open_foreign, read_numbers

KIND = "zeus"


def read_zeus(path: Path, names: Sequence[str] | None = None) -> Chain:
    """Read an ensemble: walkers are chains, steps are draws, and no burn-in is removed; blobs become a statistic.

    Args:
        path: the HDF5 file.
        names: of the parameters, for zeus keeps none; without them they are one vector `x`.

    Raises:
        StoreError: the file is not of this format, or there are not as many names as parameters.
    """
    with open_foreign(path) as file:
        found = {name: item for name, item in children(file).items() if isinstance(item, h5py.Dataset)}
        if not {"samples", "logprob"} <= set(found):
            raise StoreError(f"{path} has no zeus chain; check the format.")
        columns = ensemble(read_numbers(found["samples"]), names, path)
        stats, notes = {"lp": read_numbers(found["logprob"]).T}, []
        if "blobs" in found:
            if is_numeric(found["blobs"]):
                stats["blobs"] = read_numbers(found["blobs"]).swapaxes(0, 1)
            else:
                notes.append("The blobs are not plain numbers and were left out.")
        return foreign_chain(KIND, columns, stats, notes=notes)
