"""The cells of the flow benchmark: which targets and models, and which cells are planned."""

from typing import NamedTuple

from cells import ROOT

FOLDER = ROOT / "docs" / "benchmarks" / "flows"

CORE_TARGETS = ("nine_modes", "moons", "demo", "many_well")
TARGETS = (*CORE_TARGETS, "rings", "checkerboard", "funnel", "digits", "tabular", "log_normal")

OURS = ("fixed_kinetic", "learned_kinetic")
CORE_RIVALS = ("spline_coupling", "real_nvp")
COMPOSED = ("spline_base", "affine_base")
"""Fixed-kinetic flows that start from a coupling flow, which stands alone among the rivals."""
MODELS = (*OURS, *CORE_RIVALS, "masked_autoregressive", *COMPOSED)

SEEDS = {"core": 3, "full": 5}


class Cell(NamedTuple):
    """One training of one model on one target."""

    target: str
    model: str
    seed: int


def planned(grid: str) -> list[Cell]:
    """All cells of a grid; the full grid holds what the core one does not."""
    core = [Cell(t, m, s) for t in CORE_TARGETS for m in (*OURS, *CORE_RIVALS) for s in range(SEEDS["core"])]
    if grid == "core":
        return core
    everything = [Cell(t, m, s) for t in TARGETS for m in MODELS for s in range(SEEDS["full"])]
    return [cell for cell in everything if cell not in set(core)]
