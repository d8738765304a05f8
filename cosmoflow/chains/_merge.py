"""Several segments streamed into one file, then read back and compared: the final file, and compaction on the way."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from .._results import StoreError
from ._layout import (
    OBSERVED_DATA,
    POSTERIOR_MOMENTS,
    SETUP,
    STATE,
    WARMUP_POSTERIOR,
    WARMUP_SAMPLE_STATS,
    create_draws,
    dataset_at,
    draw_numbers,
    group_at,
    hyperslabs,
    is_of_draws,
    read_arrays,
    stored_dtype,
    write_arrays,
    write_draws,
    write_group,
)
from ._manifest import Manifest
from ._seal import sealed_hdf5
from ._segments import (
    MANIFEST_ATTRIBUTE,
    RUN_ATTRIBUTE,
    RunPaths,
    Segment,
    open_segments,
    read_group,
    read_stage,
    read_totals,
    stage_names,
)

DIGESTS_ATTRIBUTE = "cosmoflow_digests"
REST_ATTRIBUTE = "cosmoflow_rest"
_BLOCK_BYTES = 2**24


class Digest:
    """SHA-256 of a variable, draw by draw, so that it does not depend on how its draws were split."""

    def __init__(self):
        self._sha = None

    def update(self, draws: np.ndarray | h5py.Dataset) -> None:
        """Add the next draws, shape (chain, draw, *shape); those of a dataset are never all in memory."""
        if self._sha is None:
            self._sha = hashlib.sha256(f"{draws.dtype.str} {len(draws)} {draws.shape[2:]}".encode())
        of_each = (draws.shape[1], len(draws), *draws.shape[2:])
        for number, chains, *rest in hyperslabs(of_each, draws.dtype.itemsize):
            part = draws[(chains, number, *rest)]
            self._sha.update(np.ascontiguousarray(np.moveaxis(part, 1, 0)).data.cast("B"))

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return "" if self._sha is None else self._sha.hexdigest()


def merge_segments(paths: RunPaths, target: Segment, segments: Sequence[Segment], manifest: Manifest) -> None:
    """Compaction: one segment of consecutive ones, which may be removed once this returns.

    Raises:
        StoreError: the segments do not fit together, or the disk did not keep what was written.
    """
    digests: dict[str, str] = {}
    with sealed_hdf5(target.path, verify=lambda path: verify(path, target.path, digests)) as file:
        file.attrs[RUN_ATTRIBUTE] = manifest.run
        digests |= _write_draws(file, target, paths, segments, manifest)
        file.attrs[REST_ATTRIBUTE] = digest_of_rest(file)


def merge_run(paths: RunPaths, segments: Sequence[Segment], manifest: Manifest) -> None:
    """The final file of a run: its draws, stages and other groups.

    Raises:
        StoreError: the pieces do not fit together, or the disk did not keep what was written.
    """
    digests: dict[str, str] = {}
    target = Segment(0, segments[-1].stop if segments else 0, paths.final)

    with sealed_hdf5(paths.final, folder=paths.folder, verify=lambda path: verify(path, paths.final, digests)) as file:
        write_manifest(file, manifest)
        if segments:
            digests |= _write_draws(file, target, paths, segments, manifest)
            file.attrs[DIGESTS_ATTRIBUTE] = json.dumps(digests)
        write_rest(file, paths, manifest)


def write_manifest(file: h5py.File, manifest: Manifest) -> None:
    """The attributes of a final file."""
    file.attrs.update(manifest.attributes)
    file.attrs[MANIFEST_ATTRIBUTE] = manifest.to_json()
    file.attrs[RUN_ATTRIBUTE] = manifest.run


def write_rest(file: h5py.File, paths: RunPaths, manifest: Manifest) -> None:
    """What a final file holds beside its draws of what a run holds, and the digest of all that is not draws."""
    for name in (WARMUP_POSTERIOR, WARMUP_SAMPLE_STATS, OBSERVED_DATA):
        if (arrays := read_group(paths, name, manifest.run)) is not None:
            write_group(file, name, arrays, manifest.group_attributes())
    for name, (arrays, attributes) in _stages(paths, manifest):
        write_stage(file, name, arrays, attributes)
    file.attrs[REST_ATTRIBUTE] = digest_of_rest(file)


def write_stage(file: h5py.File, name: str, arrays: Mapping[str, np.ndarray], attributes: dict) -> None:
    """The group of a stage."""
    group = write_arrays(file.require_group(SETUP), name, dict(arrays))
    group.attrs["attributes"] = json.dumps(attributes)


def digest_of(dataset: h5py.Dataset) -> str:
    """The digest of a stored variable, read a part at a time."""
    digest = Digest()
    digest.update(dataset)
    return digest.hexdigest()


def digest_of_rest(file: h5py.File) -> str:
    """The digest of all that a final file or a segment holds beside its draws: state, stages, other groups, totals."""
    sha = hashlib.sha256(json.dumps(read_totals(file), sort_keys=True).encode())

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if is_of_draws(name.split("/")[0]):
            return
        sha.update(f"{name} {item.attrs.get('attributes', '')}".encode())
        if isinstance(item, h5py.Dataset):
            sha.update(f"{stored_dtype(item).str} {item.shape}".encode())
            for part in hyperslabs(item.shape, item.dtype.itemsize):
                sha.update(np.asarray(item[part]).tobytes())

    file.visititems(add)
    return sha.hexdigest()


def pieces(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    """The draws of a stored variable, a few at a time."""
    num_draws = dataset.shape[1]
    step = max(_BLOCK_BYTES * num_draws // max(dataset.nbytes, 1), 1)
    for first in range(0, max(num_draws, 1), step):
        yield dataset[:, first : first + step]


def _write_draws(
    file: h5py.File, target: Segment, paths: RunPaths, segments: Sequence[Segment], manifest: Manifest
) -> dict[str, str]:
    outputs: dict[str, h5py.Dataset] = {}  # kept open, so that partial chunks wait in memory
    places: dict[str, int] = {}
    digests: dict[str, Digest] = {}
    totals: dict[str, float] = {}
    for segment, source, layouts in open_segments(paths, segments, manifest.run):
        if segment is segments[0]:
            for group, layout in layouts.items():
                numbers = draw_numbers(group, target.first, target.stop)
                created = create_draws(file, group, layout, numbers, manifest.group_attributes())
                outputs |= {f"{group}/{name}": dataset_at(created, name) for name in layout.variables}
        for name, number in read_totals(source).items():
            totals[name] = totals.get(name, 0.0) + number
        for name, output in outputs.items():
            for draws in pieces(dataset_at(source, name)):
                place = places.get(name, 0)
                write_draws(output, place, draws)
                places[name] = place + draws.shape[1]
                digests.setdefault(name, Digest()).update(draws)
        if segment is segments[-1]:
            write_arrays(file, STATE, read_arrays(group_at(source, STATE)))
            if POSTERIOR_MOMENTS in source:
                moments = read_arrays(group_at(source, POSTERIOR_MOMENTS))
                write_group(file, POSTERIOR_MOMENTS, moments, manifest.group_attributes())
    file.attrs.update(totals)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _stages(paths: RunPaths, manifest: Manifest) -> Iterator[tuple[str, tuple[dict[str, np.ndarray], dict]]]:
    for name in stage_names(paths):
        if (stage := read_stage(paths, name, manifest.run)) is not None:
            yield name, stage


def verify(path: Path, target: Path, digests: Mapping[str, str]) -> None:
    """Read a draft of a file and compare it with the digests of its variables and of the rest.

    Raises:
        StoreError: the disk did not keep what was written.
    """
    with h5py.File(path, "r") as file:
        kept = all(digest_of(dataset_at(file, name)) == digest for name, digest in digests.items())
        if not kept or digest_of_rest(file) != file.attrs[REST_ATTRIBUTE]:
            raise StoreError(f"The disk did not keep what was written to {target}; the segments are whole, try again.")
