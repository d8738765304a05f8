"""How fast the same draws become durable: this package's store, and what else writes arrays that grow.

Each writer is a context: it opens its file and gives a function that appends the next draws, shape
(chain, draw, *shape), and returns once they are on the disk.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

import cosmoflow as cf

Append = Callable[[np.ndarray], None]


@contextmanager
def store(path: Path, first: np.ndarray, *, finished: bool = False) -> Iterator[Append]:
    """This package's store, with or without the final file."""
    lp = np.zeros(first.shape[:2])
    with cf.ChainStore(path / "run.h5") as store:
        yield lambda draws: store.append({"x": draws}, {"lp": lp}, {"counter": np.zeros(1)})
        if finished:
            store.finish()


@contextmanager
def dd(path: Path, first: np.ndarray) -> Iterator[Append]:
    """One process of dd per commit, which writes it behind the others."""
    source, count = path / "source", 0
    source.write_bytes(first.tobytes())
    command = ["dd", f"if={source}", f"of={path / 'copy'}", f"bs={first.nbytes}", "conv=fsync,notrunc", "status=none"]

    def append(draws: np.ndarray) -> None:
        nonlocal count
        subprocess.run([*command, f"seek={count}"], check=True)
        count += 1

    yield append


@contextmanager
def plain(path: Path, first: np.ndarray) -> Iterator[Append]:
    """Bytes behind bytes in one file."""
    with open(path / "copy", "wb", buffering=0) as file:

        def append(draws: np.ndarray) -> None:
            file.write(draws.data)
            os.fsync(file.fileno())

        yield append


@contextmanager
def emcee(path: Path, first: np.ndarray) -> Iterator[Append]:
    """emcee's backend opens and closes its file for each draw; chains are walkers."""
    from emcee import State
    from emcee.backends import HDFBackend

    num_chains, num_draws, *shape = first.shape
    backend = HDFBackend(path / "run.h5", dtype=first.dtype)
    backend.reset(num_chains, int(np.prod(shape)))
    log_prob, accepted = np.zeros(num_chains), np.ones(num_chains, bool)

    def append(draws: np.ndarray) -> None:
        backend.grow(num_draws, None)
        for i in range(num_draws):
            coordinates = draws[:, i].reshape(num_chains, -1)
            backend.save_step(State(coordinates, log_prob=log_prob, random_state=_RANDOM_STATE), accepted)
        sync(path / "run.h5")

    yield append


@contextmanager
def zarr(path: Path, first: np.ndarray) -> Iterator[Append]:
    """A zarr v3 array without compression; each commit is one chunk, and so one file."""
    import zarr

    shape = (first.shape[0], 0, *first.shape[2:])
    root = path / "run.zarr"
    array = zarr.create_array(root, shape=shape, chunks=first.shape, dtype=first.dtype, compressors=None, zarr_format=3)
    known: set[Path] = set()

    def append(draws: np.ndarray) -> None:
        array.append(draws, axis=1)
        new = {piece for piece in (root, *root.rglob("*")) if piece not in known}
        known.update(piece for piece in new if piece.is_file() and piece.name != "zarr.json")
        for piece in new:
            sync(piece)

    yield append


@contextmanager
def netcdf4(path: Path, first: np.ndarray) -> Iterator[Append]:
    """netCDF-4, kept open, with a dimension of draws that is unlimited."""
    from netCDF4 import Dataset

    with Dataset(path / "run.nc", "w") as file:
        names = ("chain", "draw", *(f"x_dim_{i}" for i in range(first.ndim - 2)))
        for name, length in zip(names, first.shape, strict=True):
            file.createDimension(name, None if name == "draw" else length)
        variable = file.createVariable("x", first.dtype, names, chunksizes=chunks(first))

        def append(draws: np.ndarray) -> None:
            place = file.dimensions["draw"].size
            variable[:, place : place + draws.shape[1]] = draws
            file.sync()
            sync(path / "run.nc")

        yield append


@contextmanager
def hdf5(path: Path, first: np.ndarray) -> Iterator[Append]:
    """HDF5 by h5py, kept open and flushed."""
    shape, limits = ((first.shape[0], length, *first.shape[2:]) for length in (0, None))
    with h5py.File(path / "run.h5", "w") as file:
        dataset = file.create_dataset("x", shape, first.dtype, maxshape=limits, chunks=chunks(first))

        def append(draws: np.ndarray) -> None:
            place = dataset.shape[1]
            dataset.resize(place + draws.shape[1], axis=1)
            dataset[:, place:] = draws
            file.flush()
            sync(path / "run.h5")

        yield append


FINISHED = "cosmoflow, with the final file"
WRITERS = {
    "cosmoflow, commits alone": store,
    FINISHED: lambda path, first: store(path, first, finished=True),
    "dd conv=fsync": dd,
    "write and fsync from Python": plain,
    "emcee HDFBackend": emcee,
    "zarr v3 append": zarr,
    "netCDF4 append and sync": netcdf4,
    "h5py append and flush": hdf5,
}
MOST_SECONDS = 5.0
_RANDOM_STATE = np.random.RandomState(0).get_state()


def chunks(first: np.ndarray) -> tuple[int, ...]:
    """As many draws of all chains as make 2 MiB, at least one and at most a commit."""
    num_draws = min(max(2**21 * first.shape[1] // first.nbytes, 1), first.shape[1])
    return (first.shape[0], num_draws, *first.shape[2:])


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def rate(name: str, draws: np.ndarray, num_commits: int) -> float:
    """Bytes per second that a writer makes durable, the same draws again and again, for at most `MOST_SECONDS`."""
    with tempfile.TemporaryDirectory(prefix=".storage-benchmark-", dir=".") as folder:
        done = 0
        with WRITERS[name](Path(folder), draws) as append:
            began = time.monotonic()
            while done < num_commits and time.monotonic() - began < MOST_SECONDS:
                append(draws)
                done += 1
            ended = time.monotonic()
        if name == FINISHED:
            ended = time.monotonic()
    return done * draws.nbytes / (ended - began)


def rates(*, num_bytes: int, num_small: int, repeats: int, quick: bool) -> dict[str, dict]:
    """The rates of all writers, in turns, for commits of 200 kB and for large ones of so many bytes in total."""
    random = np.random.default_rng(0)
    side = 16 if quick else 64
    small = random.standard_normal((4, 250, 25))
    large = random.standard_normal((2, 32, side, side, side), dtype=np.float32)
    return {
        "small": _in_turns(small, num_small, repeats),
        "large": _in_turns(large, num_bytes // large.nbytes, repeats),
    }


def _in_turns(draws: np.ndarray, num_commits: int, repeats: int) -> dict:
    found: dict[str, list[float]] = {name: [] for name in WRITERS}
    for _ in range(repeats):
        for name in WRITERS:
            found[name].append(rate(name, draws, num_commits))
    return {"commit_bytes": draws.nbytes, "num_commits": num_commits, "bytes_per_second": found}
