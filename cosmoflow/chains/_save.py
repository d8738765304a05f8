"""A chain in memory, written as the finished file of a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from .._results import StoreError
from ._files import RunLock, make_folder, publish, remove, storage_errors
from ._layout import OBSERVED_DATA
from ._segments import RunPaths, read_final_manifest
from ._store import ChainStore

if TYPE_CHECKING:
    from ._chain import Chain

_BLOCK_BYTES = 2**26


def save(chain: "Chain", path: Path, *, overwrite: bool) -> None:
    """Write the chain as the finished file of a run; see `Chain.save`."""
    write_run(path, partial(_fill, chain), overwrite=overwrite)


def write_run(path: Path, fill: Callable[[ChainStore], None], *, overwrite: bool) -> None:
    """Fill a store beside its place, finish it, and give it its name once it is whole.

    Raises:
        StoreError: Something is there already and `overwrite` is not set, or it cannot be written.
    """
    with storage_errors("save", path), place_for(path, overwrite=overwrite):
        temporary = path.with_name(f"{path.stem}.{uuid4().hex}.h5")
        try:
            with ChainStore(temporary) as store:
                try:
                    fill(store)
                    store.finish()
                except BaseException:
                    store.abandon()
                    raise
            publish(temporary, path)
        finally:
            with suppress(OSError):
                remove(temporary)


@contextmanager
def place_for(path: Path, *, overwrite: bool) -> Iterator[None]:
    """Keep other writers away from a path until its final file is written; the pieces of what it replaces then go.

    Raises:
        StoreError: Something is there already and `overwrite` is not set, or another process writes to it.
    """
    paths = RunPaths(path)
    make_folder(paths.folder)
    lock = RunLock(paths.lock)
    try:
        if (path.exists() or paths.pieces()) and not overwrite:
            raise StoreError(f"{path} already holds a run; choose another file, or overwrite it (--force).")
        if path.exists():
            read_final_manifest(paths)  # a chain of ours, or it stays
        yield
        for piece in paths.pieces():
            remove(piece)
    finally:
        lock.release(with_folder=not paths.pieces())


def _fill(chain: "Chain", store: ChainStore) -> None:
    totals, text = {}, {"status": chain.status.name}
    for name, value in chain.attributes.items():
        if name.startswith("sampling_") and not isinstance(value, str):
            totals[name.removeprefix("sampling_")] = float(value)
        elif name != "status":
            text[name] = str(value)
    arrays = [*chain.posterior.values(), *chain.sample_stats.values()]
    block = max(_BLOCK_BYTES * chain.num_draws // max(sum(array.nbytes for array in arrays), 1), 1)
    store.annotate(text)
    if chain.observed_data:
        store.save_group(OBSERVED_DATA, chain.observed_data)
    for first in range(0, chain.num_draws, block):
        posterior, sample_stats = (
            {name: array[:, first : first + block] for name, array in group.items()}
            for group in (chain.posterior, chain.sample_stats)
        )
        moments = chain.moments if first + block >= chain.num_draws else {}
        store.append(posterior, sample_stats, {}, totals if first == 0 else {}, moments)
