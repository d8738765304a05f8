"""Cells of a resumable benchmark: each a file of its own, run once, in a process and on a core of its own."""

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from queue import Empty, Queue
from textwrap import wrap
from typing import Any, Protocol

ROOT = Path(__file__).parents[2]
WIDTH = 120
ONE_CORE = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
}
GROUP_SECONDS = 1200
"""Time after which the cells of one method on one target are given up."""

Record = Mapping[str, Any]


class Cell(Protocol):
    """A named tuple of a target, a method and a seed."""

    def __getitem__(self, index: Any, /) -> Any: ...

    def _asdict(self) -> dict[str, Any]: ...


def name_of(cell: Cell) -> str:
    """Of its file, without the ending."""
    return "-".join(map(str, cell[:]))


def path_of(cell: Cell, folder: Path) -> Path:
    """Of the file of a cell."""
    return folder / f"{name_of(cell)}.json"


def write(cell: Cell, record: Record, folder: Path) -> None:
    """Commit a cell: its file is there as a whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name_of(cell)}.draft"
    draft.write_text(json.dumps(cell._asdict() | dict(record), indent=1) + "\n")
    draft.replace(path_of(cell, folder))


def records_of(folder: Path) -> list[Record]:
    """All cells that have been run."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def records_by(kind: Any, folder: Path) -> dict[Any, Record]:
    """All cells that have been run, by the cell, a named tuple of such a kind."""
    return {kind(*(record[name] for name in kind._fields)): record for record in records_of(folder)}


def missing(cells: Iterable[Cell], folder: Path) -> dict[tuple[str, str], list[int]]:
    """The seeds still to be run, by target and method."""
    groups: dict[tuple[str, str], list[int]] = {}
    for cell in cells:
        if not path_of(cell, folder).exists():
            groups.setdefault((cell[0], cell[1]), []).append(cell[2])
    return groups


def run(script: Path, cells: Sequence[Cell], folder: Path, *, jobs: int) -> list[str]:
    """Run what is missing by a script that takes a target, a method and seeds; what could not be run."""
    groups: Queue[tuple[tuple[str, str], list[int]]] = Queue()
    for group in missing(cells, folder).items():
        groups.put(group)
    failures: list[str] = []
    cores = sorted(os.sched_getaffinity(0))[:jobs]
    threads = [threading.Thread(target=_work, args=(script, core, groups, failures)) for core in cores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def _work(script: Path, core: int, groups: "Queue[tuple[tuple[str, str], list[int]]]", failures: list[str]) -> None:
    while True:
        try:
            (target, method), seeds = groups.get_nowait()
        except Empty:
            return
        command = ["taskset", "--cpu-list", str(core), sys.executable, str(script), *map(str, (target, method, *seeds))]
        began = time.monotonic()
        try:
            code = subprocess.run(command, env=os.environ | ONE_CORE, timeout=GROUP_SECONDS).returncode
        except subprocess.TimeoutExpired:
            code = -1
        if code:
            failures.append(f"{target}, {method}")
        outcome = "" if code == 0 else f": exit code {code}"
        print(f"{target}, {method}, seeds {seeds}: {time.monotonic() - began:.0f} s{outcome}", flush=True)


def main(
    description: str | None,
    script: Path,
    plans: Mapping[str, Sequence[Cell]],
    folder: Path,
    page: Callable[[dict[Any, Record]], str],
    *,
    prepare: Callable[[Sequence[Cell]], None] = lambda cells: None,
) -> None:
    """The command line of a benchmark: run what is missing of a grid, write the page beside its folder, and print it.

    Args:
        description: Shown as help.
        script: Runs cells, as `run` asks it to.
        plans: The grids; the core grid, or else the first, is the default.
        folder: Of the cells.
        page: The page, from all cells that have been run.
        prepare: What cells that are missing need before any of them is run.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=plans, default="core" if "core" in plans else next(iter(plans)))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time, each on a core of its own")
    parser.add_argument("--report", action="store_true", help="run nothing, write the page")
    given = parser.parse_args()
    failures: list[str] = []
    if not given.report:
        prepare([cell for cell in plans[given.grid] if not path_of(cell, folder).exists()])
        failures = run(script, plans[given.grid], folder, jobs=given.jobs)
    kind = type(next(cell for cells in plans.values() for cell in cells))
    text = page(records_by(kind, folder))
    folder.with_suffix(".md").write_text(text)
    print(text)
    if failures:
        print("Not run: " + "; ".join(failures), file=sys.stderr)


def run_here(
    cells: Sequence[Cell], outcome: Callable[[Any], dict[str, Any]], packages: Iterable[str], folder: Path
) -> None:
    """Run what is missing in this process, of all cells or of those whose numbers are on the command line."""
    for cell in [cells[int(number)] for number in sys.argv[1:]] or cells:
        if not path_of(cell, folder).exists():
            clock = time.process_time()
            write(cell, circumstances(packages) | outcome(cell), folder)
            print(*cell[:], f"{time.process_time() - clock:.0f} CPU s", flush=True)


def circumstances(packages: Iterable[str]) -> dict[str, Any]:
    """When, from which sources and on what a cell was run."""
    git = ["git", "-C", str(ROOT)]
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "cosmoflow", "scripts"]).returncode != 0
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "date": date.today().isoformat(),
        "commit": commit + ("+" if changed else ""),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one used; Python {platform.python_version()}",
        "versions": {name: version(name) for name in packages},
    }


def circumstances_text(
    records: Mapping[Any, Record],
    plans: Mapping[str, Sequence[Cell]],
    how: str = "`make bench` runs what is missing of the core grid.",
) -> Iterator[str]:
    """How many cells of each grid were run, how to run more, when and on what."""
    run = {grid: sum(cell in records for cell in cells) for grid, cells in plans.items()}
    counts = ", ".join(f"{run[grid]} of {len(cells)} cells of the {grid} grid" for grid, cells in plans.items())
    yield from wrap(f"Run: {counts}. {how}", WIDTH)
    if records:
        dates = sorted(record["date"] for record in records.values())
        machines = "; ".join(sorted({record["machine"] for record in records.values()}))
        versions = next(iter(records.values()))["versions"]
        commits = ", ".join(sorted({record["commit"][:10] for record in records.values()}))
        named = ", ".join(f"{name} {number}" for name, number in versions.items())
        yield ""
        yield from wrap(f"{dates[0]} to {dates[-1]}, {machines}; {named}; commits {commits}.", WIDTH)


def paragraphs(texts: Iterable[str]) -> Iterator[str]:
    """Texts in lines, empty ones between them."""
    for number, text in enumerate(texts):
        yield from [""] * (number > 0)
        yield from wrap(text, WIDTH)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)
