"""The HDF5 backend of emcee: `chain` (step, walker, parameter), `log_prob` (step, walker), perhaps `blobs`."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from ..._results import StoreError
from .._chain import Chain
from ._columns import columns_of
from ._foreign import Draws, foreign_chain
from ._hdf5 import children, is_numeric, open_foreign, read_numbers, text_attribute

KIND = "emcee"


def emcee_files(chain: Chain, path: Path, parameters: Sequence[str] | None) -> dict[Path, Callable[[Path], None]]:
    """The file to write, with what writes it: chains are walkers, draws are steps."""
    columns = columns_of(chain, parameters, KIND, spaces=True)
    log_density = chain.sample_stats.get("lp", np.full((chain.num_chains, chain.num_draws), np.nan, np.float32))
    dtype = np.result_type(np.float32, log_density.dtype, *(draws.dtype for draws in columns.values()))
    for name, draws in columns.items():
        with np.errstate(invalid="ignore"):
            back = draws.astype(dtype).astype(draws.dtype)
        if not np.array_equal(draws, back, equal_nan=draws.dtype.kind == "f"):
            raise StoreError(f"The format {KIND} cannot hold the whole numbers of {name!r}; they are beyond 2^53.")
    draws = np.stack([draws.astype(dtype).T for draws in columns.values()], axis=-1)
    return {path: partial(_write, names=list(columns), draws=draws, log_density=log_density.astype(dtype).T)}


def _write(path: Path, names: list[str], draws: np.ndarray, log_density: np.ndarray) -> None:
    with h5py.File(path, "x") as file:
        group = file.create_group("mcmc")
        num_steps, num_walkers, dim = draws.shape
        group.attrs.update({"version": "3", "nwalkers": num_walkers, "ndim": dim, "iteration": num_steps})
        group.attrs["has_blobs"] = False
        group.attrs["parameters"] = json.dumps(names)
        moved = np.any(draws[1:] != draws[:-1], axis=-1)
        group["accepted"] = moved.sum(axis=0).astype(np.float64)
        for name, values in {"chain": draws, "log_prob": log_density}.items():
            group.create_dataset(name, data=values, maxshape=(None, *values.shape[1:]))


def find_backend(file: h5py.File) -> h5py.Group | None:
    """The group of an emcee backend, or None where there is none.

    Raises:
        StoreError: there are several.
    """
    found = {
        name: group
        for name, group in children(file).items()
        if isinstance(group, h5py.Group) and {"iteration", "nwalkers"} <= set(group.attrs) and "chain" in group
    }
    if len(found) > 1:
        raise StoreError(f"{file.filename} has several chains ({', '.join(found)}); copy one to a file of its own.")
    return next(iter(found.values()), None)


def read_emcee(path: Path, names: Sequence[str] | None = None) -> Chain:
    """Read a backend: walkers are chains, steps are draws, and no burn-in is removed; blobs become statistics.

    Args:
        path: the HDF5 file.
        names: of the parameters, for emcee keeps none; without them they are one vector `x`.

    Raises:
        StoreError: the file is not of this format, or there are not as many names as parameters.
    """
    with open_foreign(path) as file:
        group = find_backend(file)
        if group is None:
            raise StoreError(f"{path} has no emcee backend; check the format.")
        iteration = group.attrs["iteration"]
        items = children(group)
        stop = int(iteration) if isinstance(iteration, np.integer) else -1
        if stop < 1 or not {"chain", "log_prob"} <= set(items):
            raise StoreError(f"The emcee backend in {path} holds no steps; check that the run has begun.")
        kept = text_attribute(group, "parameters")
        columns = ensemble(_first(items["chain"], stop), names or (json.loads(kept) if kept else None), path)
        log_density = _first(items["log_prob"], stop)
        stats, notes = {}, []
        if not np.all(np.isnan(log_density)):
            stats["lp"] = log_density.T
        if "blobs" in items:
            blobs, notes = _blobs(items["blobs"], stop)
            stats |= blobs
        return foreign_chain(KIND, columns, stats, notes=notes)


def ensemble(draws: np.ndarray, names: object, path: Path) -> Draws:
    """The parameters of an ensemble, of shape (step, walker, parameter).

    Raises:
        StoreError: the draws have another shape, or there are not as many names as parameters.
    """
    if draws.ndim != 3:
        raise StoreError(f"The draws in {path} are not steps of walkers of parameters; check the format.")
    if names is None:
        return {"x": draws.swapaxes(0, 1)}
    if not isinstance(names, list | tuple) or len(set(map(str, names))) != draws.shape[2]:
        raise StoreError(f"{path} has {draws.shape[2]} parameters; give as many names, each a different one.")
    return {str(name): draws[..., i].T for i, name in enumerate(names)}


def _first(item: h5py.Group | h5py.Dataset, stop: int) -> np.ndarray:
    if not isinstance(item, h5py.Dataset) or not item.shape or item.shape[0] < stop:
        raise StoreError(f"{item.name} in {item.file.filename} lacks some of the {stop} steps; restore it from a copy.")
    return read_numbers(item, stop)


def _blobs(item: h5py.Group | h5py.Dataset, stop: int) -> tuple[Draws, list[str]]:
    if isinstance(item, h5py.Dataset) and is_numeric(item):
        return {"blobs": _first(item, stop).swapaxes(0, 1)}, []
    return {}, ["The blobs are not plain numbers and were left out."]
