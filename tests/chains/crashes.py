"""A run that crashes at each of its system calls: the process dies there, or the whole machine loses power.

Run as a program, `crashes.py die|power FOLDER EVERY FIRST SABOTAGE`, in a process without JAX, which may be forked at
will: it tries each EVERY-th call from the FIRST on, of a store that is sound ("none") or has one of its safeguards
taken away.
"""

import os
import random
import shutil
import sys
import types
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import cosmoflow

if __name__ == "__main__":
    package = types.ModuleType("cosmoflow.chains")  # without the modules that import JAX
    package.__path__ = [f"{cosmoflow.__path__[0]}/chains"]
    sys.modules["cosmoflow.chains"] = package

import runs

from cosmoflow.chains import _compaction, _files
from cosmoflow.chains._chain import Chain
from cosmoflow.chains._store import ChainStore

NUM_DRAWS, EXTENDED = 10, 13
NUM_STEPS = 3
REAL = os


def weights(step: int) -> dict[str, np.ndarray]:
    return {"weights": np.sin(np.arange(50.0) + step), "step": np.asarray(step)}


def live(path: Path, acknowledge: Callable[[str, int], None], num_draws: int) -> None:
    """Train, warm up, draw, finish: from wherever an earlier life came to."""
    with ChainStore(path, mode="resume") as store:
        store.identify({"seed": 1})
        saved = store.load_stage("training")
        for step in range(1 + (saved[1]["step"] if saved else 0), NUM_STEPS + 1):
            store.save_stage("training", weights(step), {"step": step})
            acknowledge("step", step)
        if store.load_stage("warmup") is None:
            posterior, sample_stats, _ = runs.draws(0, 5)
            store.save_group("warmup_posterior", posterior)
            store.save_group("warmup_sample_stats", sample_stats)
            store.save_group("observed_data", {"data": np.arange(4.0)})
            store.save_stage("warmup", {"step_size": np.asarray(0.5)})
        store.annotate({"status": "STOPPED"})
        while store.num_draws < num_draws:
            runs.append(store, min(1 + store.num_draws % 3, num_draws - store.num_draws))
            acknowledge("draws", store.num_draws)
        store.annotate({"status": "SUCCESSFUL"})
        store.finish()


def live_twice(path: Path, acknowledge: Callable[[str, int], None]) -> None:
    live(path, acknowledge, NUM_DRAWS)
    live(path, acknowledge, EXTENDED)


def assert_recovers(path: Path, acknowledged: dict[str, int]) -> None:
    """Nothing acknowledged is lost, and the next life ends as if there had been no crash."""
    if acknowledged.get("draws"):
        chain = Chain.from_file(path)
        assert chain.num_draws >= acknowledged["draws"]
        runs.assert_holds(chain, chain.num_draws)
    if path.parent.exists() and acknowledged.get("step"):
        with ChainStore(path, mode="resume") as store:
            arrays, attributes = store.load_stage("training")
            assert attributes["step"] >= acknowledged["step"]
            assert all(np.array_equal(arrays[name], array) for name, array in weights(attributes["step"]).items())
    live_twice(path, lambda *_: None)
    chain = Chain.from_file(path)
    runs.assert_holds(chain, EXTENDED)
    assert chain.observed_data["data"].tolist() == [0, 1, 2, 3]
    warmup = Chain.from_file(path, group="warmup_posterior")
    assert np.array_equal(warmup.posterior["field"], runs.draws(0, 5)[0]["field"])
    with ChainStore(path, mode="resume") as store:
        assert np.array_equal(store.load_stage("training")[0]["weights"], weights(NUM_STEPS)["weights"])
        assert store.load_state()[".position"][0, 0, 0] == EXTENDED
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


class Disk:
    """Stands for `os` in the one module that writes, and hears of each call that changes the disk."""

    def __init__(self, hear: Callable[..., None]):
        self._hear = hear

    def __getattr__(self, name: str):
        real = getattr(REAL, name)
        if name not in ("open", "close", "pwrite", "ftruncate", "fsync", "replace", "unlink", "mkdir", "rmdir"):
            return real

        def call(*arguments):
            return self._hear(name, real, *arguments)

        return call


@contextmanager
def watched(hear: Callable[..., None]):
    _files.os, _compaction.FAN_IN = Disk(hear), 3
    try:
        yield
    finally:
        _files.os, _compaction.FAN_IN = REAL, 8


class Death:
    """The process dies at the call of this number, which is not made, or made by half."""

    def __init__(self, number: int, *, torn: bool):
        self.left, self.torn = number, torn

    def __call__(self, name, real, *arguments):
        if name == "close":
            return real(*arguments)
        if self.left == 0:
            if self.torn and name == "pwrite":
                descriptor, data, place = arguments
                real(descriptor, data[: len(data) // 2], place)
            os._exit(9)
        self.left -= 1
        return real(*arguments)


def die_everywhere(folder: Path, every: int, first: int) -> int:
    """Crash points tried, torn where they write; in turn the call is made by half and not at all."""
    number, tried = first, 0
    while True:
        place = folder / str(number)
        place.mkdir()
        path = place / "chains.h5"
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with watched(Death(number, torn=tried % 2 == 1)):
                live_twice(path, lambda kind, count: REAL.write(writer, f"{kind} {count}\n".encode()))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            acknowledged = {kind: int(count) for kind, count in map(str.split, told)}
        _, status = os.waitpid(child, 0)
        try:
            assert_recovers(path, acknowledged)
        except BaseException as error:
            raise AssertionError(f"The crash at call {number} was not survived.") from error
        shutil.rmtree(place)
        if status == 0:
            return tried
        assert os.waitstatus_to_exitcode(status) == 9
        number, tried = number + every, tried + 1


class Inode:
    """A file or a folder: what it holds, and what of that is on the disk for good."""

    def __init__(self, *, folder: bool = False):
        self.folder = folder
        self.content, self.synced = bytearray(), b""


class Machine:
    """A file system that keeps nothing which was not synced, neither data nor names, unless it likes to."""

    def __init__(self, root: Path):
        self.root = root
        self.names: dict[Path, Inode] = {}
        self.synced: dict[Path, Inode] = {}
        self.open: dict[int, Path | Inode] = {}
        self.crashes: list[Callable[[Path, random.Random], None]] = []
        self.acknowledged: dict[str, int] = {}

    def __call__(self, name, real, *arguments):
        result = real(*arguments)
        getattr(self, f"_{name}")(result, *arguments)
        if name not in ("pwrite", "ftruncate", "close"):  # between writes only an unnamed file changes
            self.crashes.append(self._snapshot())
        return result

    def _open(self, descriptor, path, flags, *mode):
        if flags & os.O_CREAT and path not in self.names:
            self.names[path] = Inode()
        self.open[descriptor] = self.names.get(path, path)

    def _close(self, result, descriptor):
        del self.open[descriptor]

    def _pwrite(self, length, descriptor, data, place):
        content = self.open[descriptor].content
        content.extend(bytes(max(place + length - len(content), 0)))
        content[place : place + length] = bytes(data[:length])

    def _ftruncate(self, result, descriptor, size):
        content = self.open[descriptor].content
        content[size:] = bytes(max(size - len(content), 0))

    def _fsync(self, result, descriptor):
        inode = self.open[descriptor]
        if isinstance(inode, Inode) and not inode.folder:
            inode.synced = bytes(inode.content)
            return
        folder = (
            inode if isinstance(inode, Path) else next(path for path, other in self.names.items() if other is inode)
        )
        self.synced = {path: inode for path, inode in self.synced.items() if path.parent != folder}
        self.synced |= {path: inode for path, inode in self.names.items() if path.parent == folder}

    def _replace(self, result, source, target):
        self.names[target] = self.names.pop(source)

    def _unlink(self, result, path):
        del self.names[path]

    def _mkdir(self, result, path):
        self.names[path] = Inode(folder=True)

    def _rmdir(self, result, path):
        del self.names[path]

    def _snapshot(self):
        names, synced, acknowledged = dict(self.names), dict(self.synced), dict(self.acknowledged)
        contents = {id(inode): (bytes(inode.content), inode.synced) for inode in {*names.values(), *synced.values()}}

        def materialise(root: Path, chance: random.Random, kept: float) -> dict[str, int]:
            """What a power cut here may leave: of all that was not synced, each part with the probability `kept`."""
            for path in sorted({*names, *synced}):
                inode = (names if chance.random() < kept else synced).get(path)
                place = root / path.relative_to(self.root)
                if inode is None or not place.parent.exists():
                    continue
                if inode.folder:
                    place.mkdir()
                    continue
                content, durable = contents[id(inode)]
                if content != durable and chance.random() < kept:
                    durable = content[: chance.randrange(len(content) + 1)]
                place.write_bytes(durable)
            return acknowledged

        return materialise


def lose_power_everywhere(folder: Path, every: int, first: int) -> int:
    """Power cuts tried: after each call that syncs or names something, in several ways."""
    whole = folder / "whole"
    whole.mkdir()
    machine = Machine(whole)
    with watched(machine):
        live_twice(whole / "chains.h5", lambda kind, count: machine.acknowledged.update({kind: count}))
    tried = 0
    for number, materialise in list(enumerate(machine.crashes))[first::every]:
        for way, kept in enumerate((0.0, 1.0, 0.5, 0.5)):
            place = folder / f"{number}-{way}"
            place.mkdir()
            acknowledged = materialise(place, random.Random(10 * number + way), kept)
            try:
                assert_recovers(place / "chains.h5", acknowledged)
            except BaseException as error:
                raise AssertionError(f"Power cut {way} after call {number} was not survived.") from error
            shutil.rmtree(place)
            tried += 1
    return tried


@contextmanager
def written_in_place(path: Path, *, folder: Path | None = None):
    draft = _files.Draft(path)
    yield draft
    draft.sync()
    draft.close()


def sabotage(what: str) -> None:
    """Take a safeguard away."""
    if what == "no-folder-sync":
        _files.sync = lambda folder: None
    elif what == "no-file-sync":
        _files.Draft.sync = _files.Draft.check
    elif what == "no-rename":
        from cosmoflow.chains import _seal

        _seal.drafted = written_in_place
    else:
        assert what == "none"


if __name__ == "__main__":
    assert "jax" not in sys.modules
    crash = {"die": die_everywhere, "power": lose_power_everywhere}[sys.argv[1]]
    sabotage(sys.argv[5])
    print(crash(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
