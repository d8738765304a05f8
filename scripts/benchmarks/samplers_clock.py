"""Time on the wall and on the processor, without what JAX spends on tracing and compiling."""

import time
from dataclasses import dataclass
from types import TracebackType

import jax

_compiling: list[tuple[float, float]] = []


def _note(event: str, duration: float, **_: object) -> None:
    if event.startswith("/jax/core/compile/"):
        end = time.perf_counter()
        _compiling.append((end - duration, end))


jax.monitoring.register_event_duration_secs_listener(_note)


def _covered(intervals: list[tuple[float, float]]) -> float:
    """Length of the union of intervals, which nest because compiled functions call one another."""
    length, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        length += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return length


@dataclass
class Clock:
    """A context; afterwards it holds its seconds.

    What was compiled is taken off both, in equal parts: the process has one core, so that it is as busy then as else.

    Attributes:
        wall: Time on the wall.
        cpu: Time of the process on a processor.
        compiling: Time spent tracing and compiling.
    """

    wall: float = 0.0
    cpu: float = 0.0
    compiling: float = 0.0

    def __enter__(self) -> "Clock":
        self._first = len(_compiling)
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self.compiling = _covered(_compiling[self._first :])
        self.wall = wall - self.compiling
        self.cpu = cpu * self.wall / wall

    def running(self) -> float:
        """Seconds on the wall so far, without compiling."""
        return time.perf_counter() - self._wall - _covered(_compiling[self._first :])
