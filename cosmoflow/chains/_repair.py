"""What of a damaged chain can be had, in a new file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import h5py
import numpy as np

from .._results import Status, StoreError
from ._check import Soundness, check, problem_of
from ._files import storage_errors
from ._layout import (
    POSTERIOR_MOMENTS,
    SAMPLE_STATS,
    SETUP,
    STATE,
    DrawsLayout,
    dataset_at,
    group_at,
    read_arrays,
)
from ._manifest import Manifest
from ._merge import DIGESTS_ATTRIBUTE, REST_ATTRIBUTE, digest_of, digest_of_rest
from ._segments import (
    MANIFEST_ATTRIBUTE,
    RUN_ATTRIBUTE,
    RunPaths,
    Segment,
    arrange_segments,
    check_run,
    checked_layouts,
    open_segments,
    read_block,
    read_manifest,
    read_totals,
)
from ._store import ChainStore
from ._trust import open_trusted

SALVAGE_SECONDS = 600
"""How long a damaged file is looked at: what libhdf5 makes of damaged bytes may have no end."""

_BLOCK_BYTES = 2**24


def repair(path: str | Path, output: str | Path) -> Soundness:
    """Write what is sound of a chain to a new file: its draws up to the first problem, its stages and its data.

    The new file can be resumed where the sampler's state after its last draw and the run's identity are sound too.

    Args:
        path: the final file of the damaged run, whether it exists or not; nothing of the run is changed.
        output: the new file.

    Returns:
        What `check` says of the new file.

    Raises:
        StoreError: nothing can be saved, or the new file exists or cannot be written.
    """
    paths, output = RunPaths(Path(path)), Path(output)
    if paths.final.exists() and problem_of(paths, paths.final):
        _salvage_apart(paths.final, output)
    else:
        _copy_sound(paths, output)
    return check(output)


def _copy_sound(paths: RunPaths, output: Path) -> None:
    with storage_errors("save anything of", paths.final):
        segments, _, gap = arrange_segments(paths)
        damaged = [file for file in (paths.final, *paths.pieces()) if file.suffix == ".h5" and problem_of(paths, file)]
        sound = list(takewhile(lambda segment: segment.path not in damaged, segments))
        if not sound:
            raise _nothing_sound(paths.final)
        manifest = _manifest(paths)
        with paths.open(sound[0].path) as file:
            run = str(file.attrs[RUN_ATTRIBUTE])
        with _new_store(output, manifest) as store:
            for segment, file, layouts in open_segments(paths, sound, run):
                _append(store, file, layouts, segment, segment.stop, resumable=manifest is not None)
            for piece in (paths.final, *paths.pieces()):
                if piece.suffix == ".h5" and piece.exists() and piece not in damaged:
                    with paths.open(piece) as file:
                        check_run(file, piece, run)
                        _copy_others(store, file)
            if damaged or gap or manifest is None:
                lost = [file.name for file in damaged] + ["manifest.json"] * (manifest is None)
                _note(store, f"The first {store.num_draws} draws; not sound: {', '.join(lost) or gap}")


def salvage(path: Path, output: Path) -> None:
    """Copy what HDF5 can read of a final file whose seal is broken, in this process."""
    with storage_errors("save anything of", path), open_trusted(path) as file:
        stop = len(dataset_at(group_at(file, SAMPLE_STATS), "draw"))
        whole = Segment(0, stop, path)
        layouts = checked_layouts(file, whole)
        manifest = Manifest.from_json(str(file.attrs[MANIFEST_ATTRIBUTE]))
        stated = json.loads(str(file.attrs[DIGESTS_ATTRIBUTE]))
        readable = _readable(file, layouts, whole)
        if readable == 0:
            raise _nothing_sound(path)
        intact = readable == stop and stated == {
            f"{group}/{name}": digest_of(dataset_at(group_at(file, group), name))
            for group, layout in layouts.items()
            for name in layout.variables
        }
        rest = _rest_is_sound(file)
        with _new_store(output, manifest) as store:
            _append(store, file, layouts, whole, readable, resumable=intact and rest)
            if rest:
                _copy_others(store, file)
            if not intact:
                _note(store, f"The first {readable} of {stop} draws, not all of them as they were written.")
            elif not rest:
                _note(store, "All draws, but without the state of the sampler, the stages and the data.")


@contextmanager
def _new_store(output: Path, manifest: Manifest | None) -> Iterator[ChainStore]:
    """A store that is finished when the block ends, and leaves nothing behind when it fails."""
    with ChainStore(output) as store:
        try:
            if manifest is not None:
                store.identify(manifest.identity)
                store.annotate(manifest.attributes)
            yield store
            store.finish()
        except BaseException:
            store.abandon()
            raise


def _note(store: ChainStore, text: str) -> None:
    store.annotate({"repaired": text, "status": Status.STOPPED.name})


def _rest_is_sound(file: h5py.File) -> bool:
    try:
        return digest_of_rest(file) == file.attrs[REST_ATTRIBUTE]
    except (OSError, KeyError):
        return False


def _manifest(paths: RunPaths) -> Manifest | None:
    try:
        return read_manifest(paths)
    except StoreError:
        return None


def _salvage_apart(path: Path, output: Path) -> None:
    command = [sys.executable, "-c", f"from {__name__} import main; main()", str(path), str(output)]
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=SALVAGE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise StoreError(f"{path} could not be read in {SALVAGE_SECONDS} s; restore it from a copy.") from error
    if outcome.returncode:
        reason = (outcome.stderr.strip().splitlines() or [f"HDF5 crashed on {path}; restore it from a copy."])[-1]
        raise StoreError(reason)


def _nothing_sound(path: Path) -> StoreError:
    return StoreError(f"No draws of {path} are sound; restore it from a copy.")


def _readable(file: h5py.File, layouts: dict[str, DrawsLayout], segment: Segment) -> int:
    """How many draws can be read, from the first on."""
    step = _step(file, layouts, segment)
    for first in range(0, segment.stop, step):
        try:
            read_block(file, layouts, segment, first, min(first + step, segment.stop))
        except OSError:
            return first
    return segment.stop


def _step(file: h5py.File, layouts: dict[str, DrawsLayout], segment: Segment) -> int:
    size = sum(dataset_at(group_at(file, group), name).nbytes for group in layouts for name in layouts[group].variables)
    return max(_BLOCK_BYTES * (segment.stop - segment.first) // max(size, 1), 1)


def _append(
    store: ChainStore,
    file: h5py.File,
    layouts: dict[str, DrawsLayout],
    segment: Segment,
    stop: int,
    *,
    resumable: bool,
) -> None:
    """Append the draws of a segment up to `stop`, a few at a time, and its state behind the last."""
    step = _step(file, layouts, segment)
    for first in range(segment.first, stop, step):
        last = min(first + step, stop)
        state: dict[str, np.ndarray] = {}
        totals: dict[str, float] = {}
        moments: dict[str, np.ndarray] = {}
        if last == segment.stop:
            totals = {name.removeprefix("sampling_"): number for name, number in read_totals(file).items()}
            state = read_arrays(group_at(file, STATE)) if resumable else {}
            moments = read_arrays(group_at(file, POSTERIOR_MOMENTS)) if resumable and POSTERIOR_MOMENTS in file else {}
        store.append_blocks([read_block(file, layouts, segment, first, last)], state, totals, moments)


def _copy_others(store: ChainStore, file: h5py.File) -> None:
    """Copy stages, warm-up draws and data."""
    if SETUP in file:
        for name, group in group_at(file, SETUP).items():
            store.save_stage(name, read_arrays(group), json.loads(str(group.attrs["attributes"])))
    for name in ("warmup_posterior", "warmup_sample_stats", "observed_data"):
        if name in file:
            store.save_group(name, read_arrays(group_at(file, name)))


def main() -> None:
    """Salvage in a process of its own: from a path to another."""
    try:
        salvage(*map(Path, sys.argv[1:]))
    except StoreError as error:
        sys.exit(str(error))
