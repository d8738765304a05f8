"""One method on one target in a process of its own: generative_cell.py TARGET METHOD SEED... writes the cells."""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import circumstances, write
from flows_models import num_parameters
from flows_targets import TRAINING_DRAWS, Problem
from generative_grid import EFFORTS, FOLDER, Cell, Effort
from generative_metrics import distances, metrics
from generative_models import trainings
from generative_targets import problem

from cosmoflow.training import default_optimizer, fit

PACKAGES = ("cosmoflow", "jax", "equinox", "optax", "flowjax", "numpy")
MOST_NUMBERS = 20_000_000
"""Of training draws."""
NUM_TEST = 200
MOST_COORDINATES = 8
"""Of data whose density is asked for, which costs a derivative for each."""


def outcome(what: Problem, cell: Cell, effort: Effort) -> dict[str, Any]:
    """Train, draw in every way, and measure; data are standardised for training, distances are of the original."""
    rng = np.random.default_rng(cell.seed)
    assert what.draw is not None
    data = what.draw(rng, min(TRAINING_DRAWS, MOST_NUMBERS // what.dim))
    mean, scale = data.mean(axis=0), max(float(data.std()), 1e-3)
    if what.grid is not None:
        mean = mean.mean()
    reference, other = np.split((what.held_out or what.draw)(rng, 2 * effort.draws), 2)
    num_steps = effort.flow_steps if cell.method == "hamiltonian_flow" else effort.steps
    standardised = jnp.asarray((data - mean) / scale, jnp.float32)
    key_model, key_fit, key_draw = jr.split(jr.key(cell.seed), 3)
    points: list[dict[str, Any]] = []
    for training in trainings(cell.method, cell.target, what, standardised, key_model):
        began = time.process_time()
        model, history = fit(
            training.model,
            training.loss,
            num_steps=num_steps,
            key=key_fit,
            data=standardised,
            batch_size=effort.batch,
            optimizer=default_optimizer(num_steps, training.rate),
        )
        common = {
            "parameters": num_parameters(model),
            "seconds_of_training": time.process_time() - began,
            "unfinished_steps": int(np.sum(~np.isfinite(history.losses))),
            **likelihood(model, (reference[:NUM_TEST] - mean) / scale, np.log(scale) * what.dim),
        }
        for point in training.points(model):
            if point.steps <= effort.longest:
                found = metrics(what, model, point, mean, scale, reference, key_draw)
                kind = {"way": point.way, "steps": point.steps, "evaluations": point.evaluations}
                points.append(kind | common | found)
    of_data = {"of_training_data": distances(what, what.draw(rng, effort.draws), reference)} if what.held_out else {}
    return {
        "training_steps": num_steps,
        "batch": effort.batch,
        "draws": effort.draws,
        "floor": distances(what, other, reference),
        **of_data,
        "points": points,
    }


def likelihood(model: Any, test: np.ndarray, log_scale: float) -> dict[str, float]:
    """The mean of -log p over data that were not trained on, where the model knows it."""
    if test.shape[1] > MOST_COORDINATES or not hasattr(model, "log_prob") or hasattr(model, "sample_position"):
        return {}
    values = eqx.filter_jit(lambda m, x: jax.lax.map(m.log_prob, x, batch_size=50))(
        model, jnp.asarray(test, jnp.float32)
    )
    return {"nll": float(log_scale - jnp.mean(values))}


def main() -> None:
    """Train one method on one target, for each of the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("method")
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--steps", type=int, help="steps of the optimiser, to try a method on a short training")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    effort = EFFORTS[given.target]
    if given.steps:
        effort = effort._replace(steps=given.steps, flow_steps=given.steps)
    with TemporaryDirectory() as programs:  # seeds share what is compiled
        jax.config.update("jax_compilation_cache_dir", programs)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        for seed in given.seeds:
            began = time.monotonic()
            cell = Cell(given.target, given.method, seed)
            found = outcome(problem(given.target), cell, effort)
            record = circumstances(PACKAGES) | {"seconds": time.monotonic() - began} | found
            write(cell, record, given.folder)
            jax.clear_caches()


if __name__ == "__main__":
    main()
