"""The cells of the study of generative models: which targets and methods, and which cells are planned."""

from typing import NamedTuple

from cells import ROOT

FOLDER = ROOT / "docs" / "benchmarks" / "generative"

CORE_TARGETS = ("nine_modes", "checkerboard")
TARGETS = (
    *CORE_TARGETS,
    "many_well",
    "olympic_rings",
    "rose",
    "fractal_tree",
    "demo",
    "supernovae",
    "phi4",
    "digits",
    "log_normal",
)

DIFFUSIONS = ("ddpm", "diffusion", "critically_damped")
MATCHED = ("flow_matching", "oscillation")
PIECEWISE = ("zig_zag", "bouncy_particle", "randomised_hamiltonian", "forward_event_chain")
FLOWS = ("hamiltonian_flow", "coupling_flow")
METHODS = (*DIFFUSIONS, *MATCHED, *PIECEWISE, *FLOWS)

SEEDS = 5
REDUCED_METHODS = ("ddpm", "diffusion", "randomised_hamiltonian", "hamiltonian_flow")


class Cell(NamedTuple):
    """One method on one target, trained once; Hamiltonian flows, once for each number of steps."""

    target: str
    method: str
    seed: int


CORE = [Cell(target, method, seed) for target in CORE_TARGETS for method in METHODS for seed in range(SEEDS)]
GRIDS = {
    "reduced": [Cell("nine_modes", method, seed) for method in REDUCED_METHODS for seed in range(2)],
    "core": CORE,
    "full": [Cell(target, method, seed) for target in TARGETS for method in METHODS for seed in range(SEEDS)],
}
