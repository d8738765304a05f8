"""How a stage of a run is seen from outside: a live view, plain lines, and the run's status file."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ._results import RunError, Status
from ._status_file import write_status

Facts = dict[str, Any]

TITLES = {
    "whitening": "Whitening",
    "training": "Training",
    "evidence": "Evidence",
    "warmup": "Warming up",
    "sampling": "Sampling",
}
SECONDS_BETWEEN_FILES = 2.0
SECONDS_BETWEEN_LINES = 10.0

_FACTS = {
    "num_chains": "{:d} chains",
    "gradients": "{:.3g} gradients",
    "ess": "smallest ESS {:.0f}",
    "rhat": "largest R-hat {:.3f}",
    "divergences": "{:.0f} divergences",
    "violations": "{:.0f} bound violations",
    "non_finite": "{:.0f} non-finite",
    "loss": "loss {:.4f}",
    "acceptance": "acceptance {:.2f}",
    "step_size": "step size {:.3g}",
    "rate": "{:.4g} per second",
}


def describe(record: Facts) -> str:
    """What is known of a stage, in one line."""
    known = [text.format(record[name]) for name, text in _FACTS.items() if record.get(name) is not None]
    return ", ".join(known)


def describe_progress(record: Facts) -> str:
    """How far a stage is, and how long it will take."""
    unit, done, total = _counts(record)
    left = record.get("seconds_left")
    return f"{done}/{total} {unit}" + (f", {duration(left)} left" if left else "")


def _counts(record: Facts) -> tuple[str, int, int]:
    if record.get("num_draws") is None:
        return (
            "gradients" if record["stage"] == "warmup" else "steps",
            record.get("step") or 0,
            record.get("num_steps") or 0,
        )
    return "draws", record["draws"], record["num_draws"]


def duration(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


class Stage:
    """A stage that goes on; `outcome` is how the run ended, where it ends with this stage."""

    def __init__(
        self, name: str, total: int, done: int, facts: Callable[[], Facts], views: "list[_Lines | _Live | _File]"
    ):
        self._name, self._total, self._done, self._facts, self._views = name, total, done, facts, views
        self._start = time.monotonic()
        self._started_at = _now()
        self._first: tuple[float, int] | None = None
        self.outcome: Status | None = None

    def advance(self, count: int, *, committed: bool = False) -> None:
        """Move on by `count` draws, steps or gradients.

        Args:
            count: How many.
            committed: Whether the run's files have changed.
        """
        self._done += count
        self._first = self._first or (time.monotonic(), self._done)
        self._show(urgent=committed)

    def record(self) -> Facts:
        """Everything that is known, with None for what is not."""
        now = time.monotonic()
        since, done = self._first or (now, self._done)
        rate = (self._done - done) / (now - since) if now > since and self._done > done else None
        units = ("draws", "num_draws") if self._name == "sampling" else ("step", "num_steps")
        return {
            "stage": self._name,
            **dict.fromkeys(("draws", "num_draws", "step", "num_steps", *_FACTS)),
            **dict(zip(units, (self._done, self._total), strict=True)),
            **self._facts(),
            "rate": rate,
            "seconds": now - self._start,
            "seconds_left": (self._total - self._done) / rate if rate else None,
            "pid": os.getpid(),
            "hostname": socket.gethostname(),
            "started_at": self._started_at,
            "updated_at": _now(),
            "status": None,
            "message": None,
        }

    def open(self) -> None:
        """Show that the stage has begun."""
        self._show(urgent=True)

    def close(self, error: BaseException | None = None) -> None:
        """Show how the stage ended."""
        status = error.status if isinstance(error, RunError) else self.outcome
        record = self.record()
        if error is not None or status is not None:
            record |= {
                "stage": _end(status),
                "seconds_left": None,
                "status": status and status.name,
                "message": str(error) or type(error).__name__ if error is not None else status and status.value,
            }
        for view in self._views:
            with suppress(OSError):  # a terminal that is gone, a log on a full disk
                view.close(record)

    def _show(self, *, urgent: bool) -> None:
        for view in self._views:
            with suppress(OSError):
                view.show(self.record, urgent=urgent)


@contextmanager
def stage(
    name: str,
    total: int = 0,
    *,
    done: int = 0,
    facts: Callable[[], Facts] = dict,
    visible: bool,
    run: Path | None,
) -> Iterator[Stage]:
    """A stage of a run.

    Args:
        name: One of `TITLES`.
        total: Its draws, steps or gradients.
        done: How many are there already.
        facts: Asked for more numbers, by the names in `describe`, when anybody looks.
        visible: Whether to show it: on a terminal as a live view, elsewhere as plain lines.
        run: The final file of the run, beside which its status is kept.
    """
    views = [_view()] if visible else []
    views += [_File(run)] if run is not None else []
    live = Stage(name, total, done, facts, views)
    live.open()
    try:
        yield live
    except BaseException as error:
        live.close(error)
        raise
    live.close()


def _view() -> "_Live | _Lines":
    from rich.console import Console

    console = Console()
    return _Live(console) if console.is_interactive else _Lines()


class _File:
    """The run's status file, written at most every few seconds where nothing was committed."""

    def __init__(self, run: Path):
        self._run = run
        self._due = 0.0

    def show(self, record: Callable[[], Facts], *, urgent: bool) -> None:
        if urgent or time.monotonic() >= self._due:
            write_status(self._run, record())
            self._due = time.monotonic() + SECONDS_BETWEEN_FILES

    def close(self, record: Facts) -> None:
        write_status(self._run, record)


class _Lines:
    """Plain lines for logs: seldom, and ever more seldom in a long run."""

    def __init__(self):
        self._start = time.monotonic()
        self._due = 0.0
        self._title = ""

    def show(self, record: Callable[[], Facts], *, urgent: bool) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._print(record())
            self._due = now + max(SECONDS_BETWEEN_LINES, 0.01 * (now - self._start))

    def close(self, record: Facts) -> None:
        self._print(record)

    def _print(self, record: Facts) -> None:
        self._title = TITLES.get(record["stage"], self._title)
        facts = describe(record)
        print(f"{self._title}: {describe_progress(record)}" + (f", {facts}" if facts else ""), flush=True)


class _Live:
    """A bar and a line of facts on a terminal, drawn anew four times a second by a thread of its own."""

    def __init__(self, console: Any):
        from rich.live import Live

        self._record: Facts | None = None
        self._title = ""
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)
        self._live.start()

    def show(self, record: Callable[[], Facts], *, urgent: bool) -> None:
        self._record = record()

    def close(self, record: Facts) -> None:
        self._record = record
        self._live.stop()

    def _render(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if (record := self._record) is None:
            return Text()
        self._title = TITLES.get(record["stage"], self._title)
        _, done, total = _counts(record)
        bar = ProgressBar(total=max(total, 1), completed=done, width=30)
        line = Table.grid(padding=(0, 1))
        line.add_row(self._title, bar, describe_progress(record))
        return Group(line, Text(describe(record), style="dim"))


def _end(status: Status | None) -> str:
    if status is None:
        return "failed"
    return "stopped" if status.resumable else "finished" if status.good else "failed"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
