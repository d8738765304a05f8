"""Chains of other programs, whichever wrote them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import h5py

from ..._results import StoreError
from .._chain import Chain
from .._files import storage_errors
from ._cosmosis import read_cosmosis
from ._csv import read_csv
from ._emcee import find_backend, read_emcee
from ._getdist import read_getdist
from ._hdf5 import children, open_foreign
from ._netcdf import read_netcdf
from ._text import chain_files
from ._zeus import read_zeus

_NAMING: dict[str, Callable[[Path], Chain]] = {
    "getdist": read_getdist,
    "cosmosis": read_cosmosis,
    "netcdf": read_netcdf,
    "csv": read_csv,
}
_NAMELESS: dict[str, Callable[[Path, Sequence[str] | None], Chain]] = {"emcee": read_emcee, "zeus": read_zeus}


def import_chain(path: str | Path, format: str | None = None, *, names: Sequence[str] | None = None) -> Chain:
    """Read a chain of another program: emcee, zeus, GetDist, Cobaya, CosmoSIS, ArviZ and all that write like it, CSV.

    No burn-in is removed. Weights that are whole numbers become repeated draws, others are refused. Chains of
    different lengths are cut to the shortest at their ends. What was changed or left out is told, one sentence a line,
    in the chain's attribute `import_notes`. `Chain.save` writes the chain.

    Args:
        path: the file, or the root of several: `root_1.txt`, ... or `root.1.txt`, ...
        format: "getdist" (Cobaya's too), "cosmosis", "netcdf", "csv", "emcee" or "zeus"; by default what the content
            looks like.
        names: of the parameters, for emcee and zeus keep none.

    Raises:
        ValueError: the format is unknown.
        StoreError: the file cannot be read or is not to be trusted, or the names do not fit it.
    """
    path = Path(path)
    if format not in (None, *_NAMING, *_NAMELESS):
        raise ValueError(f"The format {format!r} is unknown; choose one of {', '.join(_NAMING | _NAMELESS)}.")
    with storage_errors("import", path):
        format = format or _guess(path)
        if names is not None and format in _NAMING:
            raise StoreError(f"{path} has names for its parameters already; leave yours out.")
        return _NAMING[format](path) if format in _NAMING else _NAMELESS[format](path, names)


def _guess(path: Path) -> str:
    if path.suffix == ".paramnames":
        return "getdist"
    found = [path] if path.is_file() else chain_files(path)
    if not found:
        raise StoreError(f"There is no chain at {path}, nor at {path}_1.txt or {path}.1.txt; check the path.")
    format = _guess_hdf5(path) if h5py.is_hdf5(found[0]) else _guess_text(found[0])
    if format is None:
        raise StoreError(
            f"The content of {found[0]} is of no known format; if you know it, name it: "
            f"{', '.join(_NAMING | _NAMELESS)}."
        )
    return format


def _guess_hdf5(path: Path) -> str | None:
    with open_foreign(path) as file:
        items = set(children(file))
        if "posterior" in items:
            return "netcdf"
        if {"samples", "logprob"} <= items:
            return "zeus"
        return "emcee" if find_backend(file) is not None else None


def _guess_text(path: Path) -> str | None:
    with path.open("rb") as file:
        first = file.readline(2**20).decode("utf-8-sig", "replace").strip()
    words = first[1:].split()
    if first.startswith("#"):
        if words[:2] == ["weight", "minuslogpost"]:
            return "getdist"
        return "cosmosis" if "post" in words or any("--" in word for word in words) else None
    if "," in first and "\ufffd" not in first:
        return "csv"
    return "getdist" if first and all(_is_number(word) for word in first.split()) else None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
