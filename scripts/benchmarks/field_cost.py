"""What forward models of fields cost: value, gradient, memory, beside JaxPM.

python scripts/benchmarks/field_cost.py runs what is missing in docs/benchmarks/field_cost/ and writes
docs/benchmarks/field_cost.md.
"""

import argparse
import math
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from cells import ROOT, circumstances, circumstances_text, name_of, paragraphs, records_of, table, write

from cosmoflow.fields import (
    AbstractFieldModel,
    GaussianField,
    Grid,
    LagrangianField,
    LinearMatterPower,
    LogNormalField,
    ParticleMeshField,
)

warnings.filterwarnings("ignore", category=DeprecationWarning)
import jax_cosmo  # noqa: E402
from jaxpm.painting import cic_paint  # noqa: E402
from jaxpm.pm import lpt  # noqa: E402

FOLDER = ROOT / "docs" / "benchmarks" / "field_cost"
PACKAGES = ("cosmoflow", "jax", "jaxlib", "jaxpm", "numpy")
SIZES = (16, 32, 64, 128)
CELL_SIZE = 5.0  # [Mpc/h]
PLANCK = {"Omega_m": 0.3089, "sigma8": 0.8159}
REDSHIFT = 1.0
BARYONS = 0.0486

MODELS: dict[str, Callable[[Grid], AbstractFieldModel]] = {
    "Gaussian": lambda grid: GaussianField(grid, LinearMatterPower(REDSHIFT)),
    "log-normal": lambda grid: LogNormalField(grid, LinearMatterPower(REDSHIFT)),
    "1LPT": lambda grid: LagrangianField(grid, REDSHIFT, order=1),
    "2LPT": lambda grid: LagrangianField(grid, REDSHIFT),
    "2LPT, biased, redshift space": lambda grid: LagrangianField(grid, REDSHIFT, line_of_sight=2),
    "particle mesh, 5 steps": lambda grid: ParticleMeshField(grid, REDSHIFT),
}
RIVAL = "2LPT"
BIASED = "2LPT, biased, redshift space"


class Cell(NamedTuple):
    """One model on one grid."""

    size: int
    model: str
    seed: int


def rival(grid: Grid) -> Callable:
    """JaxPM's second-order perturbation theory, painted, of the same linear density."""
    gaussian = GaussianField(grid, LinearMatterPower())

    def predict(white: jax.Array, parameters: dict[str, jax.Array]) -> jax.Array:
        varied: dict[str, Any] = {"Omega_c": parameters["Omega_m"] - BARYONS, "sigma8": parameters["sigma8"]}
        universe = jax_cosmo.Planck15(**varied)
        shift, *_ = lpt(universe, gaussian.predict(white, parameters), a=1 / (1 + REDSHIFT), order=2)
        axes = jnp.meshgrid(*(jnp.arange(n, dtype=white.dtype) for n in grid.shape), indexing="ij")
        return cic_paint(jnp.zeros_like(white), jnp.stack(axes, -1) + shift) - 1

    return predict


def clocks(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall-clock and processor time of one call [s]."""
    wall, processor = time.perf_counter(), time.process_time()
    jax.block_until_ready(run())
    return time.perf_counter() - wall, time.process_time() - processor


def outcome(cell: Cell, repetitions: int) -> dict[str, Any]:
    """Times of each call, one after the other in turns, and the memory of each program."""
    grid = Grid((cell.size,) * 3, cell.size * CELL_SIZE)
    parameters = {name: jnp.asarray(value, jnp.float32) for name, value in PLANCK.items()}
    if cell.model == BIASED:
        parameters |= {name: jnp.asarray(0.5, jnp.float32) for name in ("b1", "b2", "bs2", "bn2")}
    white = jax.random.normal(jax.random.key(cell.seed), grid.shape)
    predictions = {"ours": MODELS[cell.model](grid).predict} | ({"jaxpm": rival(grid)} if cell.model == RIVAL else {})

    programs, record = {}, {}
    for who, predict in predictions.items():

        def loss(white: jax.Array, parameters: dict[str, jax.Array], predict: Callable = predict) -> jax.Array:
            return jnp.sum(predict(white, parameters) ** 2) / 2

        for what, function in (("value", loss), ("gradient", jax.value_and_grad(loss, (0, 1)))):
            program = jax.jit(function).lower(white, parameters).compile()
            programs[f"{who}_{what}"] = program
            memory: Any = program.memory_analysis()
            record[f"{who}_{what}_bytes_per_cell"] = memory.temp_size_in_bytes / grid.num_cells
            clocks(lambda program=program: program(white, parameters))
    times = {name: [] for name in programs}
    for _ in range(repetitions):
        for name, program in programs.items():
            times[name].append(clocks(lambda program=program: program(white, parameters)))
    return record | {name: np.array(pairs).T.tolist() for name, pairs in times.items()}


def milliseconds(pairs: list[list[float]], clock: int) -> str:
    """Median, and quartiles."""
    low, middle, high = 1000 * np.quantile(pairs[clock], [0.25, 0.5, 0.75])
    return f"{middle:.3g} ({low:.3g}-{high:.3g})"


def ratio(above: list[list[float]], below: list[list[float]], clock: int = 1) -> str:
    """Median of ratios of calls in turn, and quartiles."""
    low, middle, high = np.quantile(np.array(above[clock]) / np.array(below[clock]), [0.25, 0.5, 0.75])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def slope(times: dict[int, float]) -> str:
    """The exponent of N log N between the smallest and the largest grid."""
    if len(times) < 2:
        return ""
    (small, first), *_, (large, last) = sorted(times.items())
    work = [size**3 * math.log(size**3) for size in (small, large)]
    return f"{math.log(last / first) / math.log(work[1] / work[0]):.2f}"


TEXT = (
    "Single precision, cells of 5 Mpc/h at redshift 1. Value: half the sum of the squared contrast, from white noise, "
    "Omega_m and sigma8 (of the biased model, from b1, b2, bs2, bn2 too). Gradient: the value, and its derivatives by "
    "all of these. Median and quartiles of calls in turn; the ratios are those of processor time. Memory: what the "
    "compiled program of the gradient takes beside its arguments and results. Slope: the exponent p of time as "
    "(N log N)^p in processor time, N cells, from the smallest grid to the largest; a fixed cost, that of the "
    "cosmology, makes it less than one.",
    "JaxPM: `jaxpm.pm.lpt(order=2)` and `jaxpm.painting.cic_paint` of the same linear density. Its time over ours is "
    "in the second table.",
)


def page(records: dict[Cell, Any], cells: list[Cell]) -> str:
    """The tables."""
    how = "`python scripts/benchmarks/field_cost.py` runs what is missing."
    lines = ["# What forward models of fields cost", ""]
    lines += [*circumstances_text(records, {"only": cells}, how), "", *paragraphs(TEXT), ""]
    rows, medians = [], {}
    for cell in filter(records.__contains__, cells):
        value, gradient = records[cell]["ours_value"], records[cell]["ours_gradient"]
        for what, pairs in (("value", value), ("gradient", gradient)):
            medians.setdefault((cell.model, what), {})[cell.size] = float(np.median(pairs[1]))
        row = [cell.model, f"{cell.size}^3", *(milliseconds(t, c) for t in (value, gradient) for c in (0, 1))]
        rows.append([*row, ratio(gradient, value), f"{records[cell]['ours_gradient_bytes_per_cell']:.0f}"])
    clock = ["wall [ms]", "processor [ms]"]
    head = ["model", "grid", *(f"{what}, {c}" for what in ("value", "gradient") for c in clock)]
    lines += [*table([*head, "gradient / value", "bytes per cell"], rows), ""]
    rows = []
    for cell in filter(records.__contains__, cells):
        if cell.model == RIVAL:
            ours, theirs = ([records[cell][f"{who}_{w}"] for w in ("value", "gradient")] for who in ("ours", "jaxpm"))
            row = [f"{cell.size}^3", *(milliseconds(times, clock) for times in theirs for clock in (0, 1))]
            rows.append([*row, *(ratio(a, b, clock) for a, b in zip(theirs, ours, strict=True) for clock in (0, 1))])
    head = ["grid", *(f"JaxPM's {what}, {c}" for what in ("value", "gradient") for c in clock)]
    head += [f"over our {what}, {c}" for what in ("value", "gradient") for c in ("wall", "processor")]
    lines += [*table(head, rows), ""]
    rows = [[m, slope(medians.get((m, "value"), {})), slope(medians.get((m, "gradient"), {}))] for m in MODELS]
    return "\n".join([*lines, *table(["model", "slope of the value", "slope of the gradient"], rows)]) + "\n"


def main() -> None:
    """Run what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--repetitions", type=int, default=21)
    given = parser.parse_args()
    cells = [Cell(size, model, 0) for model in MODELS for size in SIZES]
    for cell in sorted(cells):
        if cell.size in given.sizes and not (FOLDER / f"{name_of(cell)}.json").exists():
            record = circumstances(PACKAGES) | outcome(cell, given.repetitions)
            record["machine"] = record["machine"].replace("one used", "all used")
            write(cell, record, FOLDER)
            print(*cell, milliseconds(record["ours_gradient"], 0), flush=True)
    records = {Cell(r["size"], r["model"], r["seed"]): r for r in records_of(FOLDER)}
    FOLDER.with_suffix(".md").write_text(page(records, cells))


if __name__ == "__main__":
    main()
