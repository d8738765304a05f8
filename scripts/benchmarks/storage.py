"""What it costs to keep a run on the disk: slowdown, memory, write rates, and being watched.

python scripts/benchmarks/storage.py writes docs/benchmarks/storage.json and docs/benchmarks/storage.md, in about 15
minutes; it needs Linux. The current folder should lie on the disk in question, and nothing else should be running.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
from storage_report import report
from storage_writers import rates

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
PACKAGES = ("cosmoflow", "jax", "jaxlib", "numpy", "h5py", "emcee", "zarr", "netCDF4")
SECONDS = {"demo": 35, "field": 10, "field, every 10th": 15}
WATCHED_SECONDS = 12


def case(name: str, problem: str, *, quick: bool, **options: float) -> dict[str, Any]:
    """What storage_runs.py measures in a fresh process."""
    print(f"{name}: {problem}", file=sys.stderr, flush=True)
    command = [sys.executable, str(Path(__file__).with_name("storage_runs.py")), name, problem]
    command += [text for option, value in options.items() for text in (f"--{option}", str(value))]
    done = subprocess.run(command + ["--quick"] * quick, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def overhead(*, quick: bool) -> dict[str, Any]:
    """Runs with and without a store."""
    return {
        problem: case("overhead", problem, quick=quick, seconds=1 if quick else seconds, pairs=2 if quick else 3)
        for problem, seconds in SECONDS.items()
    }


def memory(*, quick: bool) -> list[dict[str, Any]]:
    """Peak memory with and without a store, each in a process of its own."""
    return [
        {kind: case(f"memory {kind}", "field", quick=quick, chunks=3 if quick else 5) for kind in ("without", "with")}
        for _ in range(1 if quick else 3)
    ]


def write_rates(*, quick: bool) -> dict[str, Any]:
    """Durable bytes per second of this package and of others."""
    print("rates", file=sys.stderr, flush=True)
    if quick:
        return rates(num_bytes=2**22, num_small=3, repeats=2, quick=True)
    return rates(num_bytes=2**29, num_small=100, repeats=3, quick=False)


def watched(*, quick: bool) -> dict[str, Any]:
    """Runs that two other processes look at."""
    return case("watched", "demo", quick=quick, seconds=8 if quick else WATCHED_SECONDS, pairs=1 if quick else 3)


PARTS: dict[str, Callable[..., Any]] = {
    "overhead": overhead,
    "memory": memory,
    "rates": write_rates,
    "watched": watched,
}


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works; writes no files")
    parser.add_argument("--only", choices=PARTS, help="measure one part again and keep the others")
    given = parser.parse_args()
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    circumstances = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {memory_bytes / 2**30:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in PACKAGES} | {"HDF5": h5py.version.hdf5_version},
    }
    parts = {}
    path = FOLDER / "storage.json"
    if given.only and not given.quick and path.exists():
        before = json.loads(path.read_text())
        if any(before[name] != value for name, value in circumstances.items()):
            parser.error(f"{path} was measured on another machine or with other versions; measure all parts again.")
        parts = before["parts"]
    for name in [given.only] if given.only else PARTS:
        parts[name] = PARTS[name](quick=given.quick)
    record = {"date": date.today().isoformat(), **circumstances, "parts": parts}
    text = report(record)
    print(text)
    if not given.quick:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n")
        path.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
