"""Parts of a run joined to the one finished file that a single process would have written."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .._results import StoreError
from ._chain import Chain
from ._files import storage_errors
from ._manifest import Manifest
from ._parts import CHAINS, copy_setup, draws_at_once, pieces_of, place_of
from ._save import write_run
from ._segments import RunPaths, checked_layouts, list_segments, read_manifest
from ._store import ChainStore


def join(parts: Sequence[Path], path: Path, *, attributes: dict[str, str], overwrite: bool = False) -> None:
    """Join the parts of a run, each of other chains, to the finished file that one process would have written.

    Args:
        parts: The final files of the parts.
        path: The final file of the run.
        attributes: Of the whole, in place of those of the parts.
        overwrite: Whether a run that is there may be replaced.

    Raises:
        StoreError: A part is not finished, belongs to another run or has other draws than the first, chains are missing
            or there twice, or the file is there already or cannot be written.
    """
    with storage_errors("join the parts of", path):
        runs = sorted((_Part.at(part) for part in parts), key=lambda part: place_of(part.chains))
        _check_fit(runs)
        write_run(path, partial(_fill, runs, attributes), overwrite=overwrite)


def side_by_side(parts: Sequence[Chain], num_draws: int | None = None) -> Chain:
    """The chains of several parts of a run as those of one, whose attributes and status are the first one's.

    Args:
        parts: In the order of their chains.
        num_draws: How many of each chain are taken; as many as all of them have where it is None.
    """
    count = min(part.num_draws for part in parts) if num_draws is None else num_draws
    posterior, stats = (
        {name: np.concatenate([group[name][:, :count] for group in groups]) for name in groups[0]}
        for groups in ([part.posterior for part in parts], [part.sample_stats for part in parts])
    )
    return Chain(posterior, stats, parts[0].attributes, parts[0].status)


@dataclass(frozen=True)
class _Part:
    """A finished part."""

    paths: RunPaths
    manifest: Manifest
    chains: range
    num_draws: int
    at_once: int

    @staticmethod
    def at(path: Path) -> "_Part":
        paths = RunPaths(path)
        manifest = read_manifest(paths)
        segments, _ = list_segments(paths)
        if CHAINS not in manifest.identity:
            raise StoreError(f"{path} has all chains of its run; only parts of a run are joined.")
        if [segment.path for segment in segments] != [path] or paths.pieces():
            raise StoreError(f"{path} is not finished; resume it before the parts are joined.")
        with paths.open(path) as file:
            at_once = draws_at_once(checked_layouts(file, segments[0]))
        return _Part(paths, manifest, range(*manifest.identity[CHAINS]), segments[0].stop, at_once)


def _check_fit(parts: Sequence[_Part]) -> None:
    first = parts[0]
    place = 0
    for part in parts:
        name = part.paths.final
        whole = {entry: value for entry, value in part.manifest.identity.items() if entry != CHAINS}
        if whole != {entry: value for entry, value in first.manifest.identity.items() if entry != CHAINS}:
            raise StoreError(f"{name} is part of another run than {first.paths.final}; name the parts of one run.")
        if part.chains.start != place:
            low, high = sorted((place, part.chains.start))
            what = "missing" if part.chains.start > place else "there twice"
            raise StoreError(f"The chains [{low}, {high}) are {what} before {name}; name each part of the run once.")
        if part.num_draws != first.num_draws:
            raise StoreError(
                f"{name} has {part.num_draws} draws, but {first.paths.final} has {first.num_draws}; resume the shorter."
            )
        place = part.chains.stop
    total = first.manifest.identity["num_chains"]
    if place != total:
        raise StoreError(f"The chains [{place}, {total}) are missing; name each part of the run once.")


def _fill(parts: Sequence[_Part], attributes: dict[str, str], store: ChainStore) -> None:
    manifest = deepcopy(parts[0].manifest)
    del manifest.identity[CHAINS]
    manifest.attributes |= attributes
    store.adopt(manifest)
    copy_setup(parts[0].paths, parts[0].manifest, store)
    step = max(min(part.at_once for part in parts) // len(parts), 1)
    streams = [pieces_of(part.paths, part.manifest, step) for part in parts]
    for pieces in zip(*streams, strict=True):
        block = {
            group: {name: np.concatenate([piece.block[group][name] for piece in pieces]) for name in arrays}
            for group, arrays in pieces[0].block.items()
        }
        state = {
            name: np.concatenate([piece.state[name] for piece in pieces]) if array.ndim else array
            for name, array in pieces[0].state.items()
        }
        moments = {name: np.concatenate([piece.moments[name] for piece in pieces]) for name in pieces[0].moments}
        totals = {name: sum(piece.totals[name] for piece in pieces) for name in pieces[0].totals}
        store.append_blocks([block], state, totals, moments)
