"""How long JAX compiles, and how long it computes."""

import time
from typing import Any


class CompileClock:
    """Sees from now on what JAX traces and compiles, and how long that takes."""

    def __init__(self):
        import jax.monitoring

        self.programs = 0
        self._spans: list[tuple[float, float]] = []
        jax.monitoring.register_event_duration_secs_listener(self._note)

    def _note(self, event: str, duration_secs: float, **kwargs: Any) -> None:
        if event.startswith("/jax/core/compile/"):
            now = time.perf_counter()
            self._spans.append((now - duration_secs, now))
            self.programs += "backend_compile" in event

    @property
    def seconds(self) -> float:
        """Of tracing and compiling, within each other or side by side counted once."""
        total, end = 0.0, -float("inf")
        for first, last in sorted(self._spans):
            total += max(0.0, last - max(first, end))
            end = max(end, last)
        return total


class Stopwatch:
    """Seconds since it was made, without those in which JAX compiled."""

    def __init__(self, clock: CompileClock):
        self._clock = clock
        self._start, self._compiled = time.perf_counter(), clock.seconds

    @property
    def seconds(self) -> float:
        """Of computing alone."""
        return time.perf_counter() - self._start - (self._clock.seconds - self._compiled)
