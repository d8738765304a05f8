"""What keeps the zig-zag model from the nine modes: the same sampler with exact ratios, and other trainings.

python scripts/benchmarks/generative_zig_zag.py takes ten minutes on one core and writes
docs/benchmarks/generative_zig_zag.json, which the page of the study shows; delete it to run all again. Coordinates of
the zig-zag process are independent given the start, and the data are a mixture of products of normal laws: the exact
ratios follow from Kolmogorov's equation in one dimension, solved for each centre of a coordinate.
"""

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from cells import circumstances
from flows_metrics import sliced_wasserstein
from flows_targets import TRAINING_DRAWS, nine_modes
from generative_cell import PACKAGES
from generative_grid import FOLDER, FULL
from generative_models import DEPTH, LEARNING_RATE, WIDTH
from jaxtyping import Array, Float

from cosmoflow.generative import TimeNetwork, ZigZagModel
from cosmoflow.generative._zig_zag import ratio_matching
from cosmoflow.training import Matching, default_optimizer, fit

PATH = FOLDER.with_name("generative_zig_zag.json")
CENTRES = np.array([-1.0, 0.0, 1.0])
DEVIATION = 0.1
EDGE, DT = 6.0, 0.01
NUM_DRAWS, NUM_TEST, NUM_BINS = 10_000, 20_000, 5
STEPS = (10, 20, 50, 100)


class Data(NamedTuple):
    """Standardised draws, and the mixture that they are of."""

    draws: np.ndarray
    reference: np.ndarray
    mean: np.ndarray
    scale: float
    weights: np.ndarray


class ExactRatios(eqx.Module):
    """log p_t(R_i v | x) / p_t(v | x) of both coordinates.

    Args:
        log_laws: log p_t(x, v) of one coordinate from each centre, shape (coordinate, centre, velocity, time, cell).
        log_weights: Of the modes, shape (centre, centre).
        horizon: T.
    """

    log_laws: Float[Array, "2 centre 2 time cell"]
    log_weights: Float[Array, "centre centre"]
    horizon: float = eqx.field(static=True)

    def __call__(self, x_and_v: Float[Array, "4"], clock: Array, condition: None = None) -> Float[Array, "2"]:
        """Linear between times and cells."""
        x, v = x_and_v[:2], x_and_v[2:]
        along = jnp.clip((x + EDGE) / DT - 0.5, 0, self.log_laws.shape[-1] - 1.001)
        place = jnp.clip(self.horizon * clock**2 / DT, 0, self.log_laws.shape[-2] - 1.001)
        i, k = jnp.floor(along).astype(int), jnp.floor(place).astype(int)
        a, b = along - i, place - k
        both = jnp.arange(2)

        def of(late: int, right: int) -> Array:
            return self.log_laws[both, :, :, k + late, i + right]

        a = a[:, None, None]
        laws = (1 - b) * ((1 - a) * of(0, 0) + a * of(0, 1)) + b * ((1 - a) * of(1, 0) + a * of(1, 1))

        def joint(v: Array) -> Array:
            first, second = laws[both, :, (v > 0).astype(int)]
            return jax.nn.logsumexp(self.log_weights + first[:, None] + second[None])

        return jnp.stack([joint(v.at[j].multiply(-1)) for j in range(2)]) - joint(v)


def exact_ratios(data: Data, horizon: float) -> ExactRatios:
    """From Kolmogorov's forward equation: flips are exact at fixed x, and a step moves both laws by one cell."""
    x = DT * (np.arange(round(2 * EDGE / DT)) - round(EDGE / DT) + 0.5)
    centres = (CENTRES - data.mean[:, None]) / data.scale
    start = np.exp(-0.5 * ((x - centres[..., None]) * data.scale / DEVIATION) ** 2)
    p = np.repeat(start[:, :, None] / start.sum(axis=-1)[:, :, None, None] / 2, 2, axis=2)
    staying = np.exp(-0.5 * DT * np.maximum(np.stack([-x, x]), 0))

    def flipped(p: np.ndarray) -> np.ndarray:
        gone = p * (1 - staying)
        return p - gone + gone[:, :, ::-1]

    laws = [p]
    for _ in range(round(horizon / DT)):
        p = flipped(p)
        p = flipped(np.stack([np.roll(p[:, :, 0], -1, axis=-1), np.roll(p[:, :, 1], 1, axis=-1)], axis=2))
        laws.append(p)
    log_laws = np.log(np.stack(laws, axis=3) + 1e-30)
    return ExactRatios(jnp.asarray(log_laws, jnp.float32), jnp.asarray(np.log(data.weights), jnp.float32), horizon)


class Switched(eqx.Module):
    """One network from a clock on, another one before it."""

    late: Callable
    early: Callable
    clock: float = eqx.field(static=True)

    def __call__(self, x_and_v: Array, clock: Array, condition: None = None) -> Array:
        """Of the one whose turn it is."""
        return jnp.where(clock > self.clock, self.late(x_and_v, clock), self.early(x_and_v, clock))


USUAL = "as in the study"
TRAININGS = {
    USUAL: FULL.steps,
    "a quarter of the steps": FULL.steps // 4,
    "four times the steps": 4 * FULL.steps,
}
"""Steps of the optimiser."""


def trained(data: Data, num_steps: int) -> tuple[TimeNetwork, np.ndarray]:
    """The network, and its validation losses."""
    key_model, key_fit, _ = jr.split(jr.key(0), 3)
    network = TimeNetwork(4, 2, width=WIDTH, depth=DEPTH, key=key_model)
    model, history = fit(
        ZigZagModel(2, network),
        Matching(),
        num_steps=num_steps,
        key=key_fit,
        data=jnp.asarray(data.draws, jnp.float32),
        batch_size=FULL.batch,
        optimizer=default_optimizer(num_steps, LEARNING_RATE),
    )
    return model.network, history.validation


def distances(data: Data, network: Callable, horizon: float) -> dict[str, float]:
    """Sliced Wasserstein distances of draws, by steps."""

    @eqx.filter_jit
    def draws(network: Callable, num_steps: int) -> Array:
        model = ZigZagModel(2, network, horizon)
        return jax.vmap(lambda k: model.sample(k, num_steps=num_steps))(jr.split(jr.key(1), NUM_DRAWS))

    def distance(num_steps: int) -> float:
        found = data.mean + data.scale * np.asarray(draws(network, num_steps), float)
        return sliced_wasserstein(found, data.reference, np.random.default_rng(0))

    return {str(n): distance(n) for n in STEPS}


@eqx.filter_jit
def regrets(network: Callable, exact: ExactRatios, x: Array, key: Array) -> tuple[Array, Array]:
    """Clock and loss above that of the exact ratios, for each datum."""

    def one(x: Array, key: Array) -> tuple[Array, Array]:
        model = ZigZagModel(2, network, exact.horizon)
        key_time, key_run = jr.split(key)
        time, clock = model.random_clock(key_time)
        x, v = model.noised(x, time, key=key_run)

        def loss(law: Callable) -> Array:
            return ratio_matching(lambda v: law(jnp.concatenate([x, v]), clock), v, key=key)

        return clock, loss(network) - loss(exact)

    return jax.vmap(one)(x, jr.split(key, len(x)))


def main() -> None:
    """Exact ratios, trainings, and networks with exact ratios at late or early times."""
    what, rng = nine_modes(), np.random.default_rng(0)
    assert what.draw is not None and what.weights is not None
    raw = what.draw(rng, TRAINING_DRAWS)
    mean, scale = raw.mean(axis=0), float(raw.std())
    reference, other = np.split(what.draw(rng, 2 * NUM_DRAWS), 2)
    data = Data((raw - mean) / scale, reference, mean, scale, what.weights.reshape(3, 3))
    floor = sliced_wasserstein(other, reference, np.random.default_rng(0))
    result: dict[str, Any] = json.loads(PATH.read_text()) if PATH.exists() else {"floor": floor, "rows": {}}
    exact = {horizon: exact_ratios(data, horizon) for horizon in (5.0, 10.0)}
    if not result["rows"]:
        for horizon, ratios in exact.items():
            result["rows"][f"exact ratios, T = {horizon:g}"] = {"distances": distances(data, ratios, horizon)}
    for name, num_steps in TRAININGS.items():
        if name in result["rows"]:
            continue
        clock = time.process_time()
        network, validation = trained(data, num_steps)
        row: dict[str, Any] = {"training": time.process_time() - clock, "best_chunk": int(np.nanargmin(validation))}
        row |= {"chunks": len(validation), "distances": distances(data, network, 5.0)}
        clocks, regret = map(np.asarray, regrets(network, exact[5.0], jnp.asarray(data.draws[:NUM_TEST]), jr.key(2)))
        bins = np.minimum((clocks * NUM_BINS).astype(int), NUM_BINS - 1)
        row["regret"] = [float(regret[bins == b].mean()) for b in range(NUM_BINS)]
        result["rows"][name] = row
        print(name, row, flush=True)
        if name == USUAL:
            for text, mixed in (
                (f"{USUAL}, exact ratios above t = 0.8", Switched(exact[5.0], network, 0.4)),
                (f"{USUAL}, exact ratios below t = 0.8", Switched(network, exact[5.0], 0.4)),
            ):
                result["rows"][text] = {"distances": distances(data, mixed, 5.0)}
        PATH.write_text(json.dumps(circumstances(PACKAGES) | result, indent=1) + "\n")


if __name__ == "__main__":
    main()
