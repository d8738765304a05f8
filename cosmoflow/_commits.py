"""Draws on their way to the disk, beside the computing of the next."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Array

from ._blocks import joined, joined_arrays
from ._shards import ALONE, InStep
from .chains import Block, ChainStore


class Commits:
    """Hands draws to a store from a thread of its own, so that the run does not wait for the disk.

    At most one commit is under way; the next waits for it, and raises what went wrong with it. Processes over which a
    field lies make the same commits, and wait for each other's: they never are more than one apart.

    Args:
        store: Where the draws go; without one they are kept here.
        seconds: Least time between two commits.
        size: Bytes that are not kept waiting any longer.
        processes: That commit together.
    """

    def __init__(self, store: ChainStore | None, seconds: float, size: int, processes: InStep):
        self.blocks: list[Block] = []
        self._store, self._interval, self._size, self._processes = store, seconds, size, processes
        self._last = time.monotonic()
        self._seconds = 0.0
        self._states: Sequence[Any] = ()
        self._moments: Sequence[Mapping[str, Array]] = ({},)
        self._thread = ThreadPoolExecutor(1, "commits")
        self._under_way: Future | None = None

    def add(self, block: Block, states: Sequence[Any], seconds: float, moments: Sequence[Mapping[str, Array]]) -> bool:
        """Take the next draws; say whether they were handed on.

        Args:
            block: The draws, by group and name.
            states: Of the blocks of chains, after them.
            seconds: The time they took [s].
            moments: Of all draws up to the last of them, by name, of each block of chains.
        """
        self.blocks.append(block)
        self._states, self._moments = states, moments
        self._seconds += seconds
        size = sum(array.nbytes for block in self.blocks for arrays in block.values() for array in arrays.values())
        due = bool(self._processes.largest(time.monotonic() - self._last > self._interval or size >= self._size))
        if due:
            self.flush()
        return due and self._store is not None

    def flush(self) -> None:
        """Hand on what is here.

        Raises:
            StoreError: The commit before failed.
        """
        self._last = time.monotonic()
        if self._store is not None and self.blocks:
            self.wait()
            state, totals = joined_arrays(self._states), {"seconds": self._seconds}
            self._under_way = self._thread.submit(self._store.append_blocks, self.blocks, state, totals, self.moments)
            self.blocks, self._seconds = [], 0.0

    def wait(self) -> None:
        """Until the commit under way is acknowledged, in all processes that commit together.

        Raises:
            StoreError: It failed.
        """
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()
            self._processes.largest(0)

    @property
    def moments(self) -> dict[str, np.ndarray]:
        """The moments of all draws so far."""
        return joined(self._moments)

    @property
    def seconds(self) -> float:
        """The time that the draws took that are still here [s]."""
        return self._seconds

    def close(self) -> None:
        """End the thread, once the commit under way has ended one way or another."""
        self._thread.shutdown()


@contextmanager
def commits(store: ChainStore | None, *, seconds: float, size: int, processes: InStep = ALONE) -> Iterator[Commits]:
    """Commits, all of them acknowledged when the block ends without an error."""
    queue = Commits(store, seconds, size, processes)
    try:
        yield queue
        queue.flush()
        queue.wait()
    finally:
        queue.close()
