"""What draws of generative models look like after few steps and after many, on the nine modes and the checkerboard.

python scripts/benchmarks/generative_portrait.py trains each method once (some minutes on one core) and draws
docs/images/generative_portrait.png.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from cells import ROOT
from flows_targets import TRAINING_DRAWS
from generative_cell import BATCH, FEW_STEPS, NUM_STEPS
from generative_figure import SHOWN, label
from generative_models import trainings
from generative_targets import problem

from cosmoflow.training import default_optimizer, fit

FIGURE = ROOT / "docs" / "images" / "generative_portrait.png"
TARGETS = ("nine_modes", "checkerboard")
METHODS = ("ddpm", "diffusion", "oscillation", "zig_zag", "randomised_hamiltonian", "hamiltonian_flow")
STEPS = (1, 2, 5, 10, 50)
NUM_DRAWS = 5000


def draws(target: str, method: str) -> dict[int, np.ndarray]:
    """Of a method trained on a target, by steps."""
    what = problem(target)
    assert what.draw is not None
    data = what.draw(np.random.default_rng(0), TRAINING_DRAWS)
    mean, scale = data.mean(axis=0), data.std()
    key_model, key_fit, key_draw = jr.split(jr.key(0), 3)
    found, num_steps = {}, FEW_STEPS.get(method, NUM_STEPS)
    for training in trainings(method, target, what.dim, key_model):
        model, _ = fit(
            training.model,
            training.loss,
            num_steps=num_steps,
            key=key_fit,
            data=jnp.asarray((data - mean) / scale, jnp.float32),
            batch_size=BATCH,
            optimizer=default_optimizer(num_steps, training.rate),
        )
        for point in training.points(model):
            if point.way == SHOWN.get(method, "") and point.steps in STEPS:
                many = jax.jit(jax.vmap(lambda k, draw=point.draw, model=model: draw(model, k)))
                found[point.steps] = mean + scale * np.asarray(many(jr.split(key_draw, NUM_DRAWS)))
    return found


def main() -> None:
    """Train and draw."""
    rows = [(target, method) for target in TARGETS for method in METHODS]
    fig, axes = plt.subplots(len(STEPS), len(rows), figsize=(1.3 * len(rows), 1.35 * len(STEPS)))
    for column, (target, method) in zip(axes.T, rows, strict=True):
        found, extent = draws(target, method), 1.5 if target == "nine_modes" else 2.4
        for axis, steps in zip(column, STEPS, strict=True):
            if steps in found:
                x, y = found[steps].T
                axis.plot(x, y, ",", color="black", alpha=0.6)
            axis.set(xlim=(-extent, extent), ylim=(-extent, extent), xticks=[], yticks=[], aspect="equal")
        column[0].set_title(label(method, SHOWN.get(method, "")).replace(" (", "\n(").replace(", ", ",\n"), fontsize=7)
    for axis, steps in zip(axes[:, 0], STEPS, strict=True):
        axis.set_ylabel(f"{steps} step{'s' * (steps > 1)}", fontsize=8)
    fig.tight_layout(pad=0.3)
    fig.savefig(FIGURE, dpi=150)
    plt.close(fig)


if __name__ == "__main__":
    main()
