"""One case of the storage benchmark in a process of its own: runs with a store, without one, and being watched.

python scripts/benchmarks/storage_runs.py CASE PROBLEM prints what it measured as JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from storage_clocks import Nowhere, Store, run
from storage_memory import Memory
from storage_problems import PROBLEMS, Problem

READER = """
import sys, time
from pathlib import Path
import cosmoflow as cf
path, looks = Path(sys.argv[1]), 0
while not path.exists():
    cf.Chain.from_file(path)
    looks += 1
    print(looks, flush=True)
    time.sleep(0.5)
"""
WATCHED_COMMIT_SECONDS = 5.0


def draws_in(problem: Problem, seconds: float) -> int:
    """Whole chunks that take about so many seconds, once everything is compiled."""
    run(problem, Nowhere(), problem.chunk)
    taken, _ = run(problem, Nowhere(), 2 * problem.chunk)
    return max(round(2 * seconds / taken), 3) * problem.chunk


def stored_run(
    problem: Problem, folder: Path, num_draws: int, *, last: Callable[[], None] = lambda: None, **options: Any
) -> dict[str, float]:
    """A run with a store, which is removed afterwards; `last` is called before that."""
    path = folder / "run.h5"
    with Store(path) as store:
        seconds, queue = run(problem, store, num_draws, **options)
        if store.num_draws != num_draws:
            raise RuntimeError(f"The run ended with {store.num_draws} of {num_draws} draws.")
    last()
    size = path.stat().st_size
    path.unlink()
    return {
        "seconds": seconds,
        "commits": store.commits,
        "main_seconds": queue.main_seconds,
        "thread_seconds": store.thread_seconds,
        "thread_cpu_seconds": store.thread_cpu_seconds,
        "merge_seconds": store.merge_seconds,
        "bytes": size,
    }


def alternating(pairs: int, measure: Callable[[bool], Any]) -> Iterator[tuple[Any, Any]]:
    """Pairs of measurements without and with something, the order turned round from pair to pair."""
    for number in range(pairs):
        order = (False, True) if number % 2 == 0 else (True, False)
        outcome = {which: measure(which) for which in order}
        yield outcome[False], outcome[True]


def overhead(problem: Problem, folder: Path, *, seconds: float, pairs: int) -> dict[str, Any]:
    """Runs with and without a store."""
    num_draws = draws_in(problem, seconds)

    def measure(stored: bool) -> Any:
        return stored_run(problem, folder, num_draws) if stored else run(problem, Nowhere(), num_draws)[0]

    outcomes = list(alternating(pairs, measure))
    return {"num_draws": num_draws, "without": [plain for plain, _ in outcomes], "with": [kept for _, kept in outcomes]}


def watched(problem: Problem, folder: Path, *, seconds: float, pairs: int) -> dict[str, Any]:
    """Runs with a store that two other processes look at, and runs that nobody looks at."""
    num_draws = draws_in(problem, seconds)
    path = folder / "run.h5"
    commands = {
        "watch": [sys.executable, "-m", "cosmoflow", "watch", str(path)],
        "reader": [sys.executable, "-c", READER, str(path)],
    }
    ends: list[dict[str, int]] = []

    def measure(looked_at: bool) -> dict[str, float]:
        lookers: dict[str, subprocess.Popen[str]] = {}

        def start() -> None:
            for name, command in commands.items() if looked_at else ():
                lookers[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            for looker in lookers.values():
                looker.stdout.readline()  # it has read the chain once

        def wait() -> None:
            lines = {name: looker.communicate()[0].splitlines() for name, looker in lookers.items()}
            if looked_at:
                codes = {f"{name}_exit_code": looker.returncode for name, looker in lookers.items()}
                ends.append({"looks": int(lines["reader"][-1]), **codes})

        return stored_run(problem, folder, num_draws, commit_seconds=WATCHED_COMMIT_SECONDS, first=start, last=wait)

    outcomes = list(alternating(pairs, measure))
    return {
        "num_draws": num_draws,
        "without": [plain["seconds"] for plain, _ in outcomes],
        "with": [seen["seconds"] for _, seen in outcomes],
        "lookers": ends,
    }


def memory(problem: Problem, folder: Path, *, chunks: int, stored: bool) -> dict[str, Any]:
    """The peak above the level after compilation, of one run, in units of the draws that a chunk keeps."""
    run(problem, Nowhere(), problem.chunk)
    memory = Memory()
    store = Store(folder / "run.h5") if stored else Nowhere()
    run(problem, store, chunks * problem.chunk, around=lambda: memory)
    position = problem.position
    return {"chunk_bytes": problem.chunk * position.nbytes, "peak_bytes": memory.peak - memory.level}


def main() -> None:
    """Measure one case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=["overhead", "watched", "memory with", "memory without"])
    parser.add_argument("problem", choices=PROBLEMS)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--chunks", type=int)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    problem = PROBLEMS[given.problem](quick=given.quick)
    with tempfile.TemporaryDirectory(prefix=".storage-benchmark-", dir=".") as name:
        folder = Path(name)
        if given.case == "overhead":
            outcome = overhead(problem, folder, seconds=given.seconds, pairs=given.pairs)
        elif given.case == "watched":
            outcome = watched(problem, folder, seconds=given.seconds, pairs=given.pairs)
        else:
            outcome = memory(problem, folder, chunks=given.chunks, stored=given.case == "memory with")
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
