"""Amortised posteriors of two parameters given summaries of maps, beside the posteriors of the whole maps by a sampler.

python scripts/benchmarks/amortised.py runs the cells that are missing in docs/benchmarks/amortised/, a quarter of an
hour on one core, or those whose numbers are given; then it writes docs/benchmarks/amortised.md and its figure.
"""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from amortised_cell import (
    CELLS,
    CELLS_PER_SIDE,
    CONTROLS,
    DEGREES,
    MODELS,
    MOMENTA,
    NARROWED,
    NOISIER,
    NUM_PAIRS,
    NUM_RANKED,
    NUM_TESTS,
    OMEGA_M,
    PLAN,
    QUANTITIES,
    SAMPLER,
    SIGMA8,
    SKIES,
    SOLVER_STEPS,
    TESTS,
    TOGETHER,
    TRAINING_STEPS,
    Cell,
    outcome_of_model,
    outcome_of_sampler,
    quantities,
)
from amortised_skies import EDGES, SMOOTHING, THRESHOLDS
from cells import ROOT, WIDTH, Record, circumstances_text, paragraphs, records_by, run_here, table
from field_skies import uniformity

FOLDER = ROOT / "docs" / "benchmarks" / "amortised"
FIGURE = ROOT / "docs" / "images" / "amortised.png"
PACKAGES = ("cosmoflow", "jax", "equinox", "optax", "flowjax", "numpy")
SIGNIFICANCE = 0.01

NUMBERS = len(EDGES) - 1 + len(SMOOTHING) * len(THRESHOLDS)
TEXT = (
    f"The survey is that of [the calibration on maps](field_calibration.md): log-normal convergence on {DEGREES:g} x "
    f"{DEGREES:g} degrees in {CELLS_PER_SIDE}^2 cells with shape noise, Omega_m ~ N(0.3, 0.03), sigma8 ~ N(0.8, 0.06); "
    f"S8 = sigma8 (Omega_m / 0.3)^0.5. The summary of a noisy map has {NUMBERS} numbers, the logarithms of its power "
    f"in {len(EDGES) - 1} bands of |k|, and the distribution functions of {len(SMOOTHING)} smoothed versions of it at "
    f"{len(THRESHOLDS)} thresholds each. A perceptron trained on {NUM_PAIRS} simulated maps makes two numbers t of "
    "them, the means of both parameters given the summary (Jeffrey & Wandelt 2020, arXiv:2011.05991). Models of "
    f"p(Omega_m, sigma8 | t) are trained on as many other maps, each for {TRAINING_STEPS} steps of 256: `FlowMatching` "
    f"and `Diffusion` with a `TimeNetwork` of three layers of 32 neurons, drawn from by {SOLVER_STEPS} steps of Heun's "
    "method; flowjax's coupling flow of splines; and `fixed_kinetic_flow`.",
    f"Each is tested on {NUM_TESTS} fresh maps. p: of Pearson's chi^2 of ten bins that the rank of the truth among "
    f"{NUM_RANKED} draws is uniform: by Omega_m, by sigma8, by S8, by the density of the model (how many draws are "
    f"denser than the truth; of the Hamiltonian flow, by its bound of {MOMENTA} momenta), and by the distance from a "
    "point at random, drawn from the prior (Lemos et al. 2023, arXiv:2302.03026). A model passes where the least p is "
    f"above {SIGNIFICANCE} divided by their number. In 68%, in 95%: the expected coverage, how often the truth lies in "
    "the densest region of so many of the draws. Two controls have to fail: draws of flow matching narrowed to "
    f"{NARROWED:g} times their distance from their mean, and its draws as they are for maps with {NOISIER - 1:.0%} "
    "more noise than those of the training.",
    "The posterior given the whole map is that of MCLMC in Wiener coordinates with half of the step of the "
    f"calibration, {PLAN.num_draws} draws {PLAN.thinning} steps apart, for {SKIES} skies of the calibration. Width: "
    "standard deviation given t over that given the map, both root mean squares over the skies; area: the same of the "
    "root of the determinant of the covariance, a geometric mean. Shift: root mean square difference of the means, in "
    "units of the deviation given the map, with its statistical error. Where both posteriors are right the law of "
    "total variance says what it is: sqrt(width^2 - 1), to which the noise of the sampler's means is added in squares.",
)


def outcome(cell: Cell) -> dict[str, Any]:
    """Of one cell."""
    return outcome_of_sampler(cell.number) if cell.method == SAMPLER else outcome_of_model(cell.method)


def main() -> None:
    """Run what is missing, and write page and figure."""
    run_here(CELLS, outcome, PACKAGES, FOLDER)
    records = records_by(Cell, FOLDER)
    models = {cell.method: record for cell, record in records.items() if cell.method != SAMPLER}
    models = {name: models[name] for name in MODELS if name in models}
    skies = [record for cell, record in sorted(records.items()) if cell.method == SAMPLER]
    how = "`python scripts/benchmarks/amortised.py` runs what is missing."
    lines = ["# Amortised posteriors of convergence maps", ""]
    lines += [*circumstances_text(records, {"only": CELLS}, how), ""]
    if len(records) == len(CELLS):
        for verdict in verdicts(models, skies):
            lines += wrap(f"- {verdict}", WIDTH, subsequent_indent="  ")
        lines += [""]
    lines += [*paragraphs(TEXT), "", "## Expected coverage", "", *coverage_table(models, skies)]
    if skies:
        lines += ["", "## Beside the posterior given the whole map", "", *comparison_table(models, skies)]
        lines += ["", "## Cost", "", *cost_table(models, skies)]
    if len(records) == len(CELLS):
        figure(models, skies)
        lines += ["", "![](../images/amortised.png)"]
    (FOLDER.parent / "amortised.md").write_text("\n".join(lines) + "\n")


def p_values(counts: Sequence[Sequence[int]]) -> np.ndarray:
    """Of all tests of one model."""
    columns = [np.repeat(np.arange(NUM_RANKED + 1), column) for column in counts]
    return uniformity(np.column_stack(columns), NUM_RANKED)


def passes(p: np.ndarray) -> bool:
    return bool(np.min(p) > SIGNIFICANCE / len(p))


def coverage(counts: Sequence[Sequence[int]], credibility: float) -> float:
    """Share of truths in the densest region that holds such a share of the draws."""
    of_density = counts[TESTS.index("density")]
    return sum(of_density[: round(credibility * len(of_density))]) / sum(of_density)


def all_tests(models: Mapping[str, Record]) -> dict[str, Any]:
    """Counts of ranks of models and controls, controls last."""
    found = {name: counts for record in models.values() for name, counts in record["tests"].items()}
    return dict(sorted(found.items(), key=lambda item: item[0] in CONTROLS.values()))


def coverage_table(models: Mapping[str, Record], skies: Sequence[Record]) -> Iterator[str]:
    rows = []
    for name, counts in all_tests(models).items():
        p = p_values(counts)
        held = [f"{coverage(counts, c):.1%}" for c in (0.68, 0.95)]
        verdict = "passes" if passes(p) else "**fails**"
        rows.append([name, *(f"{value:.2g}" for value in p), *held, verdict])
    if skies:
        p = uniformity(np.concatenate([record["ranks"] for record in skies]), PLAN.num_draws)
        cells = [f"{value:.2g}" for value in p]
        cells.insert(TESTS.index("density"), "")
        rows.append(
            [f"{SAMPLER}, {TOGETHER * len(skies)} maps", *cells, "", "", "passes" if passes(p) else "**fails**"]
        )
    head = ["draws of", *(f"p: {test}" for test in TESTS), "in 68%", "in 95%", "verdict"]
    return table(head, rows)


class Comparison(NamedTuple):
    """Of a model with the sampler: widths of the quantities, shifts, shifts that the widths imply, and the area."""

    width: np.ndarray
    shift: np.ndarray
    implied: np.ndarray
    area: float


def comparison(record: Record, skies: Sequence[Record]) -> Comparison:
    mean, sd, truth = (np.concatenate([r[name] for r in skies]) for name in ("mean", "sd", "truth"))
    few = slice(0, len(truth))
    if not np.allclose(truth, record["truth"][few], atol=1e-3):
        raise RuntimeError("Model and sampler have not seen the same skies: delete the cells of one of them.")
    noise = np.mean([r["correlation_time"] for r in skies], axis=0) / PLAN.num_draws
    exact = np.mean(sd**2, axis=0) / (1 - noise)
    width = np.sqrt(np.mean(np.square(record["sd"][few]), axis=0) / exact)
    shift = np.sqrt(np.mean((np.array(record["mean"][few]) - mean) ** 2, axis=0) / exact)
    area = np.exp(np.mean(np.log(record["area"][few]) - np.log(np.concatenate([r["area"] for r in skies]))))
    return Comparison(width, shift, np.sqrt(np.maximum(width**2 - 1, 0) + noise), float(area))


def comparison_table(models: Mapping[str, Record], skies: Sequence[Record]) -> Iterator[str]:
    error = 1 / np.sqrt(2 * TOGETHER * len(skies))
    rows = []
    for name, record in models.items():
        found = comparison(record, skies)
        shifts = [f"{s:.2f} +- {s * error:.2f} ({i:.2f})" for s, i in zip(found.shift, found.implied, strict=True)]
        rows.append([name, *(f"{width:.3f}" for width in found.width), f"{found.area:.3f}", *shifts])
    head = [
        "given t by",
        *(f"width of {q}" for q in QUANTITIES),
        "area",
        *(f"shift of {q} (implied)" for q in QUANTITIES),
    ]
    return table(head, rows)


def once(record: Record) -> float:
    """CPU seconds before the first answer: simulations, statistic, training."""
    return record["simulation_cpu_seconds"] + record["compression_cpu_seconds"] + record["training_cpu_seconds"]


def cost_of_sampler(skies: Sequence[Record]) -> float:
    """CPU seconds per sky."""
    return float(np.mean([record["cpu_seconds_per_sky"] for record in skies]))


def break_even(record: Record, skies: Sequence[Record]) -> float:
    """How many maps a model answers for what it and the sampler cost the same."""
    return float(np.ceil(once(record) / (cost_of_sampler(skies) - record["cpu_seconds_per_sky"])))


def cost_table(models: Mapping[str, Record], skies: Sequence[Record]) -> Iterator[str]:
    rows = []
    for name, record in models.items():
        parts = (record[f"{part}_cpu_seconds"] for part in ("simulation", "compression", "training"))
        per_sky = f"{1000 * record['cpu_seconds_per_sky']:.3g}"
        rows.append([name, *(f"{part:.0f}" for part in parts), per_sky, f"{break_even(record, skies):.0f} maps on"])
    sampled = f"{1000 * cost_of_sampler(skies):,.0f}"
    rows.append([f"{SAMPLER}, {skies[0]['gradients_per_sky']} gradients", "", "", "", sampled, ""])
    head = [
        "",
        "simulations [CPU s]",
        "statistic [CPU s]",
        "training [CPU s]",
        f"{PLAN.num_draws} draws for a map [CPU ms]",
        "cheaper than the sampler from",
    ]
    return table(head, rows)


def verdicts(models: Mapping[str, Record], skies: Sequence[Record]) -> list[str]:
    """What the numbers say."""
    tests = {name: passes(p_values(counts)) for name, counts in all_tests(models).items()}
    calibrated = [name for name in models if tests[name]]
    others = [name for name in models if not tests[name]]
    failing = [name for name in CONTROLS.values() if not tests[name]]
    compared = [comparison(models[name], skies) for name in calibrated]
    found = [
        f"Calibrated on {NUM_TESTS} fresh maps: {', '.join(calibrated) or 'none'}."
        + (f" Not calibrated: {', '.join(others)}." if others else ""),
        f"Of the {len(CONTROLS)} controls that have to fail, {len(failing)} do.",
    ]
    if compared:
        width, area = (np.mean([getattr(c, name) for c in compared], axis=0) for name in ("width", "area"))
        shift, implied = (np.mean([getattr(c, name)[-1] for c in compared]) for name in ("shift", "implied"))
        error = shift / np.sqrt(2 * TOGETHER * len(skies))
        agree = "as" if abs(shift - implied) < 3 * error else "**not** as"
        found += [
            f"What the statistic loses of the map: the posterior of S8 is {width[-1] - 1:.0%} wider than that given "
            f"the whole map, the area of both parameters {area - 1:.0%} larger.",
            f"Its mean of S8 is {shift:.2f} standard deviations from that of the whole map (root mean square), {agree} "
            f"the loss of information implies, {implied:.2f}: a calibrated posterior, and still another one.",
        ]
        cheapest = min((models[name] for name in calibrated), key=once)
        found.append(
            f"An answer costs {1000 * cheapest['cpu_seconds_per_sky']:.2g} CPU ms in place of "
            f"{1000 * cost_of_sampler(skies):,.0f}, after {once(cheapest):.0f} CPU s that are spent once: cheaper from "
            f"{break_even(cheapest, skies):.0f} maps on."
        )
    return found


def figure(models: Mapping[str, Record], skies: Sequence[Record]) -> None:
    """Coverage, one posterior, and means and widths of S8."""
    fig, (curves, one, means) = plt.subplots(1, 3, figsize=(12, 3.9))
    share = np.arange(1, NUM_RANKED + 2) / (NUM_RANKED + 1)
    band = 2 * np.sqrt(share * (1 - share) / NUM_TESTS)
    curves.fill_between(share, -band, band, color="0.9")
    for number, (name, counts) in enumerate(all_tests(models).items()):
        covered = np.cumsum(counts[TESTS.index("density")]) / NUM_TESTS
        curves.plot(share, covered - share, ":" if name in CONTROLS.values() else "-", color=f"C{number}", label=name)
    curves.set(xlabel="credibility", ylabel="expected coverage - credibility")
    curves.legend(fontsize=7, frameon=False)
    draws, truth = np.array(skies[0]["draws_of_first"]), quantities(np.array(skies[0]["truth"][0]))
    one.plot(*draws.T, ".", ms=3, color="0.5", label=f"{SAMPLER}, whole map")
    for number, (name, record) in enumerate(models.items()):
        log_density = np.array(record["log_density_of_first"])
        density = np.exp(log_density - log_density.max())
        ordered = np.sort(density)[::-1]
        levels = [ordered[np.searchsorted(np.cumsum(ordered) / ordered.sum(), c)] for c in (0.95, 0.68)]
        grid = density.reshape(len(OMEGA_M), len(SIGMA8)).T
        one.contour(OMEGA_M, SIGMA8, grid, levels, colors=f"C{number}", linewidths=1)
        one.plot([], [], color=f"C{number}", lw=1, label=name)
    one.plot(*truth[:2], "k+", ms=10, label="truth")
    one.set(xlabel="Omega_m", ylabel="sigma8", xlim=(0.2, 0.4), ylim=(0.65, 1.0))
    one.legend(fontsize=7, frameon=False)
    exact, sd = (np.concatenate([record[name] for record in skies])[:, -1] for name in ("mean", "sd"))
    name, record = next(iter(models.items()))
    found, wider = (np.array(record[key])[: len(exact), -1] for key in ("mean", "sd"))
    means.errorbar(exact, found, wider, sd, fmt=".", ms=4, lw=0.6, color="C0")
    means.axline((0.8, 0.8), slope=1, color="k", lw=0.6)
    means.set(xlabel=f"S8 given the map, {SAMPLER}", ylabel=f"S8 given t, {name}")
    fig.tight_layout()
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(FIGURE, dpi=150)
    plt.close(fig)


if __name__ == "__main__":
    main()
