"""What flows of one map learn of a mixture of two normal laws: their potentials beside -log pi.

python scripts/benchmarks/flows_portrait.py takes a minute and writes docs/benchmarks/flows_portrait.json and .md and
docs/images/flows_portrait.png.
"""

import json
from statistics import median
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import ROOT, circumstances, paragraphs, table
from flowjax.distributions import Normal
from flows_cell import PACKAGES
from flows_metrics import negative_log_likelihood, positions

from cosmoflow.flows import HamiltonianFlow, compare_potential, fixed_kinetic_flow, learned_kinetic_flow
from cosmoflow.plotting import phase_portrait
from cosmoflow.targets import GaussianMixture
from cosmoflow.training import NegativeELBO, fit

PATH = ROOT / "docs" / "benchmarks" / "flows_portrait.json"
FIGURE = ROOT / "docs" / "images" / "flows_portrait.png"
TARGET = GaussianMixture([0.3, 0.7], [[-1.5], [1.5]], 0.6)
LENGTHS = (2, 5, 10)
SEEDS = 3
NUM_STEPS = 1000
NUM_DRAWS = 20_000
MODELS = {"fixed": fixed_kinetic_flow, "learned": learned_kinetic_flow}
TEXT = (
    "Flows of one map with L leapfrog steps and perceptrons of width 32 between N(0, I) and the mixture 0.3 N(-1.5, "
    f"0.36) + 0.7 N(1.5, 0.36), trained for {NUM_STEPS} steps on draws; median and range of {SEEDS} seeds. "
    "The learned potential is fitted by V = a (-log pi) + b over draws of the flow (`compare_potential`). Slope: a. "
    "Residual: root mean square of V / a - b / a + log pi, where log pi itself has a standard deviation of spread. "
    "NLL: bound, importance-weighted over 128 momenta.",
    "With a fixed kinetic energy all that is learned sits in the potential, next to the base and the lengths of the "
    "steps. It has a well for each mode; the wells stand nearer to each other than the modes, since a finite flow "
    "from a single heap must still push outwards where it ends.",
)


def train(kinetic: str, length: int, seed: int) -> tuple[HamiltonianFlow, dict[str, Any]]:
    """A flow and what its potential is like."""
    keys = jr.split(jr.key(seed), 4)
    data = jnp.asarray(TARGET.sample(keys[0], (NUM_DRAWS,)))
    base = Normal(jnp.zeros(2), jnp.ones(2))
    flow = MODELS[kinetic](1, num_steps=length, num_maps=1, width=32, base=base, key=keys[1])
    flow, _ = fit(flow, NegativeELBO(), num_steps=NUM_STEPS, data=data, key=keys[2])
    draws = positions(flow, keys[3], 2000)
    potential: Any = flow.bijection.hamiltonian.potential
    found = {name: float(value) for name, value in compare_potential(potential, TARGET, draws)._asdict().items()}
    nll = negative_log_likelihood(flow, np.asarray(TARGET.sample(jr.key(1000 + seed), (2000,))), keys[3])[0]
    return flow, {"kinetic": kinetic, "length": length, "seed": seed} | found | {"nll": nll}


def main() -> None:
    """Train, compare and draw."""
    given = circumstances(PACKAGES)
    flows, found = {}, []
    for kinetic in MODELS:
        for length in LENGTHS:
            for seed in range(SEEDS):
                flows[kinetic, length, seed], record = train(kinetic, length, seed)
                found.append(record)
                print(record, flush=True)
    PATH.write_text(json.dumps(given | {"flows": found}, indent=1) + "\n")
    phase_portrait(flows["fixed", 5, 0], TARGET, key=jr.key(5)).savefig(FIGURE, dpi=110)

    columns = ("slope", "correlation", "residual", "spread", "nll")
    rows = []
    for kinetic in MODELS:
        for length in LENGTHS:
            runs = [r for r in found if (r["kinetic"], r["length"]) == (kinetic, length)]
            values = [[run[column] for run in runs] for column in columns]
            rows.append([kinetic, str(length), *(f"{median(v):.2f} ({min(v):.2f}, {max(v):.2f})" for v in values)])
    versions = ", ".join(f"{name} {number}" for name, number in given["versions"].items())
    lines = ["# What a flow learns of its target", ""]
    lines += paragraphs([f"{given['date']}, {given['machine']}; {versions}; commit {given['commit'][:10]}.", *TEXT])
    lines += ["", "![Learned potential and phase portrait of a flow of five steps](../images/flows_portrait.png)", ""]
    lines += table(["kinetic energy", "L", "slope", "correlation", "residual [nats]", "spread [nats]", "NLL"], rows)
    PATH.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
