"""`cosmoflow watch`."""

import os
import shlex
import socket
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .._progress import TITLES, Facts, describe, describe_progress, duration
from .._results import Status, StoreError
from .._status_file import read_status
from ._exit import FAILED, RESUMABLE, exit_code
from ._options import ChainFile

if TYPE_CHECKING:
    from ..chains import Chain
    from ..diagnostics import Summary

MAX_ROWS = 64
SILENT = 60.0
"""Seconds without news of a part after which that is said."""

COUNTS = ("num_chains", "gradients", "divergences", "violations", "non_finite")
"""What the status of a part counts over its chains."""


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


class _Files:
    """What is known of a run, or of a part of one, from its files: its draws are read only when there are new ones.

    Args:
        path: The final file.
        chains: Of a part; None of a whole run.
    """

    def __init__(self, path: Path, chains: range | None = None):
        self.path, self.chains = path, chains
        self.record: Facts | None = None
        self.draws: Chain | None = None
        self._segments = path.with_name(f"{path.name}.segments")
        self._stamp: set[tuple[str, int]] = set()

    def look(self) -> bool:
        """Read what is new; say whether there are new draws.

        Raises:
            StoreError: There is no run, or the files of one that has ended cannot be read.
        """
        self.record = read_status(self.path)
        absent = self.record is None and not self.path.exists() and not self._segments.exists()
        if absent and self.chains is None:
            raise StoreError(f"There is no run at {self.path}; check the path.")
        over = self.over
        try:
            return self._read()
        except StoreError:
            if over:
                raise
        return False

    @property
    def over(self) -> bool:
        """Whether nothing will be added, as far as can be seen from here.

        A process that finished a part may wait for the others, to go on with them or to join the parts.
        """
        if self.record is None:
            return not self._segments.exists()
        done = self.record.get("stage") not in TITLES
        return self.dead or (done and (self.chains is None or self.silence > SILENT))

    @property
    def dead(self) -> bool:
        """Whether its process was on this computer and is gone."""
        if self.record is None or self.record.get("hostname") != socket.gethostname():
            return False
        try:
            os.kill(int(self.record["pid"]), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    @property
    def silence(self) -> float:
        """Seconds since its process was heard of."""
        told = None if self.record is None else self.record.get("updated_at")
        return (datetime.now(UTC) - datetime.fromisoformat(told)).total_seconds() if told else 0.0

    def end(self, hint: str) -> _End:
        """How it ended."""
        if self.record is None:
            status = Status.SUCCESSFUL if self.draws is None else self.draws.status
            return _End(status.value, exit_code(status))
        if self.record["stage"] in TITLES:
            return _End(f"The process ended without finishing the run. {hint}", RESUMABLE)
        name = str(self.record.get("status"))
        code = exit_code(Status[name]) if name in Status.__members__ else FAILED
        return _End(f"{self.record.get('message')}" + (f" {hint}" if code == RESUMABLE else ""), code)

    def note(self) -> str | None:
        """What is wrong with a part, if anything."""
        if self.record is None:
            return None
        if self.record.get("stage") not in TITLES:
            return None if self.end("").code == 0 else self.record.get("message")
        if self.dead:
            return "The process is gone."
        return f"No news for {duration(self.silence)}." if self.silence > SILENT else None

    def _read(self) -> bool:
        stamp = set()
        for path in (self.path, *self._segments.glob("seg-*.h5")):
            with suppress(FileNotFoundError):
                stamp.add((path.name, path.stat().st_mtime_ns))
        if not stamp or stamp == self._stamp:
            return False
        from ..chains import Chain

        self.draws = Chain.from_file(self.path, max_size=MAX_ROWS)
        self._stamp = stamp
        return True


class _WatchedRun:
    """A run, whose chains are drawn in one place or in parts: its files are read only, without a lock."""

    def __init__(self, path: Path):
        self._path = path
        self._files: dict[Path, _Files] = {}
        self._chain: Chain | None = None
        self.summary: Summary | None = None
        self.record: Facts | None = None
        self.notes: list[str] = []

    def look(self) -> _End | None:
        """Read what is new; say how the run ended, if it did.

        Raises:
            StoreError: There is no run, or the files of one that has ended cannot be read.
        """
        from ..chains import part_path, parts_of

        parts = {part_path(self._path, chains): chains for chains in parts_of(self._path)} or {self._path: None}
        self._files = {path: self._files.get(path) or _Files(path, chains) for path, chains in parts.items()}
        news = [files.look() for files in self._files.values()]
        if any(news):
            self._summarize()
        if len(self._files) == 1 and self._path in self._files:
            files = self._files[self._path]
            self.record, self.notes = files.record, []
            return files.end(self._hint()) if files.over else None
        missing = self._missing()
        self.record, self.notes = self._together(), [*self._noted(), *(f"{_named(c)}: Not begun." for c in missing)]
        return self._end_of_parts(missing) if all(files.over for files in self._files.values()) else None

    def _summarize(self) -> None:
        from ..chains import side_by_side
        from ..diagnostics import summarize, varying

        read = [files.draws for files in self._files.values() if files.draws is not None]
        self._chain = side_by_side(read)
        self.summary = summarize(self._chain, list(self._chain.scalars(varying(self._chain)))[:MAX_ROWS])

    def _together(self) -> Facts | None:
        """The status of all parts: where the slowest is, what all of them count, and the diagnostics of all chains."""
        told = [files.record for files in self._files.values() if files.record is not None]
        if not told:
            return None
        alive = [files.record for files in self._files.values() if files.record is not None and not files.over]
        known = {name: [part[name] for part in told if part.get(name) is not None] for name in COUNTS}
        counts = {name: sum(numbers) for name, numbers in known.items() if numbers}
        found: Facts = {"ess": None, "rhat": None}
        if self.summary is not None:
            rows = [row.convergence for row in self.summary.parameters + self.summary.statistics]
            found = {"ess": min(min(row.ess_bulk, row.ess_tail) for row in rows), "rhat": max(row.rhat for row in rows)}
        return min(alive or told, key=_place) | counts | found

    def _noted(self) -> list[str]:
        noted = {files.chains: files.note() for files in self._files.values()}
        return [f"{_named(chains)}: {note}" for chains, note in noted.items() if chains is not None and note]

    def _missing(self) -> list[range]:
        """The chains that no part has yet."""
        known = "" if self._chain is None else str(self._chain.attributes.get("configuration", ""))
        count = tomllib.loads(known).get("run", {}).get("num_chains", 0)
        parts = [files.chains for files in self._files.values() if files.chains is not None]
        edges = [0, *(edge for part in parts for edge in (part.start, part.stop)), count]
        return [range(first, stop) for first, stop in zip(edges[::2], edges[1::2], strict=True) if first < stop]

    def _end_of_parts(self, missing: list[range]) -> _End | None:
        """The worst of the ends; None where all that there are of the parts are sound, and others will come."""
        ends = [files.end(self._hint()) for files in self._files.values()]
        bad = sorted((end for end in ends if end.code), key=lambda end: end.code == RESUMABLE)
        if bad or missing:
            return bad[0] if bad else None
        return _End(f"All parts are finished. To join them: cosmoflow merge {shlex.quote(str(self._path))}", 0)

    def _hint(self) -> str:
        source = None if self._chain is None else self._chain.attributes.get("configuration_file")
        if source is None or self._path not in self._files:
            return "To go on, start it again as it was started, with --resume on the command line."
        command = ["cosmoflow", "sample", str(source), "--output", str(self._path), "--resume"]
        return f"To go on: {shlex.join(command)}"


def _named(chains: range) -> str:
    return f"Chains {chains.start} to {chains.stop - 1}" if len(chains) > 1 else f"Chain {chains.start}"


def _place(record: Facts) -> tuple[int, int]:
    """How far a part is."""
    stages = [*TITLES, record["stage"]]
    return stages.index(record["stage"]), record.get("draws") or record.get("step") or 0


def _headline(record: Facts) -> str:
    return f"{TITLES.get(record['stage'], record['stage'].capitalize())}: {describe_progress(record)}"


def _print_news(run: _WatchedRun) -> None:
    if run.record is not None:
        print(", ".join(filter(None, (_headline(run.record), describe(run.record)))), *run.notes, sep="\n", flush=True)


def _picture(run: _WatchedRun) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from ..diagnostics._table import rounded

    lines = [] if run.record is None else [Text(_headline(run.record)), Text(describe(run.record), style="dim")]
    lines += [Text(note, style="yellow") for note in run.notes]
    if run.summary is None:
        return Group(*lines, Text("No draws have been committed yet."))
    caption = f"{run.summary.num_chains} chains of {run.summary.num_draws} committed draws"
    table = Table("", "mean", "sd", "ESS bulk", "ESS tail", "R-hat", caption=caption)
    for row in run.summary.parameters + run.summary.statistics:
        known = row.convergence
        numbers = (rounded(row.mean, row.sd), rounded(row.sd, row.sd), f"{known.ess_bulk:.0f}", f"{known.ess_tail:.0f}")
        table.add_row(row.name, *numbers, f"{known.rhat:.3f}", style=None if row.converged else "yellow")
    return Group(*lines, table)
