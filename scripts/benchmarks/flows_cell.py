"""One model on one target in a process of its own: flows_cell.py TARGET MODEL SEED... writes the cells."""

import argparse
import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", "demo" in sys.argv)

import jax.numpy as jnp  # noqa: E402
import jax.random as jr  # noqa: E402
import numpy as np  # noqa: E402
from cells import circumstances, write  # noqa: E402
from flows_grid import COMPOSED, FOLDER, Cell  # noqa: E402
from flows_metrics import metrics, training_step  # noqa: E402
from flows_models import directions, learning_rates, loss, model, num_parameters  # noqa: E402
from flows_targets import TRAINING_DRAWS, problem  # noqa: E402

import cosmoflow as cf  # noqa: E402
from cosmoflow.training import default_optimizer, fit  # noqa: E402

PACKAGES = ("cosmoflow", "jax", "equinox", "optax", "flowjax", "numpy")
NUM_STEPS = {"demo": 1000, "many_well": 2000}
BATCH = 256


def main() -> None:
    """Train one model on one target, for each of the seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("model")
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--steps", type=int, help="steps of the optimiser, to try a model on a short training")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    what = problem(given.target)
    num_steps = given.steps or NUM_STEPS.get(given.target, 3000)
    for seed in given.seeds:
        key_model, key_fit = jr.split(jr.key(seed))
        starts = [
            model(given.model, given.target, what.dim, key_model, inverted=inverted)
            for inverted in directions(given.model, on_draws=what.draw is not None)
        ]
        start = starts[0]
        objective = loss(start, what.target if what.draw is None else None)
        data = None
        if what.draw is not None:
            data = jnp.asarray(what.draw(np.random.default_rng(seed), TRAINING_DRAWS), float)
        batch = None if data is None else data[:BATCH]
        result = {"parameters": num_parameters(start), "num_steps": num_steps, "batch": BATCH}
        if given.model in COMPOSED:
            result["parameters_of_base"] = num_parameters(start.base)
        result |= training_step(start, objective, batch)
        try:
            trainings = {
                (inverted, rate): fit(
                    start,
                    objective,
                    num_steps=num_steps,
                    key=key_fit,
                    data=data,
                    batch_size=BATCH,
                    optimizer=default_optimizer(num_steps, rate),
                )
                for inverted, start in enumerate(starts)
                for rate in learning_rates(start)
            }
            best = min(trainings, key=lambda variant: np.nanmin(trainings[variant][1].validation))
            trained, history = trainings[best]
            result |= {"inverted": bool(best[0]), "learning_rate": best[1]}
            result |= {"seconds_of_training": history.seconds} | metrics(what, trained, seed)
        except cf.CosmoflowError as error:
            result["failure"] = str(error).splitlines()[0]
        write(Cell(given.target, given.model, seed), circumstances(PACKAGES) | result, given.folder)


if __name__ == "__main__":
    main()
