"""Simulation-based calibration of unadjusted microcanonical Langevin on log-normal maps of convergence.

python scripts/benchmarks/field_calibration.py runs the cells that are missing in docs/benchmarks/field_calibration/, 50
skies each, or those whose numbers are given; then it writes docs/benchmarks/field_calibration.md and its figure.
"""

import time
from typing import Any, NamedTuple

import jax.random as jr
import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from cells import ROOT, circumstances_text, paragraphs, records_by, run_here, table
from field_skies import Plan, coordinates, correlation_time, draw_skies, names, ranks, survey, uniformity

from cosmoflow.samplers import MCLMC

FOLDER = ROOT / "docs" / "benchmarks" / "field_calibration"
FIGURE = ROOT / "docs" / "images" / "field_calibration.png"
PACKAGES = ("cosmoflow", "jax", "equinox", "numpy")
CELLS_PER_SIDE, DEGREES = 128, 10.0
SKIES, TOGETHER = 50, 10
STEP, DECOHERENCE = 0.65, 1.0
"""The step is that at which the worst of ten skies of a pilot has an energy variance of 5e-4 per dimension."""

FACTORS = {"tuned step": 1.0, "step x 0.5": 0.5, "step x 5": 5.0}
PLAN = Plan(thinning=4, num_draws=39, num_settling=10)
SIGNIFICANCE = 0.01


class Cell(NamedTuple):
    """Some skies, sampled with a step."""

    step: str
    cells: int
    number: int


CELLS = [
    Cell("tuned step", CELLS_PER_SIDE, 0),
    Cell("step x 5", CELLS_PER_SIDE, 0),
    *(Cell("tuned step", CELLS_PER_SIDE, number) for number in range(1, 4)),
    *(Cell("step x 0.5", CELLS_PER_SIDE, number) for number in range(4)),
]


def outcome(cell: Cell) -> dict[str, Any]:
    """Ranks and correlation times of one cell; the skies of a number are the same with all steps."""
    posterior = survey(cell.cells, DEGREES)
    bijection = coordinates(posterior)
    sampler = MCLMC(step_size=FACTORS[cell.step] * STEP, decoherence=DECOHERENCE)
    plan = PLAN._replace(thinning=round(PLAN.thinning / min(FACTORS[cell.step], 1)))
    keys = jr.split(jr.fold_in(jr.key(7), cell.number), SKIES).reshape(-1, TOGETHER)
    clock, parts = time.process_time(), []
    for some in keys:
        parts.append([np.asarray(part, float) for part in draw_skies(posterior, bijection, sampler, plan, some)])
    truth, draws, errors = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {
        "cpu_seconds": time.process_time() - clock,
        "gradients_per_sky": 2 * plan.thinning * (PLAN.num_draws + PLAN.num_settling),
        "names": names(posterior),
        "ranks": ranks(truth, draws).tolist(),
        "correlation_time": correlation_time(draws).tolist(),
        "sd": draws.std(axis=1).mean(axis=0).tolist(),
        "energy_variance": float(errors[:, PLAN.num_settling :].mean()),
        "energy_variance_median": float(np.median(errors[:, PLAN.num_settling :].mean(axis=1))),
    }


TEXT = (
    f"Skies of {DEGREES:g} x {DEGREES:g} degrees in {CELLS_PER_SIDE}^2 cells: a log-normal convergence of sources at z "
    "of about one, shift 0.03, with the power of `ConvergencePower` by halofit, tabulated in both parameters, and "
    "shape noise of sigma_e = 0.26 and 20 galaxies per square arcminute. Omega_m ~ N(0.3, 0.03), sigma8 ~ N(0.8, 0.06) "
    "and the field are drawn from their prior, a map is simulated, and its posterior is sampled by MCLMC without a "
    "Metropolis test, in Wiener coordinates of the cosmology at each point, from a start that is drawn from N(0, I). "
    "Step and decoherence are the same for all skies, and the step is that at which the energy variance of the worst "
    "of ten pilot skies is 5e-4 per dimension; the two parameters are whitened by the Fisher information of the power "
    "spectrum at the mean of the prior.",
    f"The rank of the truth among {PLAN.num_draws} draws, {PLAN.thinning} steps apart after {PLAN.num_settling} that "
    "are left out, is uniform where the draws are of the posterior. Modes are latents of the prior at wave vectors in "
    "units of the fundamental; the log density is that of the posterior in the coordinates of the sampler. p: of "
    "Pearson's chi^2 of ten bins; of all parameters and modes it has to be above 0.01 divided by their number. "
    "Correlation time: integrated, in draws, from all skies together, one where draws are independent.",
    "With five times the step the same skies have to fail: every step diverges and is undone, so chains stay where "
    "they started. The log density is in no verdict: it adds up the small biases of the variances of all modes, "
    "which go with the square of the step, and shows them where no mode does.",
)


def main() -> None:
    """Run what is missing, and write table and figure."""
    run_here(CELLS, outcome, PACKAGES, FOLDER)
    records = records_by(Cell, FOLDER)
    lines = ["# Calibration of field-level inference on convergence maps", ""]
    how = "`python scripts/benchmarks/field_calibration.py` runs what is missing."
    lines += [*circumstances_text(records, {"only": CELLS}, how), "", *paragraphs(TEXT)]
    found = {}
    for step in FACTORS:
        those = [record for cell, record in records.items() if cell.step == step]
        if not those:
            continue
        labels, together = those[0]["names"], np.concatenate([record["ranks"] for record in those])
        found[step] = (labels, together)
        p = uniformity(together, PLAN.num_draws)
        threshold = SIGNIFICANCE / (len(labels) - 1)
        least = np.min(p[:-1])
        verdict = "passes" if least > threshold else "**fails**"
        times = np.mean([record["correlation_time"] for record in those], axis=0)
        sd = np.mean([record["sd"] for record in those], axis=0)
        error = np.mean([record["energy_variance"] for record in those])
        cost = sum(record["cpu_seconds"] for record in those)
        lines += ["", f"## {step.capitalize()}: {verdict}", ""]
        lines += [
            *paragraphs(
                [
                    f"{len(together)} skies, {those[0]['gradients_per_sky']} gradients each, {cost:.0f} CPU s in all; "
                    f"step {STEP * FACTORS[step]:g}, energy variance {error:.2g} per dimension; least p "
                    f"of parameters and modes {least:.2g}, threshold {threshold:.2g}."
                ]
            ),
            "",
        ]
        rows = zip(labels, p, together.mean(axis=0) / PLAN.num_draws, times, sd, strict=True)
        head = ["quantity", "p", "mean rank", "correlation time", "posterior sd"]
        lines += table(head, ([name, *(f"{value:.3g}" for value in row)] for name, *row in rows))
    (FOLDER.parent / "field_calibration.md").write_text("\n".join(lines) + "\n\n![](../images/field_calibration.png)\n")
    figure(found)


def figure(found: dict[str, tuple[list[str], np.ndarray]]) -> None:
    """Histograms of ranks, a row for each quantity of some."""
    labels, _ = next(iter(found.values()))
    some = [i for i, name in enumerate(labels) if not name.startswith("mode") or i % 2 == 0]
    fig, axes = plt.subplots(len(found), len(some), figsize=(1.7 * len(some), 1.9 * len(found)), squeeze=False)
    for row, (step, (_, those)) in zip(axes, found.items(), strict=True):
        for axis, i in zip(row, some, strict=True):
            expected = len(those) / 10
            axis.axhspan(expected - 2 * expected**0.5, expected + 2 * expected**0.5, color="0.9")
            axis.hist(those[:, i], np.linspace(-0.5, PLAN.num_draws + 0.5, 11), color="C0", histtype="stepfilled")
            axis.set_xticks([])
            axis.set_title(labels[i], fontsize=8)
            axis.tick_params(labelsize=7)
        row[0].set_ylabel(step, fontsize=8)
    fig.tight_layout()
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(FIGURE, dpi=150)
    plt.close(fig)


if __name__ == "__main__":
    main()
