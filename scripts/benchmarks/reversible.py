"""What training without a memory of the trajectory costs: time and memory of a step, with and without.

python scripts/benchmarks/reversible.py takes two minutes and writes docs/benchmarks/reversible.json and .md.
"""

import json
from collections.abc import Mapping
from statistics import median
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import ROOT, circumstances, paragraphs, table
from flows_cell import BATCH, PACKAGES
from flows_metrics import training_step
from flows_targets import problem

from cosmoflow.dynamics import with_reversible
from cosmoflow.flows import GaussianMomentum, fixed_kinetic_flow
from cosmoflow.training import NegativeELBO

PATH = ROOT / "docs" / "benchmarks" / "reversible.json"
LENGTHS = (4, 16, 64)
MOMENTA = (1, 4)
REPETITIONS = 5
TEXT = (
    "A step of the optimiser on the nine modes, in batches of 256, of a flow of one map with perceptrons of width 64 "
    "and depth 2. Plain: reverse mode remembers every leapfrog step. Reversible: `with_reversible(flow, True)` runs "
    "the steps backwards instead. Momenta: per position of the bound that is maximised. Memory is the peak of "
    f"temporary arrays; the ratio of times is the median of {REPETITIONS} pairs of measurements, with its range.",
)


def measure() -> list[dict[str, Any]]:
    """Every length and number of momenta; pairs of measurements follow each other."""
    draw = problem("nine_modes").draw
    assert draw is not None
    batch = jnp.asarray(draw(np.random.default_rng(0), BATCH), float)
    found = []
    for momenta in MOMENTA:
        for length in LENGTHS:
            keys = jr.split(jr.key(0))
            flow = fixed_kinetic_flow(
                2, num_steps=length, num_maps=1, momentum=GaussianMomentum(2, key=keys[0]), key=keys[1]
            )
            pairs = [
                [training_step(with_reversible(flow, r), NegativeELBO(momenta), batch) for r in (False, True)]
                for _ in range(REPETITIONS)
            ]
            ratios = [reversible["seconds_of_step"] / plain["seconds_of_step"] for plain, reversible in pairs]
            plain, reversible = pairs[0]
            row = {"momenta": momenta, "length": length, "ratios": ratios, "plain": plain, "reversible": reversible}
            print(row, flush=True)
            found.append(row)
    return found


def rows(found: list[dict[str, Any]]) -> list[list[str]]:
    """Of the table."""

    def row(r: Mapping[str, Any]) -> list[str]:
        ratios = r["ratios"]
        sides = [r["plain"], r["reversible"]]
        return [
            str(r["momenta"]),
            str(r["length"]),
            *(f"{side['bytes_of_step'] / 1e6:.2f}" for side in sides),
            *(f"{1e3 * side['seconds_of_step']:.2f}" for side in sides),
            f"{median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})",
        ]

    return [row(r) for r in found]


def main() -> None:
    """Measure and write."""
    given = circumstances(PACKAGES)
    found = measure()
    PATH.write_text(json.dumps(given | {"steps": found}, indent=1) + "\n")
    head = ["momenta", "L", "plain [MB]", "reversible [MB]", "plain [ms]", "reversible [ms]", "ratio of times"]
    versions = ", ".join(f"{name} {number}" for name, number in given["versions"].items())
    lines = ["# Training without a memory of the trajectory", ""]
    lines += [
        *paragraphs([f"{given['date']}, {given['machine']}; {versions}; commit {given['commit'][:10]}.", *TEXT]),
        "",
    ]
    lines += table(head, rows(found))
    PATH.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
