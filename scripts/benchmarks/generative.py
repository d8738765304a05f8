"""Generative models at matched networks: Hamiltonian flows, diffusions, piecewise deterministic processes, flows.

python scripts/benchmarks/generative.py runs what is missing of the core grid, within an hour on two cores; --grid
reduced takes less than ten minutes, --grid broad adds one seed on every other target, --grid full all. Every cell
(target, method, seed) is committed to docs/benchmarks/generative/ as it ends and is not run again while its file is
there; docs/benchmarks/generative.md and its figures are written at the end.
"""

from collections.abc import Mapping
from pathlib import Path

from cells import ROOT, Record, main
from generative_figure import AXES, compared_beyond, figure
from generative_grid import CORE_TARGETS, FOLDER, GRIDS, TARGETS, Cell
from generative_report import report

IMAGES = ROOT / "docs" / "images"


def page(records: Mapping[Cell, Record]) -> str:
    """The page, after its figures."""
    run = [target for target in TARGETS if any(cell.target == target for cell in records)]
    core = [(target, cost) for cost in AXES for target in run if target in CORE_TARGETS]
    others = [(target, "evaluations") for target in compared_beyond(records)]
    figure(records, core, len(CORE_TARGETS), IMAGES / "generative.png")
    figure(records, others, min(4, len(others)), IMAGES / "generative_broad.png")
    return report(records, GRIDS)


if __name__ == "__main__":
    main(__doc__, Path(__file__).with_name("generative_cell.py"), GRIDS, FOLDER, page)
