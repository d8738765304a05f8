"""Hamiltonian flows of fixed and of learned kinetic energy beside coupling flows, at equal numbers of parameters.

python scripts/benchmarks/flows.py --grid core takes up to an hour on two cores; --grid full takes what is left over.
Every cell (target, model, seed) is committed to docs/benchmarks/flows/ as it ends and is not run again while its file
is there, so that an interrupted run goes on; docs/benchmarks/flows.md is written at the end.
"""

import argparse
import sys
from pathlib import Path

from cells import records_of, run
from flows_grid import FOLDER, Cell, planned
from flows_report import report


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=["core", "full"], default="core")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time, each on a core of its own")
    parser.add_argument("--report", action="store_true", help="run nothing, write the tables")
    given = parser.parse_args()
    script = Path(__file__).with_name("flows_cell.py")
    failures = [] if given.report else run(script, planned(given.grid), FOLDER, jobs=given.jobs)
    records = {Cell(record["target"], record["model"], record["seed"]): record for record in records_of(FOLDER)}
    text = report(records, {grid: planned(grid) for grid in ("core", "full")})
    FOLDER.with_suffix(".md").write_text(text)
    print(text)
    if failures:
        print("Not run: " + "; ".join(failures), file=sys.stderr)


if __name__ == "__main__":
    main()
