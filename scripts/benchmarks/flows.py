"""Hamiltonian flows of fixed and of learned kinetic energy beside coupling flows, at equal numbers of parameters.

python scripts/benchmarks/flows.py --grid core takes up to an hour on two cores; --grid full takes what is left over.
Every cell (target, model, seed) is committed to docs/benchmarks/flows/ as it ends and is not run again while its file
is there, so that an interrupted run goes on; docs/benchmarks/flows.md is written at the end.
"""

from pathlib import Path

from cells import main
from flows_grid import FOLDER, planned
from flows_report import report

PLANS = {grid: planned(grid) for grid in ("core", "full")}

if __name__ == "__main__":
    main(__doc__, Path(__file__).with_name("flows_cell.py"), PLANS, FOLDER, lambda records: report(records, PLANS))
