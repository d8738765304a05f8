"""Where the pieces of a run lie, and in which order they make a chain.

chains.h5                         the final file, appears by one rename
chains.h5.segments/
  run.lock                        held by the writer
  manifest.json                   identity, versions, attributes
  stage-<name>.h5                 a finished stage or a checkpoint of one
  seg-0000000000-0000000250.h5    draws [0, 250) and the sampler's state after them
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from .._results import StoreError
from ._layout import (
    POSTERIOR,
    SAMPLE_STATS,
    SETUP,
    STATE,
    DrawsLayout,
    create_draws,
    dataset_at,
    group_at,
    read_arrays,
    read_layout,
    write_arrays,
    write_draws,
)
from ._manifest import Manifest
from ._trust import open_trusted

MANIFEST_ATTRIBUTE = "cosmoflow_manifest"
_SEGMENT = re.compile(r"seg-(\d{10,})-(\d{10,})\.h5")
_STAGE = re.compile(r"stage-(\w[\w.-]*)\.h5")


class Segment(NamedTuple):
    """A file with the draws [first, stop); a final file is one too."""

    first: int
    stop: int
    path: Path


class RunPaths(NamedTuple):
    """The paths of a run with the final file `final`."""

    final: Path

    @property
    def folder(self) -> Path:
        return self.final.with_name(f"{self.final.name}.segments")

    @property
    def lock(self) -> Path:
        return self.folder / "run.lock"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    def segment(self, first: int, stop: int) -> Path:
        return self.folder / f"seg-{first:010d}-{stop:010d}.h5"

    def stage(self, name: str) -> Path:
        path = self.folder / f"stage-{name}.h5"
        if not _STAGE.fullmatch(path.name):
            raise StoreError(f"A stage cannot be called {name!r}; use letters, digits, dots, dashes and underscores.")
        return path

    def pieces(self) -> list[Path]:
        """All files of an unfinished run but the lock, in an order in which they may be removed."""
        if not self.folder.is_dir():
            return []
        segments, stages, rest = [], [], []
        for path in sorted(self.folder.iterdir(), reverse=True):
            if _SEGMENT.fullmatch(path.name):
                segments.append(path)
            elif _STAGE.fullmatch(path.name):
                stages.append(path)
            elif path == self.manifest or path.suffix == ".tmp":
                rest.append(path)
        return segments + stages + rest


def list_segments(paths: RunPaths) -> list[Segment]:
    """The files that make the chain, the final one first where there is one.

    Raises:
        StoreError: draws are missing between two files or are there twice.
    """
    found = []
    if paths.final.exists():
        with open_trusted(paths.final) as file:
            if POSTERIOR in file:
                found.append(Segment(0, dataset_at(group_at(file, POSTERIOR), "draw").shape[0], paths.final))
    merged = stop = found[-1].stop if found else 0
    for path in reversed(paths.pieces()):
        match = _SEGMENT.fullmatch(path.name)
        if match is None or int(match[2]) <= merged:
            continue
        segment = Segment(int(match[1]), int(match[2]), path)
        if segment.first != stop:
            raise StoreError(
                f"The draws [{min(stop, segment.first)}, {max(stop, segment.first)}) are "
                f"{'missing' if segment.first > stop else 'there twice'} before {path}; "
                "restore the files of the run from a copy, or start a new one."
            )
        found.append(segment)
        stop = segment.stop
    return found


def read_manifest(paths: RunPaths) -> Manifest:
    """The manifest beside the segments, or else the one in the final file."""
    if paths.manifest.exists():
        return Manifest.from_json(paths.manifest.read_bytes())
    if not paths.final.exists():
        raise StoreError(f"There is no chain at {paths.final}; check the path.")
    return read_final_manifest(paths.final)


def read_final_manifest(path: Path) -> Manifest:
    """The manifest in a final file.

    Raises:
        StoreError: the file is not one of ours.
    """
    with open_trusted(path) as file:
        if MANIFEST_ATTRIBUTE not in file.attrs:
            raise StoreError(f"{path} is not a chain file of cosmoflow; choose another path.")
        return Manifest.from_json(str(file.attrs[MANIFEST_ATTRIBUTE]))


def checked_layouts(file: h5py.File, segment: Segment) -> dict[str, DrawsLayout]:
    """The layouts of the groups of draws, once the file holds the draws that its name says."""
    layouts = {}
    for name in (POSTERIOR, SAMPLE_STATS):
        group = group_at(file, name)
        layouts[name] = read_layout(group)
        draws = dataset_at(group, "draw")[()]
        lengths = {dataset_at(group, variable).shape[:2] for variable in layouts[name].variables}
        if not np.array_equal(draws, np.arange(segment.first, segment.stop)) or lengths > {
            (layouts[name].num_chains, len(draws))
        }:
            raise StoreError(
                f"{segment.path} does not hold the draws [{segment.first}, {segment.stop}) in its group {name!r}; "
                "restore it from a copy."
            )
    return layouts


def write_segment(
    file: h5py.File,
    segment: Segment,
    groups: dict[str, dict[str, np.ndarray]],
    layouts: dict[str, DrawsLayout],
    state: dict[str, np.ndarray],
    totals: dict[str, float],
    attributes: dict[str, str],
) -> None:
    """The draws of a segment, the sampler's state after them, and the numbers that add up."""
    file.attrs.update({f"sampling_{name}": number for name, number in totals.items()})
    num_draws = segment.stop - segment.first
    for name, arrays in groups.items():
        group = create_draws(file, name, layouts[name], first=segment.first, num_draws=num_draws, attributes=attributes)
        for variable, draws in arrays.items():
            write_draws(dataset_at(group, variable), 0, draws)
    write_arrays(file, STATE, state)


def open_segments(segments: list[Segment]) -> Iterator[tuple[Segment, h5py.File, dict[str, DrawsLayout]]]:
    """Each file in turn, once it is known to hold its draws of the same variables as the first.

    Raises:
        StoreError: the files do not fit together.
    """
    first = None
    for segment in segments:
        with open_trusted(segment.path) as file:
            layouts = checked_layouts(file, segment)
            first = first or layouts
            if layouts != first:
                raise StoreError(
                    f"{segment.path} holds other variables than {segments[0].path}; restore it from a copy."
                )
            yield segment, file, layouts


def read_totals(file: h5py.File) -> dict[str, float]:
    """The numbers among the root attributes: what adds up over segments."""
    return {name: float(value) for name, value in file.attrs.items() if isinstance(value, np.number)}


def stage_names(paths: RunPaths) -> list[str]:
    """The stages beside the segments and in the final file."""
    names = [match[1] for path in paths.pieces() if (match := _STAGE.fullmatch(path.name))]
    if paths.final.exists():
        with open_trusted(paths.final) as file:
            names += list(group_at(file, SETUP)) if SETUP in file else []
    return sorted(set(names))


def read_stage(paths: RunPaths, name: str) -> tuple[dict[str, np.ndarray], dict] | None:
    """The arrays and attributes of a stage, or None where it was never saved."""
    for path in (paths.stage(name), paths.final):
        if path.exists():
            with open_trusted(path) as file:
                if f"{SETUP}/{name}" in file:
                    group = group_at(group_at(file, SETUP), name)
                    return read_arrays(group), json.loads(str(group.attrs["attributes"]))
    return None
