"""One factor of a Hamiltonian flow at a time, on the nine modes: steps, time, width, base; quality and figures.

python scripts/benchmarks/flows_study.py trains what is not there yet in docs/benchmarks/flows_study/ (a quarter of an
hour on one core), then writes docs/benchmarks/flows_study.md and docs/images/flows_study.png.
"""

from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from cells import ROOT, circumstances, circumstances_text, name_of, paragraphs, records_of, table, write
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import AbstractDistribution, Normal, Transformed
from flowjax.flows import coupling_flow
from flows_cell import PACKAGES
from flows_metrics import metrics
from flows_study_figure import figure
from flows_targets import TRAINING_DRAWS, problem

from cosmoflow.dynamics import RadialNetwork, RadialPotential, quarter_turn_step, with_num_steps
from cosmoflow.flows import DenseGaussianMomentum, HamiltonianFlow, PhaseBase, SinhTails, fixed_kinetic_flow
from cosmoflow.training import NegativeELBO, default_optimizer, fit

FOLDER = ROOT / "docs" / "benchmarks" / "flows_study"
FIGURE = ROOT / "docs" / "images" / "flows_study.png"
NUM_STEPS = 1000
SEEDS = 2
USUAL_LENGTH, USUAL_TIME, USUAL_WIDTH = 5, 1.0, 64
LENGTHS = (1, 2, 5, 10, 20)
TIMES = (0.25, 0.5, 1.0, 2.0, 4.0)
WIDTHS = (8, 16, 32, 64, 128)

HOW = "`python scripts/benchmarks/flows_study.py` runs what is missing."
TEXT = (
    "The claims of arXiv:2302.01955 that flows of fixed kinetic energy do not depend much on their settings, tried "
    "one factor at a time on the nine modes. The usual flow is a single autonomous Hamiltonian of five leapfrog "
    "steps of learned lengths, which start as a quarter turn in all; potential and encoder have 64 bells each, the "
    f"base is normal with learned location and scale. Each is trained on draws for {NUM_STEPS} steps.",
    "Trained L: trained and sampled with that many steps. Sampled L: trained with five steps, sampled with others "
    "over the same time. Maps: Hamiltonians of one step each. Time: of five steps of fixed length, in quarter "
    "turns. Width: bells of potential and of encoder. Base: fixed and twice as wide as the target, fixed as N(0, "
    "I), with learned scales, with learned tails of the momenta, or with a spline coupling flow of two layers for "
    "the momenta. Gap: bound of the NLL, importance-weighted over 128 momenta, less the entropy of the target. SW / "
    "floor: as in the comparison of [flows](flows.md).",
)


class Cell(NamedTuple):
    """One training."""

    factor: str
    value: str
    seed: int


def _normal(scale: float = 1.0) -> Normal:
    return Normal(jnp.zeros(2), jnp.full(2, scale))


def _spline(key: jax.Array) -> AbstractDistribution:
    knots = RationalQuadraticSpline(knots=8, interval=4)
    return coupling_flow(key, base_dist=_normal(), transformer=knots, nn_width=16, flow_layers=2, invert=False)


BASES: dict[str, Callable[[jax.Array], AbstractDistribution]] = {
    "twice as wide": lambda key: PhaseBase(*(paramax.non_trainable(_normal(2.0)) for _ in range(2))),
    "N(0, I)": lambda key: PhaseBase(*(paramax.non_trainable(_normal()) for _ in range(2))),
    "learned": lambda key: PhaseBase(_normal(), _normal()),
    "tails": lambda key: PhaseBase(_normal(), Transformed(_normal(), SinhTails(2))),
    "spline": lambda key: PhaseBase(_normal(), _spline(key)),
}
FACTORS: dict[str, tuple[str, ...]] = {
    "trained L": tuple(map(str, LENGTHS)),
    "sampled L": tuple(map(str, LENGTHS)),
    "maps": tuple(map(str, LENGTHS)),
    "time": tuple(map(str, TIMES)),
    "width": tuple(map(str, WIDTHS)),
    "base": tuple(BASES),
}
CELLS = [Cell(factor, value, seed) for seed in range(SEEDS) for factor, values in FACTORS.items() for value in values]


def build(cell: Cell, key: jax.Array) -> HamiltonianFlow:
    """The usual flow, one factor apart."""
    factor, value, _ = cell
    keys = jr.split(key, 3)
    length = int(value) if factor == "trained L" else 1 if factor == "maps" else USUAL_LENGTH
    width = int(value) if factor == "width" else USUAL_WIDTH
    flow = fixed_kinetic_flow(
        2,
        num_steps=length,
        num_maps=int(value) if factor == "maps" else 1,
        potential=lambda size, key: RadialPotential(size, num_bells=width, key=key),
        momentum=DenseGaussianMomentum(
            2, network=lambda size, out, key: RadialNetwork(size, out, num_bells=width, key=key), key=keys[0]
        ),
        base=BASES[value if factor == "base" else "learned"](keys[1]),
        key=keys[2],
    )
    if factor != "time":
        return flow
    step = paramax.NonTrainable(jnp.full(length, float(value) * quarter_turn_step(length)))
    return eqx.tree_at(
        lambda f: f.bijection.step_size, flow, step, is_leaf=lambda leaf: leaf is flow.bijection.step_size
    )


def main() -> None:
    """Train what is missing, and write table and figure."""
    what = problem("nine_modes")
    assert what.draw is not None
    for cell in CELLS:
        if (FOLDER / f"{name_of(cell)}.json").exists():
            continue
        keys = jr.split(jr.key(cell.seed))
        data = jnp.asarray(what.draw(np.random.default_rng(cell.seed), TRAINING_DRAWS), float)
        optimizer = default_optimizer(NUM_STEPS)
        flow, _ = fit(
            build(cell, keys[0]), NegativeELBO(), num_steps=NUM_STEPS, key=keys[1], data=data, optimizer=optimizer
        )
        if cell.factor == "sampled L":
            flow = with_num_steps(flow, int(cell.value))
        result = metrics(what, flow, cell.seed)
        write(cell, circumstances(PACKAGES) | result, FOLDER)
        print(*cell, f"gap {result['entropy_gap']:.3f}", flush=True)
        jax.clear_caches()  # compiled code of dozens of flows exhausts the memory maps of a process
    records = {Cell(r["factor"], r["value"], r["seed"]): r for r in records_of(FOLDER)}
    found = {
        (factor, value): {
            name: [of(records[factor, value, seed]) for seed in range(SEEDS)] for name, of in MEASURES.items()
        }
        for factor, values in FACTORS.items()
        for value in values
    }
    figure(found, FACTORS, FIGURE)
    rows = [
        [*cell, *(f"{median(values):.3g} ({min(values):.3g}, {max(values):.3g})" for values in measured.values())]
        for cell, measured in found.items()
    ]
    lines = ["# One factor of a Hamiltonian flow at a time", ""]
    lines += [*circumstances_text(records, {"study": CELLS}, HOW), ""]
    lines += [
        *paragraphs(TEXT),
        "",
        "![Gap and sliced Wasserstein distance against each factor](../images/flows_study.png)",
    ]
    lines += ["", *table(["factor", "value", *MEASURES], rows)]
    FOLDER.with_suffix(".md").write_text("\n".join(lines) + "\n")


MEASURES = {
    "gap": lambda r: r["entropy_gap"],
    "SW / floor": lambda r: r["sliced_wasserstein"] / r["sliced_wasserstein_floor"],
    "ESS": lambda r: r["ess_fraction"],
}


if __name__ == "__main__":
    main()
