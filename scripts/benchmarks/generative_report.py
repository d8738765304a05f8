"""The page of the study of generative models: verdicts, then the numbers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from cells import Record, circumstances_text, paragraphs, table
from generative_figure import NAMES, compared_beyond, label
from generative_grid import CORE_TARGETS, FIELDS, FOLDER, FULL, METHODS, PIECEWISE, SEEDS, TARGETS, Cell
from generative_metrics import NUM_OF_MMD, NUM_OF_W2
from generative_models import CHANNELS, DEPTH, LENGTHS, STEPS, WIDTH
from generative_verdict import COSTS, advantage, curves, lead

Records = Mapping[Cell, Record]
MEASURES = {"sliced_wasserstein": "sliced Wasserstein", "mmd": "MMD", "wasserstein": "W2"}
FIELD_MEASURES = {"power": "P(k)", "one_point": "values of cells", "peaks": "peaks"}
FEW, MANY = (2, 5, 10), (50, 100)

HOW = (
    "`make bench` runs what is missing of the reduced grid, `python scripts/benchmarks/generative.py` of the core "
    "grid, `--grid broad` of one seed of six methods on every target, `--grid full` all."
)
TEXT = (
    f"Every process has a perceptron of {DEPTH} layers of {WIDTH} neurons (Hamiltonian and coupling flows the "
    "architectures of the [comparison of flows](flows.md)), is trained on the same draws, on the core targets for "
    f"{FULL.steps:,} steps on batches of {FULL.batch}, in single precision on one core, and draws in {min(STEPS)} to "
    f"{max(STEPS)} steps; a Hamiltonian flow of L steps is a flow of its own, with a potential for each leapfrog step, "
    f"trained for {FULL.flow_steps:,} steps, which cost up to thirty times as much. Other targets have fewer steps "
    "and, where they say so, one seed. "
    "Diffusions: DDPM (noise prediction, ancestral draws), v-prediction drawn from by DDIM, ancestral steps and the "
    "probability flow with Heun's method, critically damped Langevin diffusion. Piecewise deterministic models have "
    "T = 5 and refreshments at rate 1 as in arXiv:2407.19448, and mixtures of 16 normal laws for velocities in place "
    "of its spline flows.",
    "Of periodic fields (phi^4, log-normal, 2LPT) the network of diffusions, flow matching, oscillation and zig-zag is "
    f"`FieldUNet` with {CHANNELS} channels, and the Hamiltonian flow is `field_flow`; laws of velocities and coupling "
    "flows have no network of fields and stay perceptrons. The posteriors (demo; supernovae, with BAO and the "
    "compressed CMB) and the lattice are draws of NUTS, half of whose chains are held out; digits are scikit-learn's, "
    "smeared by a tenth of a standard deviation.",
    "Distances are between draws, 10,000 unless a target says otherwise, and as many of the target: sliced "
    f"2-Wasserstein over 128 directions; MMD (a mean of Gaussian kernels, root of the unbiased estimate) of "
    f"{NUM_OF_MMD:,} points, exact 2-Wasserstein of {NUM_OF_W2:,}. Of fields: P(k), root mean square over bins of "
    "P / P_true - 1; the Wasserstein-1 distance of the values of cells in standard deviations; the difference of the "
    "numbers of peaks, summed over bins of their height, over the number of all. Coverage: the share of held-out "
    f"draws, of {NUM_OF_MMD:,}, that have a generated one nearer than their fifth neighbour (Naeem et al. 2020, "
    "arXiv:2002.09797); 0.969 for draws of the target. Floor: the same between two sets of draws of the target; of "
    "training data: between draws that were trained on and held-out ones, where these differ. Sampling: operations of "
    "a draw over those of one pass through the network. Training: CPU seconds, compilation included. Medians over "
    "seeds; brackets are the range of seeds in tables of distances, 95 per cent intervals from resampled seeds in "
    "tables of ratios, none with one seed.",
)
ZIG_ZAG = FOLDER.with_name("generative_zig_zag.json")
WHY_ZIG_ZAG = (
    "`python scripts/benchmarks/generative_zig_zag.py`, one seed on the nine modes. Coordinates of the zig-zag process "
    "are independent given the start, so that its exact ratios follow from Kolmogorov's equation in one dimension; the "
    "same sampler draws with them, and with learned ratios.",
    "With exact ratios 50 steps reach the floor at T = 5: neither the splitting nor the horizon is the limit, the "
    "learned ratio is, and it is at late times, above t = 0.8, where the branches of all modes cross; exact ratios "
    "there suffice, exact ones before do not help. Its training has not converged: a quarter of the steps leaves "
    "several times the excess of the loss, and half as much distance again. The ordering of the study is therefore one "
    "at equal training, not one of the processes.",
)
CLAIM = (
    "The claim: Hamiltonian flows need shorter integrations than diffusions. At the sliced Wasserstein distance that a "
    "Hamiltonian flow of L steps reaches, the least cost of any of the diffusions over the flow's own (of a draw, "
    "evaluations of the network or of the gradient of a potential): above one the claim holds, `never` where no "
    "diffusion gets there in its longest sampling. Of fields the measure is that of peaks, for a few hundred are too "
    "few to tell their laws apart by distances of whole fields.",
)
ORDER = (
    "The published ordering: randomised Hamiltonian and bouncy particle models ahead of a diffusion (here DDPM) at few "
    "steps, zig-zag best at many. The distance of the rival over that of the model, at as many steps: above one the "
    "model is ahead. The zig-zag model stands against the best of the other three processes and of DDPM.",
)


def report(records: Records, plans: Mapping[str, Sequence[Cell]]) -> str:
    """The whole page."""
    run = [target for target in TARGETS if any(cell.target == target for cell in records)]
    lines = ["# Generative models: Hamiltonian flows, diffusions, piecewise deterministic processes", ""]
    lines += [*circumstances_text(records, plans, HOW), "", *paragraphs([measured_time(records, plans), *TEXT])]
    lines += ["", "![Distance against steps and costs](../images/generative.png)"]
    lines += ["", "## Shorter integrations?", "", *paragraphs(CLAIM), ""]
    head = ["target", "L", *(f"{cost}{of}" for cost in COSTS for of in ("", ": verdict"))]
    lines += table(head, _claims(records))
    lines += ["", "## The published ordering", "", *paragraphs(ORDER), ""]
    lines += table(["target", "measure", "claim", *(f"{n} steps" for n in (*FEW, *MANY))], _orderings(records))
    if ZIG_ZAG.exists():
        lines += ["", "## What keeps zig-zag from being best", "", *_zig_zag(json.loads(ZIG_ZAG.read_text()))]
    if compared_beyond(records):
        lines += ["", "![Distance against evaluations, other targets](../images/generative_broad.png)"]
    for target in run:
        lines += ["", f"## {NAMES[target]}", "", *_of_target(records, target)]
    return "\n".join(lines) + "\n"


def measured_time(records: Records, plans: Mapping[str, Sequence[Cell]]) -> str:
    """What the cells of each grid took, as they measured it."""
    parts = []
    for grid, cells in plans.items():
        clocked = [records[cell]["seconds"] for cell in cells if "seconds" in records.get(cell, {})]
        unclocked = sum(cell in records for cell in cells) - len(clocked)
        if clocked:
            missing = f", {unclocked} more without a clock" if unclocked else ""
            parts.append(f"{grid} {sum(clocked) / 60:.1f} ({len(clocked)} of {len(cells)} cells{missing})")
    return f"Minutes that cells took, summed, of which two run side by side: {'; '.join(parts) or 'not known'}."


def _zig_zag(found: Record) -> Iterator[str]:
    """The experiment of generative_zig_zag.py."""
    yield from paragraphs(WHY_ZIG_ZAG)
    rows = found["rows"]
    steps = list(next(iter(rows.values()))["distances"])
    bins = max(len(row.get("regret", ())) for row in rows.values())
    times = [f"loss, sqrt(t / T) {n / bins:.1f}-{(n + 1) / bins:.1f}" for n in range(bins)]
    yield from ["", f"Sliced Wasserstein, floor {found['floor']:.2g}, and loss above that of the exact ratios:", ""]
    yield from table(
        ["ratios", *steps, *times, "training [CPU s]"],
        (
            [
                name,
                *(f"{distance:.2g}" for distance in row["distances"].values()),
                *(f"{value:.2g}" for value in row.get("regret", [])),
                *[""] * (bins - len(row.get("regret", []))),
                f"{row['training']:.0f}" if "training" in row else "",
            ]
            for name, row in rows.items()
        ),
    )


def _of_target(records: Records, target: str) -> Iterator[str]:
    own = {cell: record for cell, record in records.items() if cell.target == target}
    yield from paragraphs([_effort(own)])
    floors = [record["floor"] for record in own.values()]
    for measure, name in (MEASURES | FIELD_MEASURES).items():
        if all(measure in floor for floor in floors):
            known = f"{name}, floor {median(floor[measure] for floor in floors):.2g}"
            of_data = [r["of_training_data"][measure] for r in own.values() if "of_training_data" in r]
            known += f", of training data {median(of_data):.2g}" if of_data else ""
            longest = max(point["steps"] for record in own.values() for point in record["points"])
            steps = [str(n) for n in STEPS if n <= longest]
            yield from ["", f"{known}:", "", *table(["method", *steps], _distances(own, target, measure, longest))]
    yield from ["", "Costs and coverage, at the longest sampling:", ""]
    head = ["method", "numbers", "evaluations", "sampling", "CPU s of all draws", "training [CPU s]", "NLL", "modes"]
    yield from table([*head, "coverage"], _costs(own, target))


def _effort(own: Records) -> str:
    """How long models of a target were trained."""
    steps = {cell.method: record["training_steps"] for cell, record in own.items()}
    batch, draws = (
        max(record.get(name, usual) for record in own.values()) for name, usual in (("batch", 256), ("draws", 10_000))
    )
    seeds = [sum(cell.method == method for cell in own) for method in steps]
    of_flows = f"; Hamiltonian flows {steps['hamiltonian_flow']:,}" if "hamiltonian_flow" in steps else ""
    usual = max(steps.values())
    number = str(min(seeds)) if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
    return (
        f"{usual:,} steps of training on batches of {batch}{of_flows}; {draws:,} draws; {number} of {SEEDS} seeds; "
        f"{len(steps)} of {len(METHODS)} methods."
    )


def _claims(records: Records) -> Iterator[list[str]]:
    for target in TARGETS:
        for length in LENGTHS:
            measure = "peaks" if target in FIELDS else "sliced_wasserstein"
            ratios = [advantage(records, target, length, cost, measure) for cost in COSTS]
            if all(ratio is not None for ratio in ratios):
                cells = [text for ratio in ratios if ratio for text in (str(ratio), ratio.verdict)]
                yield [NAMES[target], str(length), *cells]


def _orderings(records: Records) -> Iterator[list[str]]:
    claims = [
        (f"{label(method)} ahead of DDPM", method, ("ddpm",), FEW)
        for method in ("randomised_hamiltonian", "bouncy_particle")
    ]
    claims.append(("zig-zag best", "zig_zag", ("ddpm", *(m for m in PIECEWISE if m != "zig_zag")), MANY))
    for target in CORE_TARGETS:
        for measure, name in MEASURES.items():
            for text, method, rivals, _ in claims:
                ratios = [lead(records, target, method, rivals, steps, measure) for steps in (*FEW, *MANY)]
                if all(ratio is not None for ratio in ratios):
                    yield [NAMES[target], name, text, *map(str, ratios)]


def _distances(records: Records, target: str, measure: str, longest: int) -> Iterator[list[str]]:
    for method in METHODS:
        for way, curve in curves(records, target, method, measure).items():
            found = dict(zip(curve.steps.tolist(), curve.distance.T, strict=True))
            yield [label(method, way), *(_ranged(found.get(steps)) for steps in STEPS if steps <= longest)]


def _ranged(values: np.ndarray | None) -> str:
    if values is None:
        return ""
    spread = f" ({values.min():.2g}-{values.max():.2g})" if len(values) > 1 else ""
    return f"{np.median(values):.2g}{spread}"


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
    "coverage",
)


def _median(points: list[dict[str, Any]], name: str) -> str:
    return f"{median(point[name] for point in points):.4g}" if all(name in point for point in points) else ""
