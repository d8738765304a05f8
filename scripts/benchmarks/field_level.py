"""Gradients per effective sample of a box of galaxies, field and cosmology together: our samplers beside BlackJAX's.

python scripts/benchmarks/field_level.py runs what is missing of the core grid, an hour on two cores, and writes
docs/benchmarks/field_level.md. Each cell (size, sampler, seed) is committed to docs/benchmarks/field_level/ as it ends
and is not run again while its file is there. --grid full adds BlackJAX's MCLMC at the energy variance of field-level
analyses, and a second seed of every cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cells import circumstances_text, main, paragraphs, table
from field_level_cell import CELL_SIZE, FOLDER, REFERENCE, SIZES, TRUTH, Cell, prepared
from field_level_samplers import METHODS

NAMES = {
    "reference": "KineticLangevin, half the step, the reference",
    "KineticLangevin": "KineticLangevin",
    "MCLMC": "MCLMC",
    "blackjax_mclmc": "BlackJAX, MCLMC",
    "blackjax_mclmc_strict": "BlackJAX, MCLMC, energy variance 1e-6",
    "blackjax_adjusted_mclmc": "BlackJAX, adjusted MCLMC, 8 steps",
    "blackjax_nuts": "BlackJAX, NUTS",
}
LARGE = ("KineticLangevin", "MCLMC", "blackjax_mclmc", "blackjax_mclmc_plain")
EXTRA = "blackjax_mclmc_strict"
CORE = [Cell(64, sampler, 0) for sampler in LARGE] + [Cell(32, sampler, 0) for sampler in METHODS if sampler != EXTRA]
FULL = [*CORE, Cell(32, EXTRA, 0)]
GRIDS = {"core": CORE, "full": FULL + [Cell(size, sampler, 1) for size, sampler, _ in FULL]}
LEAST_ESS = 100.0
KNOWN = 0.01
"""Error of an equipartition that tells something."""
OURS = "KineticLangevin"

TEXT = (
    "Boxes of 32^3 and 64^3 cells of 10 Mpc/h at redshift 1, second-order Lagrangian perturbation theory in redshift "
    "space, 1e-3 galaxies in a (Mpc/h)^3 with Gaussian noise of the variance of their counts; Omega_m, sigma8, b1 and "
    "the white noise of the field are free, with the priors of Simon-Onfroy, Lanusse & de Mattia 2025, "
    "arXiv:2504.20130. Single precision.",
    "Coordinates: the prior's (standard normal), or ours, Wiener's for the parameters of each point with whitened "
    "parameters beside them, as one common warm-up of "
    f"{' and '.join(f'{SIZES[n].warmup:,} gradients ({n}^3)' for n in (32, 64))} finds them, where all chains start: "
    f"{SIZES[32].num_chains} at 32^3, {SIZES[64].num_chains} at 64^3. Every cell then tunes its sampler and samples, "
    f"with {SIZES[32].budget:,} gradients in all at 32^3 and {SIZES[64].budget:,} at 64^3. BlackJAX's MCLMC "
    "is tuned by its own function at its defaults (with a diagonal metric where there are no coordinates of ours; in "
    "them also at the energy variance of 1e-6 that field-level analyses take), NUTS and adjusted MCLMC by its dual "
    "averaging towards acceptances of 0.8 and 0.9: a metric needs more draws than the budget has, and its tuning of "
    "adjusted MCLMC took more gradients than the whole budget.",
    "Gradients per effective sample: gradients after tuning over the effective size of ArviZ, for the centre (bulk) or "
    "the standard deviation, whichever is less. For the field: of 8 modes in each bin of |k|, the median in the bin, "
    "and of these the median and the worst over bins. Below an "
    f"effective size of {LEAST_ESS:g} a bound is given, gradients / {LEAST_ESS:g}. R-hat: the largest of the three.",
    "Bias of P(k): of the linear power of the draws, against the reference, the bin where it is largest, with its "
    f"Monte Carlo error; the reference takes {REFERENCE} times the gradients with half the step. Equipartition: "
    "how far the mean of x . grad U over the modes of a bin is from one, which is exact and needs no reference: the "
    "relative bias of the variance in that bin, where it is largest among the bins that tell it to a per cent.",
)

Records = Mapping[Cell, Mapping[str, Any]]


def costs(record: Mapping[str, Any]) -> dict[str, tuple[float, bool]]:
    """Gradients per effective sample, and whether that is a bound."""

    def cost(ess: float) -> tuple[float, bool]:
        return record["gradients"] / max(ess, LEAST_ESS), ess < LEAST_ESS

    bins = np.median(record["ess"]["modes"], axis=1)
    found = {name: cost(record["ess"][name]) for name in TRUTH}
    return found | {"field": cost(float(np.median(bins))), "field, worst": cost(float(np.min(bins)))}


def bias(record: Mapping[str, Any], reference: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """The relative bias of P(k) where it is largest, and its error."""
    if reference is None:
        return None
    mean, error = (np.array(record["power"][name]) for name in ("mean", "error"))
    exact, its_error = (np.array(reference["power"][name]) for name in ("mean", "error"))
    excess, sigma = mean / exact - 1, np.hypot(error, its_error) / exact
    worst = int(np.argmax(np.abs(excess)))
    return float(excess[worst]), float(sigma[worst])


def virial(record: Mapping[str, Any]) -> tuple[float, float] | None:
    """The bin that is farthest from equipartition, among those that tell it well, and its error."""
    mean, error = (np.array(record["virial"][name]) for name in ("mean", "error"))
    known = np.flatnonzero(error < KNOWN)
    if not known.size:
        return None
    worst = known[np.argmax(np.abs(mean[known] - 1))]
    return float(mean[worst] - 1), float(error[worst])


def label(cell: Cell) -> str:
    """Sampler and coordinates."""
    return NAMES[cell.sampler.removesuffix("_plain")]


def rows(records: Records, size: int) -> Iterator[list[str]]:
    """One for each sampler on the boxes of one size."""
    for sampler, (ours, _) in METHODS.items():
        runs = [records[cell] for cell in sorted(records) if (cell.size, cell.sampler) == (size, sampler)]
        for record in runs[:1]:
            reference = records.get(Cell(size, "reference", 0))
            found = bias(record, reference) if sampler != "reference" else None
            yield [
                label(Cell(size, sampler, 0)),
                "ours" if ours else "prior's",
                f"{record['tuned']['step_size']:.3g}",
                f"{record['tuning_gradients']:,.0f} + {record['gradients']:,.0f}",
                f"{max(record['rhat'].values()):.3f}",
                *(f"{'> ' * bound}{value:.3g}" for value, bound in costs(record).values()),
                *("" if pair is None else f"{pair[0]:+.2%} +- {pair[1]:.2%}" for pair in (found, virial(record))),
                f"{record['cpu_seconds']['sampling']:.0f}",
            ]


def ratios(records: Records, size: int) -> Iterator[list[str]]:
    """Rivals' gradients per effective sample over ours, medians over seeds and their range."""
    seeds = sorted({cell.seed for cell in records if cell.size == size and cell.sampler == OURS})
    for sampler in METHODS:
        pairs = [
            (costs(records[Cell(size, sampler, seed)]), costs(records[Cell(size, OURS, seed)]))
            for seed in seeds
            if sampler not in (OURS, "reference") and Cell(size, sampler, seed) in records
        ]
        if pairs:
            coordinates = "ours" if METHODS[sampler][0] else "prior's"
            row = [label(Cell(size, sampler, 0)), coordinates]
            for name in pairs[0][0]:
                values = [theirs[name][0] / own[name][0] for theirs, own in pairs]
                bound = any(theirs[name][1] for theirs, _ in pairs)
                spread = f" ({min(values):.2g}-{max(values):.2g})" if len(values) > 1 else ""
                row.append(f"{'> ' * bound}{median(values):.3g}{spread}")
            yield row


def report(records: Records) -> str:
    """The page."""
    lines = ["# Fields and cosmology together", ""]
    how = "`python scripts/benchmarks/field_level.py` runs what is missing of the core grid."
    lines += [*circumstances_text(records, GRIDS, how), "", *paragraphs(TEXT)]
    head = ["sampler", "coordinates", "step", "gradients, tuning + sampling", "R-hat", *TRUTH, "field", "field, worst"]
    for size in (32, 64):
        found = list(rows(records, size))
        if found:
            lines += ["", f"## {size}^3 cells, {size * CELL_SIZE:g} Mpc/h: gradients per effective sample", ""]
            lines += table([*head, "bias of P(k)", "equipartition", "sampling [CPU s]"], found)
            lines += ["", f"Gradients per effective sample over those of {OURS} in our coordinates:", ""]
            lines += table(["sampler", "coordinates", *TRUTH, "field", "field, worst"], ratios(records, size))
    return "\n".join(lines) + "\n"


def prepare(cells: Sequence[Cell]) -> None:
    """Make the warm-ups that cells share."""
    for size in sorted({cell.size for cell in cells}):
        prepared(size)


if __name__ == "__main__":
    main(__doc__, Path(__file__).with_name("field_level_cell.py"), GRIDS, FOLDER, report, prepare=prepare)
