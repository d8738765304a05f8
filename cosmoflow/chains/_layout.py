"""The HDF5 layout of draws and of other arrays, readable as InferenceData.

Every variable of a group of draws is (chain, draw, *shape) with a dimension scale on each axis; other arrays get scales
too, so that netCDF readers can open the whole file. Variables of which every n-th draw is kept make a group of their
own, `posterior_every_<n>`, whose draws are numbered as in the posterior.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

import h5py
import numpy as np

from .._results import StoreError

POSTERIOR, SAMPLE_STATS, STATE, SETUP = "posterior", "sample_stats", "sampler_state", "setup"
WARMUP_POSTERIOR, WARMUP_SAMPLE_STATS, OBSERVED_DATA = "warmup_posterior", "warmup_sample_stats", "observed_data"
POSTERIOR_MOMENTS = "posterior_moments"
_THINNED = re.compile(r"posterior_every_([1-9]\d{0,8})")
_CHUNK_BYTES, _SLAB_BYTES = 2**18, 2**24


def thinned_group(every: int) -> str:
    """The group of the variables of which every n-th draw is kept."""
    return f"posterior_every_{every}"


def is_of_draws(name: str) -> bool:
    """Whether a group grows with the draws."""
    return name in (POSTERIOR, SAMPLE_STATS) or _THINNED.fullmatch(name) is not None


def draw_numbers(name: str, first: int, stop: int) -> np.ndarray:
    """Which of the draws [first, stop) a group holds: all, or the last of each n."""
    thinned = _THINNED.fullmatch(name)
    every = int(thinned[1]) if thinned else 1
    return np.arange(first // every, stop // every) * every + every - 1


class Variable(NamedTuple):
    """What is the same for a variable in every segment: its shape beyond (chain, draw), and its dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype


class DrawsLayout(NamedTuple):
    """The variables of one group in their order, and the number of chains."""

    num_chains: int
    variables: dict[str, Variable]


def extent(groups: Sequence[Mapping[str, np.ndarray]]) -> tuple[int, int]:
    """Chains and draws of consecutive blocks of draws.

    Raises:
        StoreError: two variables differ in them, or there are none.
    """
    shapes = [{array.shape[:2] for array in arrays.values()} for arrays in groups]
    extents = [min(shape) for shape in shapes if len(shape) == 1]
    chains = {num_chains for num_chains, _ in extents}
    num_draws = sum(count for _, count in extents)
    if len(extents) != len(groups) or len(chains) != 1 or min(chains) == 0 or num_draws == 0:
        raise StoreError(
            "A commit needs the same chains and draws in every variable, and at least one of each: got "
            f"{[sorted(shape) for shape in shapes]}."
        )
    return min(chains), num_draws


def layout_of(arrays: Mapping[str, np.ndarray], num_chains: int) -> DrawsLayout:
    """The layout of arrays of shape (chain, draw, *shape).

    Raises:
        StoreError: an array cannot be stored under its name or with its dtype.
    """
    for name, array in arrays.items():
        if not name or "/" in name or name in (".", "..", "chain", "draw"):
            raise StoreError(f"A variable cannot be stored under the name {name!r}; rename it, without a slash.")
        if array.dtype.kind not in "biuf":
            raise StoreError(
                f"The variable {name!r} has dtype {array.dtype}; store real numbers, integers or booleans."
            )
    variables = {name: Variable(array.shape[2:], array.dtype) for name, array in arrays.items()}
    return DrawsLayout(num_chains, variables)


def bytes_of_draws(layouts: Mapping[str, DrawsLayout], first: int, stop: int) -> int:
    """The size of the draws [first, stop) of all groups."""
    return sum(
        layout.num_chains * len(draw_numbers(name, first, stop)) * prod(shape) * dtype.itemsize
        for name, layout in layouts.items()
        for shape, dtype in layout.variables.values()
    )


def create_draws(
    file: h5py.File, name: str, layout: DrawsLayout, numbers: np.ndarray, attributes: dict[str, str]
) -> h5py.Group:
    """An InferenceData group of the draws with these numbers, to be filled with `write_draws`."""
    group = file.create_group(name, track_order=True)
    group.attrs.update(attributes)
    chain = _scale(group, "chain", np.arange(layout.num_chains))
    draw = _scale(group, "draw", numbers, unlimited=True)
    for variable, (shape, dtype) in layout.variables.items():
        extra = [_scale(group, f"{variable}_dim_{axis}", np.arange(size)) for axis, size in enumerate(shape)]
        full = (layout.num_chains, len(numbers), *shape)
        dataset = _dataset(group, variable, full, dtype, maxshape=(layout.num_chains, None, *shape))
        for axis, scale in enumerate([chain, draw, *extra]):
            dataset.dims[axis].attach_scale(scale)
    return group


def write_draws(dataset: h5py.Dataset, first: int, draws: np.ndarray) -> None:
    """Fill n draws of a variable, from the place `first` on."""
    dataset[:, first : first + draws.shape[1]] = draws.view(np.int8) if draws.dtype.kind == "b" else draws


def group_at(parent: h5py.Group, name: str) -> h5py.Group:
    """A group by its name, or a StoreError where there is none."""
    group = parent.get(name)
    if not isinstance(group, h5py.Group):
        raise StoreError(f"{parent.file.filename} has no group {name!r}; restore it from a copy.")
    return group


def dataset_at(parent: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset by its name, or a StoreError where there is none."""
    dataset = parent.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise StoreError(f"{parent.file.filename} has no dataset {name!r} in {parent.name}; restore it from a copy.")
    return dataset


def read_layout(group: h5py.Group) -> DrawsLayout:
    """The layout of a group of draws."""
    variables = {name: Variable(dataset.shape[2:], stored_dtype(dataset)) for name, dataset in _datasets(group)}
    return DrawsLayout(len(dataset_at(group, "chain")), variables)


def read_array(dataset: h5py.Dataset) -> np.ndarray:
    """A dataset as it was before it was stored."""
    return np.asarray(dataset[()]).astype(stored_dtype(dataset), copy=False)


def write_group(file: h5py.File, name: str, arrays: Mapping[str, np.ndarray], attributes: dict[str, str]) -> None:
    """An InferenceData group that does not grow with the draws: the data that were fitted, draws of a warm-up, or the
    moments of all draws, each of shape (chain, *shape).
    """
    if name in (OBSERVED_DATA, POSTERIOR_MOMENTS):
        variables = {variable: Variable(array.shape, array.dtype) for variable, array in arrays.items()}
        group = create_group(file, name, variables, attributes)
        for variable, array in arrays.items():
            _fill(dataset_at(group, variable), array)
        return
    num_chains, num_draws = extent([arrays])
    group = create_draws(file, name, layout_of(arrays, num_chains), np.arange(num_draws), attributes)
    for variable, draws in arrays.items():
        write_draws(dataset_at(group, variable), 0, draws)


def create_group(
    file: h5py.File, name: str, variables: Mapping[str, Variable], attributes: dict[str, str]
) -> h5py.Group:
    """Such a group of data or of moments, of these whole shapes, to be filled."""
    leading = ["chain"] if name == POSTERIOR_MOMENTS else []
    group = file.create_group(name, track_order=True)
    group.attrs.update(attributes)
    for variable, whole in variables.items():
        own = [f"{variable}_dim_{axis}" for axis in range(len(whole.shape) - len(leading))]
        _create_array(group, variable, whole, leading + own)
    return group


def write_arrays(parent: h5py.Group, name: str, arrays: dict[str, np.ndarray]) -> h5py.Group:
    """A group of arrays of any shape, which share dimensions where they share sizes."""
    group = parent.create_group(name, track_order=True)
    for key, array in arrays.items():
        shape = array.shape
        scales = [
            f"_dim_{size}" + f"_{shape[:axis].count(size)}" * (size in shape[:axis]) for axis, size in enumerate(shape)
        ]
        _fill(_create_array(group, key, Variable(shape, array.dtype), scales), array)
    return group


def _create_array(group: h5py.Group, name: str, whole: Variable, scales: list[str]) -> h5py.Dataset:
    if whole.dtype.kind not in "biuf" or "/" in name:
        raise StoreError(
            f"The array {name!r} of dtype {whole.dtype} cannot be stored; store numbers under names without a slash."
        )
    dataset = _dataset(group, name, whole.shape, whole.dtype)
    for axis, (scale, size) in enumerate(zip(scales, whole.shape, strict=True)):
        if scale not in group:
            _scale(group, scale, np.arange(size))
        dataset.dims[axis].attach_scale(group[scale])
    return dataset


def _fill(dataset: h5py.Dataset, array: np.ndarray) -> None:
    dataset[...] = array.astype(np.int8) if array.dtype.kind == "b" else array


def read_arrays(group: h5py.Group, *, max_size: int | None = None) -> dict[str, np.ndarray]:
    """The arrays of a group that `write_arrays` or `write_group` made; `max_size` numbers of each chain at most."""
    small = {n: d for n, d in _datasets(group) if max_size is None or prod(d.shape[1:]) <= max_size}
    return {name: read_array(dataset) for name, dataset in small.items()}


def read_variables(group: h5py.Group) -> dict[str, Variable]:
    """The whole shapes and dtypes of these arrays."""
    return {name: Variable(dataset.shape, stored_dtype(dataset)) for name, dataset in _datasets(group)}


def hyperslabs(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """The parts of an array, each of so many bytes that it is read at once, in the order of its numbers."""
    if 0 in shape:
        return
    steps, room = [], max(_SLAB_BYTES // itemsize, 1)
    for size in reversed(shape):
        steps.append(min(size, room))
        room = room // size if room >= size else 1
    starts = [range(0, size, step) for size, step in zip(shape, reversed(steps), strict=True)]
    for first in product(*starts):
        yield tuple(
            slice(place, min(place + axis.step, size)) for place, axis, size in zip(first, starts, shape, strict=True)
        )


def _datasets(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    for name, item in group.items():
        if isinstance(item, h5py.Dataset) and not item.is_scale:
            yield name, item


def _scale(group: h5py.Group, name: str, values: np.ndarray, *, unlimited: bool = False) -> h5py.Dataset:
    scale = _dataset(group, name, values.shape, np.dtype(np.int64), maxshape=(None,) if unlimited else None)
    scale[...] = values
    scale.make_scale(name)
    return scale


def _dataset(
    group: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype, maxshape: tuple | None = None
) -> h5py.Dataset:
    stored = np.dtype(np.int8) if dtype.kind == "b" else dtype
    checked = prod(shape) > 0 and len(shape) > 0
    dataset = group.create_dataset(
        name,
        shape,
        stored,
        maxshape=maxshape if checked else None,
        chunks=_chunks(shape, stored.itemsize) if checked else None,
        fletcher32=checked,
        track_order=True,
    )
    if dtype.kind == "b":
        dataset.attrs["dtype"] = "bool"
    return dataset


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Whole trailing axes, as many as fit: a chunk is a run of consecutive draws."""
    room, chunks = max(_CHUNK_BYTES // itemsize, 1), []
    for size in reversed(shape):
        chunks.append(min(size, room))
        room = max(room // chunks[-1], 1)
    return tuple(reversed(chunks))


def stored_dtype(dataset: h5py.Dataset) -> np.dtype:
    """The dtype of an array before it was stored."""
    return np.dtype(bool) if dataset.attrs.get("dtype") == "bool" else dataset.dtype
