"""Effective samples per gradient and per second, of our samplers and of those of other packages, on many targets.

python scripts/benchmarks/samplers.py --grid core takes up to an hour on two cores; --grid full takes what is left over.
Every cell (target, sampler, seed) is committed to docs/benchmarks/samplers/ as it ends and is not run again while its
file is there, so that an interrupted run goes on; docs/benchmarks/samplers.md is written at the end. Moments of targets
without exact ones come from samplers_reference.py.
"""

import argparse
import sys
from pathlib import Path

from cells import records_of, run
from samplers_grid import FOLDER, TARGETS, Cell, planned
from samplers_report import report


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
    failures = [] if given.report else run(Path(__file__).with_name("samplers_cell.py"), cells, FOLDER, jobs=given.jobs)
    records = {Cell(record["target"], record["sampler"], record["seed"]): record for record in records_of(FOLDER)}
    text = report(records, {grid: planned(grid) for grid in ("core", "full")})
    (FOLDER.with_suffix(".md")).write_text(text)
    print(text)
    if failures:
        print("Not run: " + "; ".join(failures), file=sys.stderr)


if __name__ == "__main__":
    main()
