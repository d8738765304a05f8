"""Runs whose commits are timed, or that commit nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import arviz_stats.base  # noqa: F401  (else the first run with a store would import it while it is timed)
from storage_problems import Problem

import cosmoflow as cf
from cosmoflow import _sample
from cosmoflow._commits import Commits


class Queue(Commits):
    """Draws on their way to the disk, with the time that the main thread spends on it; or else dropped at once."""

    def __init__(self, store: Any, seconds: float, size: int):
        super().__init__(store, seconds, size)
        self.main_seconds = 0.0
        self._drops = isinstance(store, Nowhere)

    def add(self, block: Any, state: Any, seconds: float) -> bool:
        """As without a clock."""
        if self._drops:
            return False
        began = time.monotonic()
        handed_on = super().add(block, state, seconds)
        self.main_seconds += time.monotonic() - began
        return handed_on

    def drain(self) -> None:
        """Until everything is acknowledged."""
        began = time.monotonic()
        self.flush()
        self.wait()
        self.main_seconds += time.monotonic() - began


class Store(cf.ChainStore):
    """A store that notes what the thread of the commits and the final merge take [s]."""

    def __init__(self, path: Path):
        super().__init__(path)
        self.commits = 0
        self.thread_seconds = self.thread_cpu_seconds = self.merge_seconds = 0.0

    def append_blocks(self, *args: Any) -> None:
        """As without a clock."""
        began, cpu = time.monotonic(), time.thread_time()
        super().append_blocks(*args)
        self.commits += 1
        self.thread_seconds += time.monotonic() - began
        self.thread_cpu_seconds += time.thread_time() - cpu

    def finish(self) -> None:
        """As without a clock."""
        began = time.monotonic()
        super().finish()
        self.merge_seconds += time.monotonic() - began


class Nowhere:
    """What `sample` asks of a store, and nothing behind it: the run without one, which keeps no draws either."""

    path = None
    num_draws = 0

    def identify(self, entries: Any) -> None:
        """Do nothing."""

    def annotate(self, attributes: Any) -> None:
        """Do nothing."""

    def load_state(self) -> None:
        """There is none."""

    def finish(self) -> None:
        """Do nothing."""

    def read(self) -> None:
        """There is nothing."""


def run(
    problem: Problem,
    store: Any,
    num_draws: int,
    *,
    commit_seconds: float = 30.0,
    around: Callable[[], Any] = ExitStack,
    first: Callable[[], None] | None = None,
) -> tuple[float, Queue]:
    """Sample; the seconds of the loop, from the first chunk until the last draw is acknowledged, and its queue.

    Args:
        problem: What is sampled.
        store: A `Store` or `Nowhere`.
        num_draws: Draws per chain.
        commit_seconds: As for `sample`.
        around: A context around the loop.
        first: Called after the first chunk has been committed; then the clock begins anew.
    """
    seen: dict[str, Any] = {}

    @contextmanager
    def commits(store: Any, *, seconds: float, size: int) -> Iterator[Queue]:
        queue = seen["queue"] = Queue(store, seconds, size)
        with around():
            seen["began"] = time.monotonic()
            try:
                yield queue
                queue.drain()
            finally:
                queue.close()
            seen["seconds"] = time.monotonic() - seen["began"]

    def between() -> bool:
        if first is not None and "first" not in seen and seen["queue"].blocks:
            seen["queue"].drain()
            first()
            seen["first"], seen["began"] = True, time.monotonic()
        return False

    with mock.patch.object(_sample, "commits", commits):
        cf.sample(**problem.arguments(), store=store, num_draws=num_draws, commit_seconds=commit_seconds, stop=between)
    return seen["seconds"], seen["queue"]
