"""Chains for other programs, as files that are wholly there or not there at all."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..._results import StoreError
from .._chain import Chain
from .._files import publish, storage_errors, sync, temporary_beside
from ._cosmosis import cosmosis_files
from ._csv import csv_files
from ._emcee import emcee_files
from ._getdist import getdist_files
from ._netcdf import netcdf_files
from ._text import chain_files

Files = dict[Path, Callable[[Path], None]]
_SINGLE: dict[str, Callable[[Chain, Path, Sequence[str] | None], Files]] = {
    "netcdf": netcdf_files,
    "csv": csv_files,
    "emcee": emcee_files,
}
_ROOTED: dict[str, Callable[[Chain, Path, Sequence[str] | None], Files]] = {
    "getdist": getdist_files,
    "cosmosis": cosmosis_files,
}


def export_chain(
    chain: Chain,
    path: str | Path,
    format: str,
    *,
    parameters: Sequence[str] | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write a chain for another program.

    Args:
        chain: the draws.
        path: the file; for "getdist" and "cosmosis" the root of the files `root_1.txt`, `root_2.txt`, ...
        format: "getdist", "cosmosis", "netcdf", "csv" or "emcee".
        parameters: which ones, as for `Chain.scalars`.
        overwrite: whether files that are there may be replaced.

    Returns:
        The files written.

    Raises:
        ValueError: the format is unknown, or the chain has no such parameter.
        StoreError: a file is there already or cannot be written, or the format cannot hold a name or a number.
        ImportError: xarray or h5netcdf, which "netcdf" needs, is not installed.
    """
    writers = _SINGLE | _ROOTED
    if format not in writers:
        raise ValueError(f"The format {format!r} is unknown; choose one of {', '.join(writers)}.")
    path = Path(path)
    stale: list[Path] = []
    if format in _ROOTED:
        path = path.with_suffix("") if path.suffix in (".txt", ".paramnames") else path
        single = path.with_name(f"{path.name}.txt")
        if single.exists():
            raise StoreError(f"{single} would be taken for one of the chains; choose another root.")
        stale = chain_files(path)
    files = writers[format](chain, path, parameters)
    for existing in [*files, *stale]:
        if existing.exists() and not overwrite:
            raise StoreError(f"{existing} is there already; choose another output, or overwrite it (--force).")
    with storage_errors("write", path):
        _write(files)
        for leftover in set(stale) - set(files):
            leftover.unlink()
    return list(files)


def _write(files: Files) -> None:
    temporaries = {path: temporary_beside(path) for path in files}
    try:
        for path, write in files.items():
            write(temporaries[path])
            sync(temporaries[path])
        for path, temporary in temporaries.items():
            publish(temporary, path)
    finally:
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink()
