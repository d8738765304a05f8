"""Generative models at matched networks: Hamiltonian flows, diffusions, piecewise deterministic processes, flows.

python scripts/benchmarks/generative.py runs what is missing of the core grid, within an hour on two cores; --grid
reduced takes a few minutes, --grid full all. Every cell (target, method, seed) is committed to
docs/benchmarks/generative/ as it ends and is not run again while its file is there; docs/benchmarks/generative.md and
docs/images/generative.png are written at the end.
"""

import argparse
import sys
from pathlib import Path

from cells import ROOT, records_of, run
from generative_figure import figure
from generative_grid import FOLDER, GRIDS, TARGETS, Cell
from generative_report import report


def main() -> None:
    """Run what is missing, and write page and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=GRIDS, default="core")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time, each on a core of its own")
    parser.add_argument("--report", action="store_true", help="run nothing, write the page")
    given = parser.parse_args()
    script = Path(__file__).with_name("generative_cell.py")
    failures = [] if given.report else run(script, GRIDS[given.grid], FOLDER, jobs=given.jobs)
    records = {Cell(record["target"], record["method"], record["seed"]): record for record in records_of(FOLDER)}
    text = report(records, GRIDS)
    FOLDER.with_suffix(".md").write_text(text)
    figure(
        records, [t for t in TARGETS if any(cell.target == t for cell in records)], ROOT / "docs/images/generative.png"
    )
    print(text)
    if failures:
        print("Not run: " + "; ".join(failures), file=sys.stderr)


if __name__ == "__main__":
    main()
