"""InferenceData: in memory as an xarray.DataTree, on disk as netCDF-4, whoever wrote it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ... import __version__
from ..._results import Status, StoreError
from .._chain import Chain
from ._foreign import Draws, foreign_chain
from ._hdf5 import children, is_numeric, open_foreign, read_numbers, text_attribute

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

KIND = "netcdf"


def to_datatree(chain: Chain) -> "DataTree":
    """The chain as InferenceData; see `Chain.to_datatree`."""
    try:
        from xarray import DataTree
    except ImportError as error:
        raise ImportError("xarray is not installed; install cosmoflow with the extra 'xarray'.") from error

    groups = {"posterior": chain.posterior, "sample_stats": chain.sample_stats}
    trees = {name: _dataset(arrays, ("chain", "draw")) for name, arrays in groups.items() if arrays}
    if chain.observed_data:
        trees["observed_data"] = _dataset(chain.observed_data, ())
    if chain.moments:
        trees["posterior_moments"] = _dataset(chain.moments, ("chain",))
    for name, label in chain.labels.items():
        trees["posterior"][name].attrs["long_name"] = f"${label}$"
    tree = DataTree.from_dict(trees)
    tree.attrs.update(chain.attributes | {"labels": json.dumps(chain.labels), "status": chain.status.name})
    return tree


def _dataset(arrays: Draws, leading: tuple[str, ...]) -> "Dataset":
    from xarray import Dataset

    variables, coordinates = {}, {}
    for name, array in arrays.items():
        dims = (*leading, *(f"{name}_dim_{axis}" for axis in range(array.ndim - len(leading))))
        variables[name] = (dims, array)
        coordinates |= {dim: np.arange(size) for dim, size in zip(dims, array.shape, strict=True)}
    attributes = {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "inference_library": "cosmoflow",
        "inference_library_version": __version__,
    }
    return Dataset(variables, coordinates, attributes)


def netcdf_files(chain: Chain, path: Path, parameters: Sequence[str] | None) -> dict[Path, Callable[[Path], None]]:
    """The file to write, with what writes it."""
    if find_spec("h5netcdf") is None:
        raise ImportError("h5netcdf is not installed; install cosmoflow with the extra 'xarray'.")
    if parameters is not None:
        scalars = chain.scalars(parameters)
        chosen = {name: chain.posterior.get(name) for name in parameters}
        posterior = {name: scalars[name] if draws is None else draws for name, draws in chosen.items()}
        chain = replace(chain, posterior=posterior)
    return {path: partial(to_datatree(chain).to_netcdf, engine="h5netcdf")}


def read_netcdf(path: Path) -> Chain:
    """Read the groups `posterior`, `sample_stats` and `observed_data` of an InferenceData file, numbers only.

    Raises:
        StoreError: the file is not of this format.
    """
    with open_foreign(path) as file:
        groups = {name: item for name, item in children(file).items() if isinstance(item, h5py.Group)}
        if "posterior" not in groups:
            raise StoreError(f"{path} has no group 'posterior'; check the format.")
        posterior, notes = _read_draws(groups["posterior"])
        stats, more = _read_draws(groups["sample_stats"]) if "sample_stats" in groups else ({}, [])
        attributes = {**_attributes(groups["posterior"]), **_attributes(file)}
        labels = _labels(str(attributes.pop("labels", "")))
        status = Status.__members__.get(str(attributes.get("status")), Status.SUCCESSFUL)
        chain = foreign_chain(KIND, posterior, stats, labels=labels, attributes=attributes, notes=notes + more)
        observed = _read_observed(groups["observed_data"]) if "observed_data" in groups else {}
        return replace(chain, status=status, observed_data=observed)


def _read_draws(group: h5py.Group) -> tuple[Draws, list[str]]:
    draws, notes = {}, []
    for name, item in children(group).items():
        if not isinstance(item, h5py.Dataset) or item.is_scale:
            continue
        dims = _dims(item)
        if not {"chain", "draw"} <= set(dims) or not is_numeric(item):
            notes.append(f"The variable {item.name} is not one of numbers per chain and draw and was left out.")
            continue
        if {"scale_factor", "add_offset"} & set(item.attrs):
            raise StoreError(f"{item.name} in {group.file.filename} is packed; write it unpacked, with xarray, first.")
        axes = (dims.index("chain"), dims.index("draw"))
        draws[name] = np.moveaxis(read_numbers(item), axes, (0, 1))
    if len({array.shape[:2] for array in draws.values()}) > 1:
        raise StoreError(
            f"The variables of {group.name} in {group.file.filename} differ in chains or draws; leave out those "
            "that do."
        )
    return draws, notes


def _read_observed(group: h5py.Group) -> Draws:
    items = {name: item for name, item in children(group).items() if isinstance(item, h5py.Dataset)}
    return {name: read_numbers(item) for name, item in items.items() if not item.is_scale and is_numeric(item)}


def _dims(dataset: h5py.Dataset) -> list[str]:
    """The names of the axes, from their dimension scales."""
    scales = [dataset.dims[axis] for axis in range(len(dataset.shape or ()))]
    return [str(scale[0].name).rsplit("/", 1)[-1] if len(scale) else "" for scale in scales]


def _attributes(group: h5py.Group) -> dict[str, str | float]:
    """Text and numbers, without what HDF5, netCDF and the chain store keep for themselves."""
    kept: dict[str, str | float] = {}
    for name in group.attrs:
        if name.startswith(("_", "cosmoflow_")) or name.isupper():
            continue
        value = group.attrs[name]
        if isinstance(value, np.number | np.ndarray) and np.size(value) == 1 and value.dtype.kind in "iuf":
            kept[name] = float(value.item())
        elif text := text_attribute(group, name):
            kept[name] = text
    return kept


def _labels(text: str) -> dict[str, str]:
    try:
        labels = json.loads(text or "{}")
    except ValueError:
        return {}
    items = labels.items() if isinstance(labels, dict) else []
    return {name: label for name, label in items if isinstance(label, str)}
