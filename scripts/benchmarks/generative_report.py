"""The page of the study of generative models: verdicts, then the numbers."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from cells import Record, circumstances_text, paragraphs, table
from generative_cell import BATCH, FEW_STEPS, NUM_STEPS
from generative_figure import label
from generative_grid import METHODS, PIECEWISE, SEEDS, TARGETS, Cell
from generative_metrics import NUM_DRAWS, NUM_OF_MMD, NUM_OF_W2
from generative_models import DEPTH, LENGTHS, STEPS, WIDTH
from generative_verdict import COSTS, advantage, curves, lead

Records = Mapping[Cell, Record]
MEASURES = {"sliced_wasserstein": "sliced Wasserstein", "mmd": "MMD", "wasserstein": "W2"}
PUBLISHED = ("nine_modes", "checkerboard")
FEW, MANY = (2, 5, 10), (50, 100)

HOW = "`python scripts/benchmarks/generative.py` runs what is missing of the core grid, `--grid full` all."
TEXT = (
    f"Every process has a perceptron of {DEPTH} layers of {WIDTH} neurons (Hamiltonian and coupling flows the "
    "architectures of the [comparison of flows](flows.md)), is trained on the same draws for "
    f"{NUM_STEPS:,} steps on batches of {BATCH}, in single precision on one core, and draws in {min(STEPS)} to "
    f"{max(STEPS)} steps; a Hamiltonian flow of L steps is a flow of its own, with a potential for each leapfrog step, "
    f"trained for {FEW_STEPS['hamiltonian_flow']:,} steps, which cost up to thirty times as much. "
    "Diffusions: DDPM (noise prediction, ancestral draws), v-prediction drawn from by DDIM, ancestral steps and the "
    "probability flow with Heun's method, critically damped Langevin diffusion. Piecewise deterministic models have "
    "T = 5 and refreshments at rate 1 as in arXiv:2407.19448, and mixtures of 16 normal laws for velocities in place "
    "of its spline flows.",
    f"Distances are between {NUM_DRAWS:,} draws and as many of the target: sliced 2-Wasserstein over 128 directions; "
    f"MMD (a mean of Gaussian kernels, root of the unbiased estimate) of {NUM_OF_MMD:,} points, exact 2-Wasserstein of "
    f"{NUM_OF_W2:,}. Floor: the same between two sets of draws of the target. Sampling: operations of a draw over "
    "those of one pass through the perceptron. Training: CPU seconds, compilation included. Medians over "
    f"{SEEDS} seeds; brackets are the range of seeds in tables of distances, 95 per cent intervals from resampled "
    "seeds in tables of ratios.",
)
CLAIM = (
    "The claim: Hamiltonian flows need shorter integrations than diffusions. At the sliced Wasserstein distance that a "
    "Hamiltonian flow of L steps reaches, the least cost of any of the diffusions over the flow's own (of a draw, "
    "evaluations of the network or of the gradient of a potential): above one the claim holds, `never` where no "
    "diffusion gets there in 100 steps.",
)
ORDER = (
    "The published ordering: randomised Hamiltonian and bouncy particle models ahead of a diffusion (here DDPM) at few "
    "steps, zig-zag best at many. The distance of the rival over that of the model, at as many steps: above one the "
    "model is ahead. The zig-zag model stands against the best of the other three processes and of DDPM.",
)


def report(records: Records, plans: Mapping[str, Sequence[Cell]]) -> str:
    """The whole page."""
    lines = ["# Generative models: Hamiltonian flows, diffusions, piecewise deterministic processes", ""]
    lines += [*circumstances_text(records, plans, HOW), "", *paragraphs(TEXT)]
    lines += ["", "![Distance against steps and costs](../images/generative.png)"]
    lines += ["", "## Shorter integrations?", "", *paragraphs(CLAIM), ""]
    head = ["target", "L", *(f"{cost}{of}" for cost in COSTS for of in ("", ": verdict"))]
    lines += table(head, _claims(records))
    lines += ["", "## The published ordering", "", *paragraphs(ORDER), ""]
    lines += table(["target", "measure", "claim", *(f"{n} steps" for n in (*FEW, *MANY))], _orderings(records))
    for target in TARGETS:
        if any(cell.target == target for cell in records):
            lines += ["", f"## {target.replace('_', ' ')}"]
            for measure, name in MEASURES.items():
                floor = median(record["floor"][measure] for cell, record in records.items() if cell.target == target)
                lines += ["", f"{name}, floor {floor:.2g}:", ""]
                lines += table(["method", *map(str, STEPS)], _distances(records, target, measure))
            lines += ["", "Costs, at the longest sampling:", ""]
            head = ["method", "numbers", "evaluations", "sampling", "CPU s of 10,000 draws", "training [CPU s]", "NLL"]
            lines += table([*head, "modes"], _costs(records, target))
    return "\n".join(lines) + "\n"


def _claims(records: Records) -> Iterator[list[str]]:
    for target in TARGETS:
        for length in LENGTHS:
            ratios = [advantage(records, target, length, cost, "sliced_wasserstein") for cost in COSTS]
            if all(ratio is not None for ratio in ratios):
                cells = [text for ratio in ratios if ratio for text in (str(ratio), ratio.verdict)]
                yield [target.replace("_", " "), str(length), *cells]


def _orderings(records: Records) -> Iterator[list[str]]:
    claims = [
        (f"{label(method)} ahead of DDPM", method, ("ddpm",), FEW)
        for method in ("randomised_hamiltonian", "bouncy_particle")
    ]
    claims.append(("zig-zag best", "zig_zag", ("ddpm", *(m for m in PIECEWISE if m != "zig_zag")), MANY))
    for target in PUBLISHED:
        for measure, name in MEASURES.items():
            for text, method, rivals, _ in claims:
                ratios = [lead(records, target, method, rivals, steps, measure) for steps in (*FEW, *MANY)]
                if all(ratio is not None for ratio in ratios):
                    yield [target.replace("_", " "), name, text, *map(str, ratios)]


def _distances(records: Records, target: str, measure: str) -> Iterator[list[str]]:
    for method in METHODS:
        for way, curve in curves(records, target, method, measure).items():
            found = dict(zip(curve.steps.tolist(), curve.distance.T, strict=True))
            yield [label(method, way), *(_ranged(found.get(steps)) for steps in STEPS)]


def _ranged(values: np.ndarray | None) -> str:
    if values is None:
        return ""
    return f"{np.median(values):.2g} ({values.min():.2g}-{values.max():.2g})"


def _costs(records: Records, target: str) -> Iterator[list[str]]:
    for method in METHODS:
        runs = [record["points"] for cell, record in records.items() if cell[:2] == (target, method)]
        for way in dict.fromkeys(point["way"] for points in runs for point in points):
            last = [[point for point in points if point["way"] == way][-1] for points in runs]
            yield [label(method, way), *(_median(last, name) for name in COLUMNS)]


COLUMNS = (
    "parameters",
    "evaluations",
    "forward_equivalents",
    "seconds_of_draws",
    "seconds_of_training",
    "nll",
    "mode_distance",
)


def _median(points: list[dict[str, Any]], name: str) -> str:
    return f"{median(point[name] for point in points):.4g}" if all(name in point for point in points) else ""
