"""Where the pieces of a run lie, and in which order they make a chain.

chains.h5                         the final file, appears by one rename
chains.h5.segments/
  run.lock                        held by the writer
  manifest.json                   identity, versions, attributes
  stage-<name>.h5                 a finished stage or a checkpoint of one
  group-<name>.h5                 warm-up draws, observed data
  seg-0000000000-0000000250.h5    draws [0, 250) and the sampler's state after them
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from .._results import StoreError
from ._layout import (
    POSTERIOR,
    POSTERIOR_MOMENTS,
    SAMPLE_STATS,
    SETUP,
    STATE,
    DrawsLayout,
    create_draws,
    dataset_at,
    draw_numbers,
    group_at,
    is_of_draws,
    read_arrays,
    read_layout,
    write_arrays,
    write_draws,
    write_group,
)
from ._manifest import Manifest
from ._seal import check_seal
from ._trust import open_trusted

MANIFEST_ATTRIBUTE = "cosmoflow_manifest"
RUN_ATTRIBUTE = "cosmoflow_run"
_SEGMENT = re.compile(r"seg-(\d{10,})-(\d{10,})\.h5")
_STAGE = re.compile(r"stage-(\w[\w.-]*)\.h5")
_GROUP = re.compile(r"group-(\w+)\.h5")

Draws = Mapping[str, np.ndarray]
Block = Mapping[str, Draws]
"""Consecutive draws: the groups by name, each a dictionary of arrays of shape (chain, draw, *shape)."""


class GapError(StoreError):
    """Draws are missing between two files, for good or because the files were joined while the folder was listed."""


class Segment(NamedTuple):
    """A file with the draws [first, stop); a final file is one too."""

    first: int
    stop: int
    path: Path


@dataclass(frozen=True)
class RunPaths:
    """The paths of a run with the final file `final`; it checks the seal of each file once."""

    final: Path
    _sound: set[tuple] = field(default_factory=set)

    @contextmanager
    def open(self, path: Path) -> Iterator[h5py.File]:
        """One of the run's files for reading.

        Raises:
            StoreError: its seal is broken, or it is not to be trusted.
        """
        stat = path.stat()
        identity = (path, stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if identity not in self._sound:
            check_seal(path)
            self._sound.add(identity)
        with open_trusted(path) as file:
            yield file

    @property
    def folder(self) -> Path:
        return self.final.with_name(f"{self.final.name}.segments")

    @property
    def lock(self) -> Path:
        return self.folder / "run.lock"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    def segment(self, first: int, stop: int) -> Segment:
        return Segment(first, stop, self.folder / f"seg-{first:010d}-{stop:010d}.h5")

    def stage(self, name: str) -> Path:
        path = self.folder / f"stage-{name}.h5"
        if not _STAGE.fullmatch(path.name):
            raise StoreError(f"A stage cannot be called {name!r}; use letters, digits, dots, dashes and underscores.")
        return path

    def group(self, name: str) -> Path:
        return self.folder / f"group-{name}.h5"

    def pieces(self) -> list[Path]:
        """All files of an unfinished run but the lock, in an order in which they may be removed."""
        if not self.folder.is_dir():
            return []
        segments, others, rest = [], [], []
        for path in sorted(self.folder.iterdir(), reverse=True):
            if _SEGMENT.fullmatch(path.name):
                segments.append(path)
            elif _STAGE.fullmatch(path.name) or _GROUP.fullmatch(path.name):
                others.append(path)
            elif path == self.manifest or path.suffix == ".tmp":
                rest.append(path)
        return segments + others + rest


def list_segments(paths: RunPaths) -> tuple[list[Segment], list[Path]]:
    """The files that make the chain, the final one first where there is one; and those whose draws others hold too.

    The latter are what a compaction or a merge did not come to remove.

    Raises:
        GapError: draws are missing between two files, or two files share some of theirs.
    """
    found, leftovers, problem = arrange_segments(paths)
    if problem:
        raise GapError(problem)
    return found, leftovers


def arrange_segments(paths: RunPaths) -> tuple[list[Segment], list[Path], str]:
    """As `list_segments`, but with what is wrong as a sentence; then the files before the first gap are returned."""
    found, leftovers = [], []
    pieces = paths.pieces()  # first: they go only once the final file is there
    if paths.final.exists():
        with paths.open(paths.final) as file:
            if SAMPLE_STATS in file:
                found.append(Segment(0, len(dataset_at(group_at(file, SAMPLE_STATS), "draw")), paths.final))
    stop = found[-1].stop if found else 0
    matches = [(match, path) for path in pieces if (match := _SEGMENT.fullmatch(path.name))]
    candidates = [Segment(int(match[1]), int(match[2]), path) for match, path in matches]
    for segment in sorted(candidates, key=lambda segment: (segment.first, -segment.stop)):
        if segment.stop <= stop:
            leftovers.append(segment.path)
        elif segment.first != stop:
            what = "missing" if segment.first > stop else "there twice"
            problem = (
                f"The draws [{min(stop, segment.first)}, {max(stop, segment.first)}) are {what} before {segment.path}; "
                "restore the files of the run from a copy, or save what is sound with 'cosmoflow check --repair'."
            )
            return found, leftovers, problem
        else:
            found.append(segment)
            stop = segment.stop
    return found, leftovers, ""


def read_manifest(paths: RunPaths) -> Manifest:
    """The manifest beside the segments, or else the one in the final file."""
    if paths.manifest.exists():
        return Manifest.from_json(paths.manifest.read_bytes())
    if not paths.final.exists():
        raise StoreError(f"There is no chain at {paths.final}; check the path.")
    return read_final_manifest(paths)


def read_final_manifest(paths: RunPaths) -> Manifest:
    """The manifest in a final file.

    Raises:
        StoreError: the file is not one of ours.
    """
    with paths.open(paths.final) as file:
        if MANIFEST_ATTRIBUTE not in file.attrs:
            raise StoreError(f"{paths.final} is a piece of a run and no chain; name the final file of the run.")
        return Manifest.from_json(str(file.attrs[MANIFEST_ATTRIBUTE]))


def checked_layouts(file: h5py.File, segment: Segment) -> dict[str, DrawsLayout]:
    """The layouts of the groups of draws, once the file holds the draws that its name says."""
    layouts = {}
    for name in dict.fromkeys((POSTERIOR, SAMPLE_STATS, *filter(is_of_draws, file))):
        group = group_at(file, name)
        layouts[name] = read_layout(group)
        numbers = dataset_at(group, "draw")[()]
        lengths = {dataset_at(group, variable).shape[:2] for variable in layouts[name].variables}
        held = {(layouts[name].num_chains, len(numbers))}
        if not np.array_equal(numbers, draw_numbers(name, segment.first, segment.stop)) or not lengths <= held:
            raise StoreError(
                f"{segment.path} does not hold the draws [{segment.first}, {segment.stop}) in its group {name!r}; "
                "restore it from a copy."
            )
    return layouts


def write_segment(
    file: h5py.File,
    segment: Segment,
    blocks: Sequence[Block],
    layouts: dict[str, DrawsLayout],
    state: dict[str, np.ndarray],
    totals: Mapping[str, float],
    moments: Draws,
    attributes: dict[str, str],
) -> None:
    """The draws of a segment, the sampler's state and the moments after them, and the numbers that add up."""
    file.attrs.update({f"sampling_{name}": number for name, number in totals.items()})
    for name, layout in layouts.items():
        group = create_draws(file, name, layout, draw_numbers(name, segment.first, segment.stop), attributes)
        for variable in layout.variables:
            dataset, place = dataset_at(group, variable), 0
            for block in blocks:
                draws = block[name][variable]
                write_draws(dataset, place, draws)
                place += draws.shape[1]
    write_arrays(file, STATE, state)
    if moments:
        write_group(file, POSTERIOR_MOMENTS, moments, attributes)


def open_segments(
    paths: RunPaths, segments: Sequence[Segment], run: str
) -> Iterator[tuple[Segment, h5py.File, dict[str, DrawsLayout]]]:
    """Each file in turn, once it is known to be of this run and to hold its draws of the same variables as the first.

    Raises:
        StoreError: the files do not fit together.
    """
    first = None
    for segment in segments:
        with paths.open(segment.path) as file:
            check_run(file, segment.path, run)
            layouts = checked_layouts(file, segment)
            first = first or layouts
            if layouts != first:
                raise StoreError(
                    f"{segment.path} holds other variables than {segments[0].path}; restore it from a copy."
                )
            yield segment, file, layouts


def read_block(file: h5py.File, layouts: Mapping[str, DrawsLayout], segment: Segment, first: int, stop: int) -> Block:
    """The draws [first, stop) of a segment, of all its groups."""
    block = {}
    for name, layout in layouts.items():
        before = len(draw_numbers(name, 0, segment.first))
        chosen = slice(*(len(draw_numbers(name, 0, number)) - before for number in (first, stop)))
        group = group_at(file, name)
        block[name] = {
            variable: dataset_at(group, variable)[:, chosen].astype(dtype, copy=False)
            for variable, (_, dtype) in layout.variables.items()
        }
    return block


def check_run(file: h5py.File, path: Path, run: str) -> None:
    """Refuse a file that another run wrote."""
    if file.attrs.get(RUN_ATTRIBUTE) != run:
        raise StoreError(f"{path} is a piece of another run; restore the files of this run from one copy.")


def read_totals(file: h5py.File) -> dict[str, float]:
    """The numbers among the root attributes: what adds up over segments."""
    return {name: float(value) for name, value in file.attrs.items() if isinstance(value, np.number)}


def stage_names(paths: RunPaths) -> list[str]:
    """The stages beside the segments and in the final file."""
    names = [match[1] for path in paths.pieces() if (match := _STAGE.fullmatch(path.name))]
    if paths.final.exists():
        with paths.open(paths.final) as file:
            names += list(group_at(file, SETUP)) if SETUP in file else []
    return sorted(set(names))


def read_stage(paths: RunPaths, name: str, run: str) -> tuple[dict[str, np.ndarray], dict] | None:
    """The arrays and attributes of a stage, or None where it was never saved."""
    for path in (paths.stage(name), paths.final):
        if path.exists():
            with paths.open(path) as file:
                check_run(file, path, run)
                if f"{SETUP}/{name}" in file:
                    group = group_at(group_at(file, SETUP), name)
                    return read_arrays(group), json.loads(str(group.attrs["attributes"]))
    return None


def read_group(paths: RunPaths, name: str, run: str) -> dict[str, np.ndarray] | None:
    """The arrays of a group that does not grow with the draws, or None where it was never saved."""
    for path in (paths.group(name), paths.final):
        if path.exists():
            with paths.open(path) as file:
                check_run(file, path, run)
                if name in file:
                    return read_arrays(group_at(file, name))
    return None
