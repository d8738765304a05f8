"""Flows of fields, trained on Gaussian and log-normal fields of 16^3 to 64^3 cells: likelihood, speed and memory.

python scripts/benchmarks/field_flows.py takes a quarter of an hour on two idle cores. Every cell (law, size, seed) is
committed to docs/benchmarks/field_flows/ as it ends and is not run again while its file is there;
docs/benchmarks/field_flows.md is written at the end.
"""

import logging
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import ROOT, Record, circumstances, circumstances_text, main, paragraphs, table, write
from flowjax.distributions import StandardNormal, Transformed

from cosmoflow.dynamics import wavenumbers
from cosmoflow.flows import SpectralScale, field_flow
from cosmoflow.training import NegativeELBO, default_optimizer, fit

FOLDER = ROOT / "docs" / "benchmarks" / "field_flows"
PACKAGES = ("cosmoflow", "jax", "equinox", "optax", "flowjax", "numpy")
CHUNK = 20
NUM_TEST = 8
TEXT = (
    "The log-normal fields are exp(g - 1/2) - 1, g Gaussian of unit variance and spectrum (k^2 + k0^2)^-1.2, k0 two "
    "fundamental modes of the box: a red spectrum of up to three decades. The Gaussian fields are g. Every flow is "
    "`field_flow` with two maps, in single precision, trained by `NegativeELBO` with one momentum; it starts from the "
    "mean and spectrum of its training fields, as the baseline does.",
    "Losses are in nats per cell on fields never trained on, the flow's by its evidence lower bound, which is at most "
    "its log-likelihood. Baseline: the Gaussian law of the mean and spectrum of the same training fields. Truth: the "
    "law of the simulations. The loss of the flow less that of the truth bounds its Kullback-Leibler divergence per "
    "dimension, the last column, with its standard error. Examples per second are of processor time, "
    "validation included, the first chunk of 20 steps and with it the compilation left out. Memory is the peak of the "
    "whole process, Python and the training fields included. Programs: how many times the training was compiled.",
)


class Cell(NamedTuple):
    """One training."""

    law: str
    size: int
    seed: int


class Size(NamedTuple):
    """How a flow of so many cells is trained."""

    num_fields: int
    num_steps: int
    batch: int


SIZES = {16: Size(500, 200, 8), 32: Size(200, 60, 4), 64: Size(40, 40, 2)}
PLAN = [Cell("log_normal", 16, 0), Cell("gaussian", 32, 0), Cell("log_normal", 32, 0), Cell("log_normal", 64, 0)]


def power(grid: tuple[int, ...]) -> np.ndarray:
    """Spectrum of g, of mean one over all modes, on the half space."""
    p = ((wavenumbers(grid) * max(grid)) ** 2 + 4.0) ** -1.2
    return p * math.prod(grid) / np.sum(p * counts(grid))


def counts(grid: tuple[int, ...]) -> np.ndarray:
    """Modes of the whole space for each mode along the last axis of the half space."""
    last = np.arange(grid[-1] // 2 + 1)
    return np.where((last == 0) | (2 * last == grid[-1]), 1.0, 2.0)


def simulate(law: str, grid: tuple[int, ...], num: int, rng: np.random.Generator) -> np.ndarray:
    """Fields, shape (num, number of cells)."""
    amplitude, fields = np.sqrt(power(grid)), np.empty((num, math.prod(grid)), np.float32)
    for field in fields:
        g = np.fft.irfftn(np.fft.rfftn(rng.standard_normal(grid)) * amplitude, grid, range(len(grid))).ravel()
        field[:] = g if law == "gaussian" else np.expm1(g - 0.5)
    return fields


def true_log_prob(law: str, grid: tuple[int, ...], field: np.ndarray) -> float:
    """Of one field under the law of the simulations."""
    g = np.asarray(field, float) if law == "gaussian" else np.log1p(np.asarray(field, float)) + 0.5
    modes = np.abs(np.fft.rfftn(g.reshape(grid), norm="ortho")) ** 2
    log_det = 0.0 if law == "gaussian" else np.sum(g - 0.5)
    return float(np.sum(-0.5 * counts(grid) * (modes / power(grid) + np.log(2 * np.pi * power(grid)))) - log_det)


class Compilations(logging.Handler):
    """Counts the programs compiled of chunks of training."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One message of JAX."""
        self.count += record.getMessage().startswith("Compiling jit(_train_chunk)")


def measure(cell: Cell) -> dict[str, Any]:
    """Train one flow and judge it."""
    grid, size = (cell.size,) * 3, SIZES[cell.size]
    dim = math.prod(grid)
    rng = np.random.default_rng(cell.seed)
    fields = jnp.asarray(simulate(cell.law, grid, size.num_fields, rng))
    held_out = simulate(cell.law, grid, NUM_TEST, rng)
    keys = jr.split(jr.key(cell.seed), 3)
    flow = field_flow(grid, num_maps=2, width=8, fields=fields, key=keys[0])
    baseline = Transformed(StandardNormal((dim,)), SpectralScale(grid, fields=fields))

    compilations, clock = Compilations(), []
    logging.getLogger("jax").addHandler(compilations)

    def tick() -> bool:
        clock.append((time.process_time(), time.perf_counter()))
        return False

    with jax.log_compiles():
        flow, history = fit(
            flow, NegativeELBO(), num_steps=size.num_steps, data=fields, batch_size=size.batch, chunk=CHUNK,
            optimizer=default_optimizer(size.num_steps), key=keys[1], stop=tick,
        )  # fmt: skip
    tick()
    processor, wall = np.diff(np.array(clock), axis=0).T

    def mean(log_prob) -> np.ndarray:
        compiled = eqx.filter_jit(log_prob)
        return (
            np.array(
                [float(compiled(jnp.asarray(q), k)) for q, k in zip(held_out, jr.split(keys[2], NUM_TEST), strict=True)]
            )
            / dim
        )

    truth = np.array([true_log_prob(cell.law, grid, q) for q in held_out]) / dim
    bound = mean(lambda q, k: flow.elbo(q, key=k))
    return {
        "num_fields": size.num_fields,
        "num_steps": size.num_steps,
        "batch": size.batch,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(flow, eqx.is_inexact_array))),
        "loss": -float(np.mean(bound)),
        "loss_of_baseline": -float(np.mean(mean(lambda q, _: baseline.log_prob(q)))),
        "loss_of_truth": -float(np.mean(truth)),
        "divergence": float(np.mean(truth - bound)),
        "divergence_error": float(np.std(truth - bound, ddof=1) / math.sqrt(NUM_TEST)),
        "compilations": compilations.count,
        "first_chunk_seconds": float(processor[0]),
        "examples_per_second": float(CHUNK * size.batch / np.median(processor[1:])),
        "examples_per_second_of_wall": float(CHUNK * size.batch / np.median(wall[1:])),
        "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "validation": [float(v) / dim for v in history.validation],
    }


def report(records: dict[Cell, Record]) -> str:
    """The tables in Markdown."""

    def row(cell: Cell) -> list[str]:
        r = records[cell]
        return [
            cell.law.replace("_", "-"),
            f"{cell.size}^3",
            *(str(r[name]) for name in ("num_steps", "batch", "compilations")),
            f"{r['first_chunk_seconds']:.0f}",
            f"{r['examples_per_second']:.2f}",
            f"{r['peak_bytes'] / 1e9:.2f}",
            *(f"{r[name]:.4f}" for name in ("loss_of_baseline", "loss", "loss_of_truth")),
            f"{r['divergence']:.4f} +- {r['divergence_error']:.4f}",
        ]

    head = (
        "fields", "grid", "steps", "batch", "programs", "first chunk [s]", "examples per second", "memory [GB]",
        "baseline", "flow", "truth", "divergence",
    )  # fmt: skip
    lines = ["# Flows of fields", ""]
    how = "`python scripts/benchmarks/field_flows.py` runs what is missing."
    lines += [*circumstances_text(records, {"core": PLAN}, how), "", *paragraphs(TEXT), ""]
    lines += table(head, [row(cell) for cell in PLAN if cell in records])
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in {cell.law for cell in PLAN}:  # as `run` asks for cells
        law, size, *seeds = sys.argv[1:]
        for cell in (Cell(law, int(size), int(seed)) for seed in seeds):
            write(cell, circumstances(PACKAGES) | measure(cell), FOLDER)
    else:
        main(__doc__, Path(__file__), {"core": PLAN}, FOLDER, report)
