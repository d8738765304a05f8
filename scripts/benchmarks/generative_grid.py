"""The cells of the study of generative models: targets, methods, which cells are planned, and how long each takes."""

from typing import NamedTuple

from cells import ROOT

FOLDER = ROOT / "docs" / "benchmarks" / "generative"


class Effort(NamedTuple):
    """What is spent on a target.

    Attributes:
        steps: Of the optimiser.
        flow_steps: Of the optimiser of Hamiltonian flows, whose steps in the plane take up to thirty times as long.
        batch: Data in a step of either.
        draws: That distances are measured with.
        longest: Steps that a draw takes at most.
    """

    steps: int
    flow_steps: int
    batch: int = 256
    draws: int = 10_000
    longest: int = 100


FULL, SHORT = Effort(10_000, 2000), Effort(2000, 500, longest=20)
EFFORTS = {
    "nine_modes": FULL,
    "checkerboard": FULL,
    "olympic_rings": SHORT,
    "rose": SHORT,
    "fractal_tree": SHORT,
    "demo": SHORT,
    "supernovae": SHORT,
    "many_well": SHORT,
    "digits": SHORT,
    "phi4": Effort(1000, 1000, batch=32, draws=500, longest=20),
    "log_normal": Effort(600, 600, batch=16, draws=250, longest=20),
    "lagrangian": Effort(150, 150, batch=8, draws=60, longest=5),
}
TARGETS = tuple(EFFORTS)
FIELDS = ("phi4", "log_normal", "lagrangian")
CORE_TARGETS = ("nine_modes", "checkerboard")

DIFFUSIONS = ("ddpm", "diffusion", "critically_damped")
MATCHED = ("flow_matching", "oscillation")
VELOCITIES = ("bouncy_particle", "randomised_hamiltonian", "forward_event_chain")
PIECEWISE = ("zig_zag", *VELOCITIES)
FLOWS = ("hamiltonian_flow", "coupling_flow")
METHODS = (*DIFFUSIONS, *MATCHED, *PIECEWISE, *FLOWS)
DENSE = (*VELOCITIES, "coupling_flow")
"""Methods without a network of fields, which are not planned for the 4,096 cells of `lagrangian`."""

SEEDS = 5
REDUCED_METHODS = ("ddpm", "diffusion", "randomised_hamiltonian", "hamiltonian_flow")
TOO_LONG = ("lagrangian", "zig_zag")
"""Nine networks of 4,096 cells for a datum: in the full grid alone."""
BROAD_METHODS = ("diffusion", "flow_matching", "zig_zag", "randomised_hamiltonian", "hamiltonian_flow", "coupling_flow")


class Cell(NamedTuple):
    """One method on one target, trained once; Hamiltonian flows, once for each number of steps."""

    target: str
    method: str
    seed: int


_ALL = [
    Cell(target, method, seed)
    for target in TARGETS
    for method in METHODS
    for seed in range(SEEDS)
    if target != "lagrangian" or method not in DENSE
]
GRIDS = {
    "reduced": [Cell("nine_modes", method, seed) for method in REDUCED_METHODS for seed in range(2)],
    "core": [cell for cell in _ALL if cell.target in CORE_TARGETS],
    "broad": [c for c in _ALL if c.method in BROAD_METHODS and c.seed == 0 and c[:2] != TOO_LONG],
    "full": _ALL,
}
