"""Effective samples per gradient and per second, of our samplers and of those of other packages, on many targets.

python scripts/benchmarks/samplers.py --grid core takes up to an hour on two cores; --grid full takes what is left over.
Every cell (target, sampler, seed) is committed to docs/benchmarks/samplers/ as it ends and is not run again while its
file is there, so that an interrupted run goes on; docs/benchmarks/samplers.md is written at the end. Moments of targets
without exact ones come from samplers_reference.py.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Queue

from samplers_grid import FOLDER, TARGETS, Cell, missing, planned, read
from samplers_report import report

ONE_CORE = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
}
GROUP_SECONDS = 1200
"""Time after which the cells of one sampler on one target are given up."""


def work(core: int, groups: "Queue[tuple[tuple[str, str], list[int]]]", failures: list[str]) -> None:
    """Run groups of cells on one core until there are none left."""
    while True:
        try:
            (target, sampler), seeds = groups.get_nowait()
        except Empty:
            return
        command = [sys.executable, str(Path(__file__).with_name("samplers_cell.py")), target, sampler]
        began = time.monotonic()
        try:
            code = subprocess.run(
                ["taskset", "--cpu-list", str(core), *command, *map(str, seeds)],
                env=os.environ | ONE_CORE,
                timeout=GROUP_SECONDS,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
        if code:
            failures.append(f"{target}, {sampler}")
        outcome = "" if code == 0 else f": exit code {code}"
        print(f"{target}, {sampler}, seeds {seeds}: {time.monotonic() - began:.0f} s{outcome}", flush=True)


def run(cells: Sequence[Cell], jobs: int) -> list[str]:
    """Run what is missing, each process on a core of its own; what could not be run."""
    groups: Queue[tuple[tuple[str, str], list[int]]] = Queue()
    for group in missing(cells, FOLDER).items():
        groups.put(group)
    failures: list[str] = []
    cores = sorted(os.sched_getaffinity(0))[:jobs]
    threads = [threading.Thread(target=work, args=(core, groups, failures)) for core in cores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=["core", "full"], default="core")
    parser.add_argument("--only", nargs=2, metavar=("TARGET", "SAMPLER"), help="run these cells of either grid alone")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time, each on a core of its own")
    parser.add_argument("--report", action="store_true", help="run nothing, write the tables")
    given = parser.parse_args()
    cells = planned(given.grid)
    if given.only:
        cells = [cell for cell in planned("core") + planned("full") if [cell.target, cell.sampler] == given.only]
        if not cells:
            parser.error(f"No cell has the target and the sampler {given.only}; targets are {', '.join(TARGETS)}.")
    failures = [] if given.report else run(cells, given.jobs)
    text = report(read(FOLDER), {grid: planned(grid) for grid in ("core", "full")})
    (FOLDER.with_suffix(".md")).write_text(text)
    print(text)
    if failures:
        print("Not run: " + "; ".join(failures), file=sys.stderr)


if __name__ == "__main__":
    main()
