"""The parts of a run whose chains are drawn by several processes: each a run of its own until they are joined.

run.h5.parts/
  chains-00000-00004.h5    the chains [0, 4), with their segments beside them while they are drawn
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from .._results import StoreError
from ._files import make_folder, remove
from ._layout import (
    OBSERVED_DATA,
    POSTERIOR_MOMENTS,
    STATE,
    WARMUP_POSTERIOR,
    WARMUP_SAMPLE_STATS,
    DrawsLayout,
    bytes_of_draws,
    group_at,
    read_arrays,
)
from ._manifest import Manifest
from ._save import write_run
from ._segments import (
    Block,
    RunPaths,
    Segment,
    list_segments,
    open_segments,
    read_block,
    read_group,
    read_manifest,
    read_stage,
    read_totals,
    stage_names,
)
from ._store import ChainStore

CHAINS = "chains"
"""The entry in the identity of a part that says which chains it has."""

_PART = re.compile(r"chains-(\d{5,})-(\d{5,})\.h5(?:\.segments)?")
_BLOCK_BYTES, _MANY = 2**26, 2**20
_GROUPS = (WARMUP_POSTERIOR, WARMUP_SAMPLE_STATS, OBSERVED_DATA)


def parts_folder(path: Path) -> Path:
    """Where the parts of a run lie."""
    return path.with_name(f"{path.name}.parts")


def part_path(path: Path, chains: range) -> Path:
    """The final file of some chains of a run."""
    return parts_folder(path) / f"chains-{chains.start:05d}-{chains.stop:05d}.h5"


def parts_of(path: Path) -> list[range]:
    """The chains of each part that there is of a run, finished or not, in their order."""
    folder = parts_folder(path)
    matches = [_PART.fullmatch(entry.name) for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted({range(int(match[1]), int(match[2])) for match in matches if match}, key=place_of)


def place_of(chains: range) -> tuple[int, int]:
    """By which ranges are sorted: their beginning, the longer first."""
    return chains.start, -chains.stop


def arrange_parts(path: Path, wanted: Sequence[range]) -> list[range]:
    """Make the parts of a run fit a number of processes, each of which has the parts within its chains.

    Parts are divided, never joined. Draws of a run that one process began are divided like a part. What an interrupted
    call left is not counted: a part within another was being made of it, and has no more draws.

    Args:
        path: The final file of the run.
        wanted: The chains of each process, in their order.

    Returns:
        The parts that there are now.

    Raises:
        StoreError: There are draws of some chains twice, of which neither was made of the other.
    """
    found = parts_of(path)
    for inner in found:
        outer = next(part for part in found if _common(inner, part) == inner)
        if outer != inner:
            _remove_one_made_of(part_path(path, inner), part_path(path, outer))
    found = parts_of(path)
    whole = range(wanted[0].start, wanted[-1].stop)
    if sum(map(len, found)) < len(whole) and num_draws_at(path):
        for chains in found:
            _remove_one_made_of(part_path(path, chains), path)
        _split(path, whole, path, wanted)
    else:
        for chains in found:
            pieces = [common for other in wanted if (common := _common(chains, other))]
            if len(pieces) > 1:
                _split(path, chains, part_path(path, chains), pieces)
                _remove(part_path(path, chains))
    return parts_of(path)


def tasks(path: Path, chains: range) -> list[range]:
    """The parts that a process with these chains works on: those that there are of them, and one for each gap."""
    found, place = [], chains.start
    for part in [part for part in parts_of(path) if _common(part, chains)] + [range(chains.stop, chains.stop)]:
        if place < part.start:
            found.append(range(place, part.start))
        found += [part] * (len(part) > 0)
        place = part.stop
    return found


def _common(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def num_draws_at(path: Path) -> int:
    """Draws of each chain of a run or a part; none where there is neither.

    Raises:
        GapError: Draws are missing between two of its files.
    """
    segments, _ = list_segments(RunPaths(path))
    return segments[-1].stop if segments else 0


def _remove_one_made_of(part: Path, source: Path) -> None:
    """Remove a part that an interrupted call was making of the source.

    Raises:
        StoreError: It has more draws, so that it was not.
    """
    if num_draws_at(part) > num_draws_at(source):
        raise StoreError(f"{part} holds more draws of its chains than {source}; move one of the two to another folder.")
    _remove(part)


def _remove(path: Path) -> None:
    """A part, with its segments."""
    with ChainStore(path, mode="resume") as store:
        store.abandon()
        remove(path)


def _split(run: Path, chains: range, source: Path, wanted: Sequence[range]) -> None:
    """Divide a part, or a whole run, into smaller parts; each is there as a whole or not at all."""
    make_folder(parts_folder(run))
    with ChainStore(source, mode="resume"):
        for part in wanted:
            rows = slice(part.start - chains.start, part.stop - chains.start)
            share = len(part) / len(chains)
            write_run(part_path(run, part), partial(_fill, RunPaths(source), part, rows, share), overwrite=True)


def _fill(source: RunPaths, part: range, rows: slice, share: float, store: ChainStore) -> None:
    manifest = read_manifest(source)
    own = deepcopy(manifest)
    own.identity[CHAINS] = [part.start, part.stop]
    store.adopt(own)
    copy_setup(source, manifest, store)
    for held in pieces_of(source, manifest):
        block = {group: {name: draws[rows] for name, draws in arrays.items()} for group, arrays in held.block.items()}
        state = {name: array[rows] if array.ndim else array for name, array in held.state.items()}
        moments = {name: array[rows] for name, array in held.moments.items()}
        store.append_blocks([block], state, {name: share * total for name, total in held.totals.items()}, moments)


def inherit(store: ChainStore, other: Path, stage: str) -> bool:
    """Give a part the stages of another part of its run and the draws of its warm-up, if that has finished a stage.

    A part of another identity, such as one that was drawn from other data, gives nothing.
    """
    paths = RunPaths(other)
    if stage not in stage_names(paths):
        return False
    manifest = read_manifest(paths)
    shared = (store.identity.keys() & manifest.identity.keys()) - {CHAINS}
    if any(store.identity[name] != manifest.identity[name] for name in shared):
        return False
    copy_setup(paths, manifest, store)
    return True


def remove_parts(path: Path) -> None:
    """Remove all parts of a run, once they are joined."""
    for chains in parts_of(path):
        _remove(part_path(path, chains))
    with suppress(OSError):
        parts_folder(path).rmdir()


def copy_setup(paths: RunPaths, manifest: Manifest, store: ChainStore) -> None:
    """The stages of a run, and its groups that do not grow with the draws."""
    for name in stage_names(paths):
        if (stage := read_stage(paths, name, manifest.run)) is not None:
            store.save_stage(name, *stage)
    for name in _GROUPS:
        if (arrays := read_group(paths, name, manifest.run)) is not None:
            store.save_group(name, arrays)


@dataclass(frozen=True)
class Piece:
    """Some consecutive draws of a run; state and moments after the last, and totals, with the last of a segment."""

    block: Block
    state: Mapping[str, np.ndarray]
    moments: Mapping[str, np.ndarray]
    totals: Mapping[str, float]


def pieces_of(paths: RunPaths, manifest: Manifest, step: int | None = None) -> Iterator[Piece]:
    """All draws of a run, `step` at a time, or as many as fit in the memory."""
    segments, _ = list_segments(paths)
    for segment, file, layouts in open_segments(paths, segments, manifest.run):
        own = step or draws_at_once(layouts)
        for first in range(segment.first, segment.stop, own):
            yield _piece(file, layouts, segment, first, min(first + own, segment.stop))


def draws_at_once(layouts: Mapping[str, DrawsLayout]) -> int:
    """How many draws are held in memory at a time."""
    return max(_BLOCK_BYTES * _MANY // max(bytes_of_draws(layouts, 0, _MANY), 1), 1)


def _piece(file: h5py.File, layouts: Mapping[str, DrawsLayout], segment: Segment, first: int, stop: int) -> Piece:
    last = stop == segment.stop
    moments = read_arrays(group_at(file, POSTERIOR_MOMENTS)) if last and POSTERIOR_MOMENTS in file else {}
    totals = {name.removeprefix("sampling_"): number for name, number in read_totals(file).items()} if last else {}
    state = read_arrays(group_at(file, STATE)) if last else {}
    return Piece(read_block(file, layouts, segment, first, stop), state, moments, totals)
