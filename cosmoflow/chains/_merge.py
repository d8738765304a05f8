"""The final file: all segments streamed into one, then read back and compared."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np

from .._results import StoreError
from ._files import sync
from ._layout import (
    POSTERIOR,
    SAMPLE_STATS,
    SETUP,
    STATE,
    create_draws,
    dataset_at,
    group_at,
    read_array,
    read_arrays,
    write_arrays,
    write_draws,
)
from ._manifest import Manifest
from ._segments import MANIFEST_ATTRIBUTE, Segment, open_segments, read_totals
from ._trust import open_trusted

Stages = dict[str, tuple[dict[str, np.ndarray], dict]]


def merge(path: Path, segments: list[Segment], stages: Stages, manifest: Manifest) -> None:
    """Write the final file to `path` and compare it with its sources.

    Raises:
        StoreError: the segments do not fit together, or the disk did not keep what was written.
    """
    with h5py.File(path, "x", track_order=True) as file:
        file.attrs.update(manifest.attributes)
        file.attrs[MANIFEST_ATTRIBUTE] = manifest.to_json()
        digests = _merge_draws(file, segments, manifest)
        for name, (arrays, attributes) in stages.items():
            write_stage(file, name, arrays, attributes)
    sync(path)
    with open_trusted(path) as file:
        kept = all(_digest(file, name, segments) == digest for name, digest in digests.items())
        kept = kept and all(
            _same(read_arrays(group_at(group_at(file, SETUP), name)), arrays) for name, (arrays, _) in stages.items()
        )
    if not kept:
        raise StoreError(f"The disk did not keep what was written to {path}; the segments are whole, merge them again.")


def write_stage(file: h5py.File, name: str, arrays: dict[str, np.ndarray], attributes: dict) -> None:
    """The group of a stage."""
    group = write_arrays(file.require_group(SETUP), name, arrays)
    group.attrs["attributes"] = json.dumps(attributes)


def _merge_draws(file: h5py.File, segments: list[Segment], manifest: Manifest) -> dict[str, bytes]:
    outputs: dict[str, h5py.Dataset] = {}  # kept open, so that partial chunks wait in memory
    hashes, totals = {}, {}
    for segment, source, layouts in open_segments(segments):
        if segment is segments[0]:
            for group, layout in layouts.items():
                attributes = manifest.group_attributes()
                created = create_draws(file, group, layout, first=0, num_draws=segments[-1].stop, attributes=attributes)
                outputs |= {f"{group}/{name}": dataset_at(created, name) for name in layout.variables}
        for name, number in read_totals(source).items():
            totals[name] = totals.get(name, 0.0) + number
        for name, output in outputs.items():
            draws = read_array(dataset_at(source, name))
            write_draws(output, segment.first, draws)
            hashes.setdefault(name, hashlib.sha256()).update(draws.tobytes())
        if segment is segments[-1]:
            state = read_arrays(group_at(source, STATE))
            write_arrays(file, STATE, state)
            hashes |= {f"{STATE}/{name}": hashlib.sha256(array.tobytes()) for name, array in state.items()}
    for output in outputs.values():
        output.flush()
    file.attrs.update(totals)
    return {name: sha.digest() for name, sha in hashes.items()}


def _digest(file: h5py.File, name: str, segments: list[Segment]) -> bytes:
    dataset, sha = dataset_at(file, name), hashlib.sha256()
    if name.split("/")[0] in (POSTERIOR, SAMPLE_STATS):
        for first, stop, _ in segments:
            sha.update(dataset[:, first:stop].tobytes())
    else:
        sha.update(read_array(dataset).tobytes())
    return sha.digest()


def _same(stored: dict[str, np.ndarray], arrays: dict[str, np.ndarray]) -> bool:
    return stored.keys() == arrays.keys() and all(stored[name].tobytes() == arrays[name].tobytes() for name in arrays)
