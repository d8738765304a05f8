"""The tables of the flow benchmark, in Markdown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from cells import Record, circumstances_text, paragraphs, table
from flows_grid import MODELS, TARGETS, Cell

Records = Mapping[Cell, Record]

METHOD = (
    "All models have about as many trained numbers as flowjax's spline coupling flow at its default size on the "
    "same target, as far as widths in steps of eight allow; Hamiltonian flows, whose width ends at 128, often have "
    "fewer. All are trained by the same loop (Adam, gradients clipped, a learning rate that rises and falls along a "
    "cosine, batches of 256, single precision), on draws of the target where there are any, else by the reverse "
    "Kullback-Leibler divergence with the path gradient, in double precision, on the target whitened at its mode. "
    "Rivals are trained at learning rates of 0.003 and 0.01 and, on draws, coupling flows both as maps from the base "
    "and inverted, and the outcome of best validation counts, with the time of that training alone; Hamiltonian flows "
    "are trained once, at 0.01, on their one-sample bound. real_nvp is flowjax's affine coupling flow; spline_base and "
    "affine_base are flows of fixed kinetic energy, of one map, that start from a spline coupling flow of two layers "
    "and from an affine one of four.",
    "Given are the median over seeds and, in brackets, the range. NLL: of 2000 points that were not trained on; of "
    "Hamiltonian flows an upper bound, importance-weighted over 128 momenta. Gap: NLL less that of the target "
    "itself. SW / floor: sliced 2-Wasserstein distance of 10 000 draws, over that of two sets of draws of the "
    "target, both a mean over ten pairs of sets. Modes: largest relative error of the weight of a mode; on "
    "many_well of the deep side of each well. ESS: effective sample size of importance sampling over the number of "
    "draws, median of ten sets of 10 000 draws, and the least of them; Pareto k: of all their weights. Weights of "
    "Hamiltonian flows average over four momenta for each position; on phase space: the median with only the "
    "momentum that the position came with. log Z: error of the evidence, or the evidence itself where no exact one "
    "is known, median of the ten sets. Training is in wall seconds on one core, compilation included; step is one "
    "of its steps, and memory the peak of its temporary arrays; drawing is for 10 000 draws.",
)


def report(records: Records, plans: Mapping[str, Sequence[Cell]]) -> str:
    """All tables that there are numbers for."""
    lines = ["# Hamiltonian flows beside coupling flows", "", *circumstances_text(records, plans)]
    lines += ["", *paragraphs(METHOD)]
    for target in TARGETS:
        if rows := list(_rows(records, target)):
            lines += ["", f"## {target}", "", *table(["", *COLUMNS], rows)]
    return "\n".join(lines) + "\n"


def _ratio_to_floor(record: Record) -> float:
    return record["sliced_wasserstein"] / record["sliced_wasserstein_floor"]


COLUMNS: dict[str, Callable[[Record], float]] = {
    "parameters": lambda record: record["parameters"],
    "in the base": lambda record: record["parameters_of_base"],
    "NLL": lambda record: record["nll"],
    "gap": lambda record: record["entropy_gap"],
    "SW / floor": _ratio_to_floor,
    "modes": lambda record: record["mode_weight_error"],
    "ESS": lambda record: record["ess_fraction"],
    "least ESS": lambda record: record["ess_fraction_least"],
    "on phase space": lambda record: record["ess_fraction_on_phase_space"],
    "Pareto k": lambda record: record["pareto_k"],
    "log Z": lambda record: record.get("log_evidence_error", record["log_evidence"]),
    "training [s]": lambda record: record["seconds_of_training"],
    "step [ms]": lambda record: 1e3 * record["seconds_of_step"],
    "memory [MB]": lambda record: record["bytes_of_step"] / 1e6,
    "drawing [ms]": lambda record: 1e3 * record["seconds_of_draws"],
}


def _rows(records: Records, target: str) -> Iterator[list[str]]:
    for model in MODELS:
        runs = [records[cell] for cell in sorted(records) if cell[:2] == (target, model)]
        failures = [run["failure"] for run in runs if "failure" in run]
        sound = [run for run in runs if "failure" not in run]
        if sound:
            yield [model, *(_entry(sound, value) for value in COLUMNS.values())]
        if failures:
            yield [model, f"{len(failures)} failed: {failures[0]}", *[""] * (len(COLUMNS) - 1)]


def _entry(runs: Sequence[Record], value: Callable[[Record], Any]) -> str:
    try:
        values = [value(run) for run in runs]
    except KeyError:
        return ""
    low, middle, high = (_rounded(number) for number in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low}, {high})"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if 1000 <= abs(number) < 1e6 else f"{number:.3g}"
