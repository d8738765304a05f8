"""`cosmoflow watch`."""

import os
import shlex
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .._progress import TITLES, Facts, describe, describe_progress
from .._results import Status, StoreError
from .._status_file import read_status
from ._exit import FAILED, RESUMABLE, exit_code
from ._options import ChainFile

if TYPE_CHECKING:
    from ..chains import Chain
    from ..diagnostics import Summary

MAX_ROWS = 64


def watch(
    chain: ChainFile,
    interval: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once.")] = False,
) -> None:
    """Look at a run while it goes on, without disturbing it."""
    from rich.console import Console
    from rich.live import Live

    run, console = _WatchedRun(chain), Console()
    with suppress(KeyboardInterrupt):
        if not console.is_interactive:
            while not (end := run.look()) and not once:
                _print_news(run)
                time.sleep(interval)
            _print_news(run)
            print("" if run.summary is None else f"\n{run.summary}\n")
        else:
            with Live(console=console, get_renderable=lambda: _picture(run), auto_refresh=False) as live:
                while not (end := run.look()) and not once:
                    live.refresh()
                    time.sleep(interval)
                live.refresh()
        if end is not None:
            print(end.sentence)
            raise typer.Exit(end.code)


@dataclass(frozen=True)
class _End:
    """How a run ended, and what the command says to its caller about it."""

    sentence: str
    code: int


class _WatchedRun:
    """What is known of a run from its files: read only, without a lock, its draws only when there are new ones."""

    def __init__(self, path: Path):
        self._path = path
        self._segments = path.with_name(f"{path.name}.segments")
        self._stamp: set[tuple[str, int]] = set()
        self._chain: Chain | None = None
        self.summary: Summary | None = None
        self.record: Facts | None = None

    def look(self) -> _End | None:
        """Read what is new; say how the run ended, if it did.

        Raises:
            StoreError: There is no run, or the files of one that has ended cannot be read.
        """
        self.record = read_status(self._path)
        if self.record is None and not self._path.exists() and not self._segments.exists():
            raise StoreError(f"There is no run at {self._path}; check the path.")
        over = self._over()
        try:
            self._read_draws()
        except StoreError:
            if over:
                raise
        return self._end() if over else None

    def _over(self) -> bool:
        if self.record is None:
            return not self._segments.exists()
        return self.record.get("stage") not in TITLES or self._is_dead(self.record)

    @staticmethod
    def _is_dead(record: Facts) -> bool:
        if record.get("hostname") != socket.gethostname():
            return False
        try:
            os.kill(int(record["pid"]), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def _read_draws(self) -> None:
        stamp = set()
        for path in (self._path, *self._segments.glob("seg-*.h5")):
            with suppress(FileNotFoundError):
                stamp.add((path.name, path.stat().st_mtime_ns))
        if not stamp or stamp == self._stamp:
            return
        from ..chains import Chain
        from ..diagnostics import summarize, varying

        self._chain = Chain.from_file(self._path, max_size=MAX_ROWS)
        self.summary = summarize(self._chain, list(self._chain.scalars(varying(self._chain)))[:MAX_ROWS])
        self._stamp = stamp

    def _end(self) -> _End:
        if self.record is None:
            status = Status.SUCCESSFUL if self._chain is None else self._chain.status
            return _End(status.value, exit_code(status))
        if self.record["stage"] in TITLES:
            return _End(f"The process ended without finishing the run. {self._hint()}", RESUMABLE)
        name = str(self.record.get("status"))
        code = exit_code(Status[name]) if name in Status.__members__ else FAILED
        return _End(f"{self.record.get('message')}" + (f" {self._hint()}" if code == RESUMABLE else ""), code)

    def _hint(self) -> str:
        source = None if self._chain is None else self._chain.attributes.get("configuration_file")
        if source is None:
            return "To go on, start it again as it was started, with --resume on the command line."
        command = ["cosmoflow", "sample", str(source), "--output", str(self._path), "--resume"]
        return f"To go on: {shlex.join(command)}"


def _headline(record: Facts) -> str:
    return f"{TITLES.get(record['stage'], record['stage'].capitalize())}: {describe_progress(record)}"


def _print_news(run: _WatchedRun) -> None:
    if run.record is not None:
        print(", ".join(filter(None, (_headline(run.record), describe(run.record)))), flush=True)


def _picture(run: _WatchedRun) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from ..diagnostics._table import rounded

    lines = [] if run.record is None else [Text(_headline(run.record)), Text(describe(run.record), style="dim")]
    if run.summary is None:
        return Group(*lines, Text("No draws have been committed yet."))
    caption = f"{run.summary.num_chains} chains of {run.summary.num_draws} committed draws"
    table = Table("", "mean", "sd", "ESS bulk", "ESS tail", "R-hat", caption=caption)
    for row in run.summary.parameters + run.summary.statistics:
        known = row.convergence
        numbers = (rounded(row.mean, row.sd), rounded(row.sd, row.sd), f"{known.ess_bulk:.0f}", f"{known.ess_tail:.0f}")
        table.add_row(row.name, *numbers, f"{known.rhat:.3f}", style=None if row.converged else "yellow")
    return Group(*lines, table)
