"""Slabs of a field, drawn by several processes, joined to one finished file: slab by slab, never whole in memory."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import h5py

from .._results import StoreError
from ._files import storage_errors
from ._layout import (
    POSTERIOR_MOMENTS,
    STATE,
    DrawsLayout,
    Variable,
    create_draws,
    create_group,
    dataset_at,
    draw_numbers,
    group_at,
    hyperslabs,
    read_variables,
    write_arrays,
)
from ._manifest import Manifest
from ._merge import DIGESTS_ATTRIBUTE, digest_of, verify, write_manifest, write_rest
from ._save import place_for
from ._seal import sealed_hdf5
from ._segments import RunPaths, checked_layouts, list_segments, read_manifest, read_totals

SLAB = "slab"
"""The entry in the identity of a part that says which slab of the field it has, and of how many."""

SLAB_AXES = "slab_axes"
"""The attribute of such a part that names what it has a slab of, and along which axis (JSON)."""


def has_slab(path: Path) -> bool:
    """Whether a run is that of a slab."""
    return SLAB in read_manifest(RunPaths(path)).identity


def join_slabs(parts: Sequence[Path], path: Path, *, attributes: dict[str, str], overwrite: bool = False) -> None:
    """Join the slabs of a run to one finished file, which holds no state of the sampler: the parts go on, it does not.

    Args:
        parts: The final files of all slabs, in any order.
        path: The final file of the run.
        attributes: Of the whole, in place of those of the slabs.
        overwrite: Whether a run that is there may be replaced.

    Raises:
        StoreError: A slab is not finished, belongs to another run or has other draws than the first, slabs are missing
            or there twice, or the file is there already or cannot be written.
    """
    with storage_errors("join the slabs of", path):
        slabs = sorted((_Slab.at(part) for part in parts), key=lambda slab: slab.index)
        _check_fit(slabs)
        manifest = slabs[0].manifest
        whole = replace(deepcopy(manifest), run=Manifest().run)
        whole.attributes |= attributes
        del whole.identity[SLAB], whole.attributes[SLAB_AXES]
        digests: dict[str, str] = {}
        with (
            place_for(path, overwrite=overwrite),
            ExitStack() as opened,
            sealed_hdf5(path, verify=lambda draft: verify(draft, path, digests)) as file,
        ):
            sources = [opened.enter_context(slab.paths.open(slab.paths.final)) for slab in slabs]
            write_manifest(file, whole)
            totals = [read_totals(source) for source in sources]
            file.attrs.update({name: sum(of_slab[name] for of_slab in totals) for name in totals[0]})
            digests |= _write_draws(file, slabs, sources, whole)
            write_arrays(file, STATE, {})
            _write_moments(file, slabs[0].axes, sources, whole)
            file.attrs[DIGESTS_ATTRIBUTE] = json.dumps(digests)
            write_rest(file, slabs[0].paths, manifest)


@dataclass(frozen=True)
class _Slab:
    """A finished slab."""

    paths: RunPaths
    manifest: Manifest
    index: int
    count: int
    num_draws: int
    layouts: dict[str, DrawsLayout]

    @staticmethod
    def at(path: Path) -> "_Slab":
        paths = RunPaths(path)
        manifest = read_manifest(paths)
        segments, _ = list_segments(paths)
        if SLAB not in manifest.identity:
            raise StoreError(f"{path} has all of its field; join slabs with slabs, and chains with chains.")
        if [segment.path for segment in segments] != [path] or paths.pieces():
            raise StoreError(f"{path} is not finished; resume it, with all processes, before the slabs are joined.")
        with paths.open(path) as file:
            layouts = checked_layouts(file, segments[0])
        return _Slab(paths, manifest, *manifest.identity[SLAB], segments[0].stop, layouts)

    @property
    def axes(self) -> dict[str, int]:
        """What it has a slab of, by group and name, and along which axis."""
        return json.loads(self.manifest.attributes[SLAB_AXES])


def _check_fit(slabs: Sequence[_Slab]) -> None:
    first = slabs[0]
    for slab in slabs:
        identities = [{k: v for k, v in one.manifest.identity.items() if k != SLAB} for one in (slab, first)]
        if identities[0] != identities[1] or slab.count != first.count or slab.axes != first.axes:
            raise StoreError(
                f"{slab.paths.final} is a slab of another run than {first.paths.final}; name the slabs of one run."
            )
        if slab.num_draws != first.num_draws:
            raise StoreError(
                f"{slab.paths.final} has {slab.num_draws} draws, but {first.paths.final} has {first.num_draws}; resume "
                "them together."
            )
    if (found := [slab.index for slab in slabs]) != list(range(first.count)):
        raise StoreError(f"The slabs {found} are given, but the run has {first.count}; name each from 0 on once.")


def _write_draws(
    file: h5py.File, slabs: Sequence[_Slab], sources: Sequence[h5py.File], manifest: Manifest
) -> dict[str, str]:
    """All draws, and their digests."""
    digests = {}
    for group, layout in slabs[0].layouts.items():
        variables = {
            name: Variable(
                _joined_shape([(1, 1, *slab.layouts[group].variables[name].shape) for slab in slabs], axis)[2:], dtype
            )
            for name, (_, dtype) in layout.variables.items()
            for axis in [slabs[0].axes.get(f"{group}/{name}")]
        }
        numbers = draw_numbers(group, 0, slabs[0].num_draws)
        created = create_draws(
            file, group, DrawsLayout(layout.num_chains, variables), numbers, manifest.group_attributes()
        )
        for name in variables:
            key = f"{group}/{name}"
            _copy(dataset_at(created, name), [dataset_at(source, key) for source in sources], slabs[0].axes.get(key))
            digests[key] = digest_of(dataset_at(created, name))
    return digests


def _write_moments(file: h5py.File, axes: Mapping[str, int], sources: Sequence[h5py.File], manifest: Manifest) -> None:
    if POSTERIOR_MOMENTS not in sources[0]:
        return
    variables = read_variables(group_at(sources[0], POSTERIOR_MOMENTS))
    datasets = {
        name: [dataset_at(group_at(source, POSTERIOR_MOMENTS), name) for source in sources] for name in variables
    }
    of = {name: axes.get(f"{POSTERIOR_MOMENTS}/{name}") for name in datasets}
    shapes = {
        name: Variable(_joined_shape([each.shape for each in found], of[name]), variables[name].dtype)
        for name, found in datasets.items()
    }
    group = create_group(file, POSTERIOR_MOMENTS, shapes, manifest.group_attributes())
    for name, found in datasets.items():
        _copy(dataset_at(group, name), found, of[name])


def _joined_shape(shapes: Sequence[tuple[int, ...]], axis: int | None) -> tuple[int, ...]:
    """The shape of what is joined along an axis, or the same in all."""
    if axis is None:
        return shapes[0]
    return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])


def _copy(output: h5py.Dataset, sources: Sequence[h5py.Dataset], axis: int | None) -> None:
    """Each slab at its place; of what all have, the first."""
    place = 0
    for source in sources if axis is not None else sources[:1]:
        for region in hyperslabs(source.shape, source.dtype.itemsize):
            target = list(region)
            if axis is not None:
                target[axis] = slice(place + region[axis].start, place + region[axis].stop)
            output[tuple(target)] = source[region]
        place += 0 if axis is None else source.shape[axis]
