"""The tables of the sampler benchmark, in Markdown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from textwrap import wrap
from typing import Any

import numpy as np
from cells import WIDTH, circumstances_text, paragraphs, table
from samplers_grid import COORDINATES, DUEL_TARGETS, DUELS_OURS, DUELS_RIVALS, GRIDS, OURS, PROCESSES, RIVALS, TARGETS
from samplers_grid import Cell as Cell

Records = Mapping[Cell, Mapping[str, Any]]
Value = Callable[[Mapping[str, Any]], float]

WORST_RHAT = 1.05
WORST_ERROR = 5.0
"""In Monte Carlo errors."""

RESAMPLES = 4000

PER_GRADIENT: Value = lambda record: record["per_1000"]["sampling"]  # noqa: E731
PER_GRADIENT_IN_ALL: Value = lambda record: record["per_1000"]["total"]  # noqa: E731
PER_SECOND: Value = lambda record: record["per_cpu_second"]["sampling"]  # noqa: E731
PER_SECOND_IN_ALL: Value = lambda record: record["per_cpu_second"]["total"]  # noqa: E731


def report(records: Records, plans: Mapping[str, Sequence[Cell]]) -> str:
    """All tables that there are numbers for."""
    sound = {cell: record for cell, record in records.items() if "failure" not in record}
    lines = ["# Effective samples per gradient and per second", "", *circumstances_text(records, plans)]
    lines += ["", *paragraphs(METHOD)]
    tables = {
        "Per 1000 gradients": PER_GRADIENT,
        "Per 1000 gradients, warm-up included": PER_GRADIENT_IN_ALL,
        "Per CPU-second": PER_SECOND,
        "Per CPU-second, warm-up included": PER_SECOND_IN_ALL,
    }
    for title, value in tables.items():
        lines += ["", f"## {title}", "", *_samplers_table(sound, value)]
    lines += ["", "## The automatic choice against the best rival", "", *_ratios(sound)]
    lines += ["", "## Exact processes against those of pdmp-jax", "", *_duels(sound)]
    lines += ["", "## Draws that are not to be trusted, and failures", "", *_doubts(records)]
    return "\n".join(lines) + "\n"


METHOD = (
    "The value of a run is its smallest effective sample size among every coordinate, its square and the energy "
    "U = -log density (ArviZ, for means, over all chains). Its cost is gradients + (densities + 1.5 directional "
    "derivatives) / 3, as each sampler makes them: integration steps of NUTS, two per step of MCLMC; pdmp-jax "
    "takes two per node of a bound, one per candidate and one per jump. Given are the median over seeds and, in "
    "brackets, the range.",
    "Every sampler starts from the same standard normal draws, warms up as its package documents, and then spends the "
    "same number of gradients (200 000 over 4 chains, half of it above 500 dimensions), or stops after a minute. MEADS "
    "has 64 chains and emcee an ensemble. Processes run one to a core with single-threaded XLA, in double precision; "
    "compiling is not counted.",
    "A dagger marks a median R-hat above 1.05, or a moment more than 5 Monte Carlo errors off.",
)


def _of(records: Records, target: str, sampler: str) -> list[Mapping[str, Any]]:
    return [records[cell] for cell in sorted(records) if (cell.target, cell.sampler) == (target, sampler)]


def _doubtful(runs: Sequence[Mapping[str, Any]]) -> bool:
    off = median(run.get("error_mcse", 0.0) for run in runs) > WORST_ERROR
    return off or median(run["rhat"] for run in runs) > WORST_RHAT


def _entry(runs: Sequence[Mapping[str, Any]], value: Value) -> str:
    if not runs:
        return ""
    values = [value(run) for run in runs]
    low, middle, high = (f"{number:.2g}" for number in (min(values), median(values), max(values)))
    return (middle if low == high else f"{middle} ({low}-{high})") + "†" * _doubtful(runs)


def _samplers_table(records: Records, value: Value) -> Iterator[str]:
    targets = [target for target in TARGETS if any(cell.target == target for cell in records)]
    present = {cell.sampler for cell in records}
    samplers = [sampler for sampler in (*OURS, *RIVALS) if sampler in present]
    rows = [[s, *(_entry(_of(records, target, s), value) for target in targets)] for s in samplers]
    yield from table(["", *targets], rows)


def _best(records: Records, target: str, samplers: Iterable[str], value: Value) -> tuple[str, list[float]] | None:
    """The sampler of the highest median on a target."""
    values = {s: [value(run) for run in _of(records, target, s)] for s in samplers}
    ran = {sampler: numbers for sampler, numbers in values.items() if numbers}
    return max(ran.items(), key=lambda item: median(item[1])) if ran else None


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """The ratio of medians and the lower 10 % point of its bootstrap over seeds."""
    rng = np.random.default_rng(0)
    drawn = [np.median(rng.choice(values, (RESAMPLES, len(values))), axis=1) for values in (ours, theirs)]
    bound = float(np.quantile(drawn[0] / np.maximum(drawn[1], 1e-12), 0.1))
    return median(ours) / max(median(theirs), 1e-12), bound


def _ratios(records: Records) -> Iterator[str]:
    yield from wrap(
        "In brackets the lower 10 % bound of a bootstrap over seeds. The best rival is that of the highest median, "
        "whether its draws are to be trusted or not.",
        WIDTH,
    )
    yield ""
    rows = []
    for target in TARGETS:
        ours = _of(records, target, "auto")
        columns = []
        for value in (PER_GRADIENT, PER_GRADIENT_IN_ALL, PER_SECOND):
            best = _best(records, target, RIVALS, value)
            if not ours or best is None:
                break
            ratio, bound = _ratio([value(run) for run in ours], best[1])
            mark = "†" * _doubtful(_of(records, target, best[0]))
            columns += [f"{ratio:.2f} ({bound:.2f})", best[0] + mark]
        if len(columns) == 6:
            kinds = ", ".join(sorted({run["notes"]["kind"] for run in ours}))
            rows.append([target + "†" * _doubtful(ours), kinds, *columns])
    head = ["target", "chosen"]
    for what in ("per gradient", "per gradient, warm-up included", "per CPU-second"):
        head += [what, "best rival"]
    yield from table(head, rows)


def _duels(records: Records) -> Iterator[str]:
    yield from wrap(
        "The same process in both packages without a warm-up, after a tenth of the budget on the way from the starting "
        "points; plain, and in the coordinates of the same affine map with the target's exact mean and covariance. Of "
        f"pdmp-jax the better of {' and '.join(map(str, GRIDS))} nodes counts. Values of ours / theirs, and the ratio "
        "with its lower 10 % bound.",
        WIDTH,
    )
    yield ""
    rows = []
    for target in DUEL_TARGETS:
        for coordinates in COORDINATES:
            for process in (*PROCESSES, "best of all"):
                kinds = PROCESSES if process == "best of all" else (process,)
                ours = [name for name in DUELS_OURS if name in {f"{kind}_{coordinates}" for kind in kinds}]
                starts = tuple(f"pdmp_jax_{kind}_{coordinates}_" for kind in kinds)
                theirs = [name for name in DUELS_RIVALS if name.startswith(starts)]
                columns = [
                    _duel(_best(records, target, ours, value), _best(records, target, theirs, value))
                    for value in (PER_GRADIENT, PER_SECOND)
                ]
                if any(columns):
                    rows.append([target, coordinates, process, *columns])
    yield from table(["target", "coordinates", "process", "per 1000 gradients", "per CPU-second"], rows)


def _duel(ours: tuple[str, list[float]] | None, theirs: tuple[str, list[float]] | None) -> str:
    if ours is None or theirs is None:
        return ""
    ratio, bound = _ratio(ours[1], theirs[1])
    return f"{median(ours[1]):.2g} / {median(theirs[1]):.2g}: {ratio:.2g} ({bound:.2g})"


def _doubts(records: Records) -> Iterator[str]:
    rows = []
    for target, sampler in sorted({(cell.target, cell.sampler) for cell in records}):
        runs = _of(records, target, sampler)
        failures = sorted({run["failure"] for run in runs if "failure" in run})
        sound = [run for run in runs if "failure" not in run]
        if failures:
            rows.append([target, sampler, "", "", "", f"{len(failures)} failed: {failures[0]}"])
        if sound and _doubtful(sound):
            errors = [[run.get(name, float("nan")) for run in sound] for name in ("error_mcse", "error_sd")]
            numbers = [median(run["rhat"] for run in sound), *(median(error) for error in errors)]
            rows.append([target, sampler, *(f"{number:.3g}" for number in numbers), ""])
    yield from table(["target", "sampler", "R-hat", "error [MCSE]", "error [sd]", "failure"], rows)
