"""One sampler on one target in a process of its own: samplers_cell.py TARGET SAMPLER SEED... writes the cells."""

import argparse
import sys
from pathlib import Path

import jax
import jax.random as jr
import numpy as np

jax.config.update("jax_enable_x64", True)

from cells import circumstances, write  # noqa: E402
from samplers_grid import DUELS_OURS, FOLDER, OURS, Cell  # noqa: E402
from samplers_metrics import metrics  # noqa: E402
from samplers_ours import MissingSampler  # noqa: E402
from samplers_ours import sampler as ours  # noqa: E402
from samplers_rivals import sampler as rival  # noqa: E402
from samplers_targets import problem  # noqa: E402

import cosmoflow as cf  # noqa: E402

PACKAGES = ("cosmoflow", "jax", "blackjax", "numpyro", "emcee", "pdmp-jax", "arviz-stats", "numpy")
POSITIONS = 4096
SKIPPED = 3
"""Exit code where the package lacks the sampler."""


def main() -> int:
    """Run the seeds of one sampler on one target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("sampler")
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--budget", type=int, help="gradients, to try a sampler on a short run")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    what = problem(given.target)
    if given.budget is not None:
        what = type(what)(**vars(what) | {"budget": given.budget})
    try:
        run = (ours if given.sampler in OURS + DUELS_OURS else rival)(given.sampler, what)
    except MissingSampler as error:
        print(f"{given.target}, {given.sampler}: left out, {error}", file=sys.stderr)
        return SKIPPED
    for seed in given.seeds:
        positions = np.random.default_rng(seed).standard_normal((POSITIONS, what.target.dim))
        try:
            result = metrics(what, run(jr.key(seed), positions))
        except (cf.CosmoflowError, RuntimeError, ValueError) as error:
            result = {"failure": f"{type(error).__name__}: {error}".splitlines()[0]}
        write(Cell(given.target, given.sampler, seed), circumstances(PACKAGES) | result, given.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
