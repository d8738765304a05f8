"""Cells of the benchmark of amortised posteriors: a model trained and tested, or some skies sampled."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from amortised_skies import Compressed, Summary, compressed, pairs
from field_calibration import CELLS_PER_SIDE, DECOHERENCE, DEGREES, SKIES, STEP, TOGETHER
from field_skies import Plan, coordinates, correlation_time, draw_skies, ranks, survey
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import StandardNormal
from flowjax.flows import coupling_flow

from cosmoflow.flows import HamiltonianFlow, fixed_kinetic_flow
from cosmoflow.generative import AbstractGenerativeModel, AbstractProbabilityFlow, Diffusion, FlowMatching, TimeNetwork
from cosmoflow.samplers import MCLMC
from cosmoflow.targets import Posterior
from cosmoflow.training import AbstractLoss, Matching, NegativeELBO, default_optimizer, fit

QUANTITIES = ("Omega_m", "sigma8", "S8")
TESTS = (*QUANTITIES, "density", "distance")
NUM_PAIRS, NUM_TESTS = 10_000, 500
TRAINING_STEPS, LEARNING_RATE = 3000, 3e-3
SOLVER_STEPS, TOLERANCE, MOMENTA = 20, 1e-4, 32
NUM_RANKED, NUM_DRAWS = 99, 2000
PLAN = Plan(thinning=8, num_draws=99, num_settling=10)
NARROWED, NOISIER = 0.7, 1.05
CONTROLS = {"narrowed": f"draws narrowed to {NARROWED:g}", "noisier": f"maps with {NOISIER - 1:.0%} more noise"}
OMEGA_M, SIGMA8 = np.linspace(0.2, 0.4, 41), np.linspace(0.6, 1.0, 41)
"""Where the density of one posterior is shown."""

MODELS: dict[str, Callable[[jax.Array], Any]] = {
    "flow matching": lambda key: FlowMatching(2, network(key)),
    "diffusion": lambda key: Diffusion(2, network(key), sampler="ode"),
    "spline coupling": lambda key: coupling_flow(
        key,
        base_dist=StandardNormal((2,)),
        transformer=RationalQuadraticSpline(knots=8, interval=5),
        cond_dim=2,
        flow_layers=4,
        nn_width=32,
    ),
    "Hamiltonian flow": lambda key: fixed_kinetic_flow(2, cond_dim=2, width=32, key=key),
}
SAMPLER = "sampler"


class Cell(NamedTuple):
    """A model trained and tested, or some skies sampled."""

    method: str
    number: int


CELLS = [*(Cell(name, 0) for name in MODELS), *(Cell(SAMPLER, number) for number in range(SKIES // TOGETHER))]


def network(key: jax.Array) -> TimeNetwork:
    return TimeNetwork(2, 2, cond_size=2, width=32, depth=3, key=key)


class ConditionalLikelihood(AbstractLoss):
    """-E[log q(z | t)], for models with a density of their own."""

    def __call__(self, model: Any, batch: Any, *, key: jax.Array) -> jax.Array:
        """The mean over a batch of pairs of z and t."""
        return -jnp.mean(model.log_prob(*batch))


def loss(model: Any) -> Any:
    if isinstance(model, AbstractGenerativeModel):
        return Matching()
    return NegativeELBO() if isinstance(model, HamiltonianFlow) else ConditionalLikelihood()


def draw(model: Any, t: jax.Array, key: jax.Array) -> jax.Array:
    """One draw of z given the statistic t."""
    if isinstance(model, AbstractGenerativeModel):
        return model.sample(key, num_steps=SOLVER_STEPS, condition=t)
    if isinstance(model, HamiltonianFlow):
        return model.sample_position(key=key, condition=t)
    return model.sample(key, condition=t)


def log_density(model: Any, z: jax.Array, t: jax.Array) -> jax.Array:
    """log q(z | t); of a Hamiltonian flow, a bound."""
    if isinstance(model, AbstractProbabilityFlow):
        return model.log_prob(z, condition=t, rtol=TOLERANCE, atol=TOLERANCE)
    if isinstance(model, HamiltonianFlow):
        return model.log_marginal(z, num_samples=MOMENTA, key=jr.key(0), condition=t)
    return model.log_prob(z, t)


@eqx.filter_jit
def drawn(model: Any, statistics: jax.Array, num_draws: int, key: jax.Array) -> jax.Array:
    """Draws given each statistic, shape (sky, draw, 2)."""

    def one(given):
        t, key = given
        return jax.vmap(lambda k: draw(model, t, k))(jr.split(key, num_draws))

    return jax.lax.map(one, (statistics, jr.split(key, len(statistics))), batch_size=TOGETHER)


@eqx.filter_jit
def log_densities(model: Any, z: jax.Array, statistics: jax.Array) -> jax.Array:
    """log q at points z of shape (sky, point, 2)."""
    one = jax.vmap(lambda z, t: log_density(model, z, t), (0, None))
    return jax.lax.map(lambda given: one(*given), (z, statistics), batch_size=TOGETHER)


@eqx.filter_jit
def answered(model: Any, statistic: Compressed, maps: jax.Array, key: jax.Array) -> jax.Array:
    """As many draws for each map as the sampler makes, from the map on."""

    def one(data, key):
        t = statistic(data)
        return jax.vmap(lambda k: draw(model, t, k))(jr.split(key, PLAN.num_draws))

    return jax.vmap(one)(maps, jr.split(key, len(maps)))


def quantities(z: np.ndarray) -> np.ndarray:
    """Omega_m, sigma8 and S8, from coordinates of the prior."""
    omega_m, sigma8 = (np.asarray(block.forward(z[..., i])) for i, block in enumerate(posterior().prior.blocks[:2]))
    return np.stack([omega_m, sigma8, sigma8 * np.sqrt(omega_m / 0.3)], axis=-1)


def coordinates_of(values: np.ndarray) -> np.ndarray:
    """Coordinates of the prior, from Omega_m and sigma8."""
    blocks = posterior().prior.blocks[:2]
    return np.stack([np.asarray(block.inverse(values[..., i])) for i, block in enumerate(blocks)], axis=-1)


def distance_ranks(truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """How many draws are closer than the truth to a point at random, a draw of the prior, for each sky."""
    points = np.random.default_rng(0).normal(size=(len(truth), 1, 2))
    return np.sum(np.linalg.norm(draws - points, axis=-1) < np.linalg.norm(truth[:, None] - points, axis=-1), axis=1)


def moments(z: np.ndarray) -> dict[str, list]:
    """Means and deviations of the quantities, and the area of both parameters, from draws of shape (sky, draw, 2)."""
    values = quantities(z)
    area = [float(np.sqrt(np.linalg.det(np.cov(some.T)))) for some in values[..., :2]]
    return {"mean": rounded(values.mean(axis=1)), "sd": rounded(values.std(axis=1)), "area": rounded(area)}


def rounded(values: Any) -> list:
    """To five digits."""
    return np.vectorize(lambda v: float(f"{v:.5g}"))(values).tolist()


@cache
def posterior() -> Posterior:
    return survey(CELLS_PER_SIDE, DEGREES)


def sky_keys() -> jax.Array:
    """Of the skies that are sampled: those of the calibration of the sampler, shape (cell, sky)."""
    return jr.split(jr.fold_in(jr.key(7), 0), SKIES).reshape(-1, TOGETHER)


class Known(NamedTuple):
    """What all models share: pairs for training, and for tests, the statistic, and what they cost."""

    statistic: Compressed
    pairs: tuple[np.ndarray, np.ndarray]
    tests: tuple[np.ndarray, np.ndarray]
    noisier: tuple[np.ndarray, np.ndarray]
    costs: dict[str, float]


@cache
def known() -> Known:
    """Half of the simulations for the statistic, half for the models, and fresh ones for tests."""
    keys = jr.split(jr.key(0), 6)
    clocks = [time.process_time()]
    summary = Summary.of(posterior(), keys[0])
    z, summaries = pairs(posterior(), summary, jr.split(keys[1], NUM_PAIRS))
    clocks.append(time.process_time())
    statistic = compressed(summary, z, summaries, keys[2])
    clocks.append(time.process_time())
    training = pairs(posterior(), statistic, jr.split(keys[3], NUM_PAIRS))
    clocks.append(time.process_time())
    first, compression, second = np.diff(clocks)
    noisier = eqx.tree_at(lambda p: p.likelihood.noise.sd, posterior(), replace_fn=lambda sd: NOISIER * sd)
    return Known(
        statistic,
        training,
        pairs(posterior(), statistic, jr.split(keys[4], NUM_TESTS)),
        pairs(noisier, statistic, jr.split(keys[5], NUM_TESTS)),
        {"simulation_cpu_seconds": float(first + second), "compression_cpu_seconds": float(compression)},
    )


def tested(model: Any, skies: tuple[np.ndarray, np.ndarray], narrowing: float = 1.0) -> list[list[int]]:
    """How often the truth has each rank among draws, shape (test, rank)."""
    z, t = skies
    draws = np.asarray(drawn(model, jnp.asarray(t), NUM_RANKED, jr.key(1)))
    centre = draws.mean(axis=1, keepdims=True)
    draws = centre + narrowing * (draws - centre)
    densities = np.asarray(log_densities(model, jnp.concatenate([z[:, None], draws], axis=1), jnp.asarray(t)))
    columns = [
        *ranks(quantities(z), quantities(draws)).T,
        np.sum(densities[:, 1:] > densities[:, :1], axis=1),
        distance_ranks(z, draws),
    ]
    return [np.bincount(column, minlength=NUM_RANKED + 1).tolist() for column in columns]


def outcome_of_model(name: str) -> dict[str, Any]:
    """Training, tests, and posteriors of the skies that are sampled."""
    everything = known()
    key_model, key_fit, key_draws = jr.split(jr.key(2), 3)
    clock = time.process_time()
    untrained = MODELS[name](key_model)
    model, _ = fit(
        untrained,
        loss(untrained),
        data=tuple(map(jnp.asarray, everything.pairs)),
        num_steps=TRAINING_STEPS,
        chunk=500,
        optimizer=default_optimizer(TRAINING_STEPS, LEARNING_RATE),
        key=key_fit,
    )
    training = time.process_time() - clock
    tests = {name: tested(model, everything.tests)}
    if name == next(iter(MODELS)):
        tests[CONTROLS["narrowed"]] = tested(model, everything.tests, NARROWED)
        tests[CONTROLS["noisier"]] = tested(model, everything.noisier)
    truth, maps = pairs(posterior(), lambda data: data, jax.vmap(lambda k: jr.split(k, 4)[0])(sky_keys().ravel()))
    arguments = model, everything.statistic, jnp.asarray(maps), key_draws
    program = answered.lower(*arguments).compile()
    clock = time.process_time()
    jax.block_until_ready(program(*arguments))
    seconds = time.process_time() - clock
    statistics = jax.jit(jax.vmap(everything.statistic))(jnp.asarray(maps))
    points = np.stack(np.meshgrid(OMEGA_M, SIGMA8, indexing="ij"), axis=-1).reshape(1, -1, 2)
    shown = log_densities(model, jnp.asarray(coordinates_of(points)), statistics[:1])[0]
    return {
        **everything.costs,
        "training_cpu_seconds": training,
        "cpu_seconds_per_sky": seconds / len(maps),
        "tests": tests,
        "truth": rounded(truth),
        **moments(np.asarray(drawn(model, statistics, NUM_DRAWS, key_draws))),
        "log_density_of_first": rounded(shown),
    }


@cache
def sampling() -> tuple[Callable[..., Any], tuple]:
    """The compiled sampler, and its arguments without the keys of the skies."""
    sampler = MCLMC(step_size=0.5 * STEP, decoherence=DECOHERENCE)
    arguments = posterior(), coordinates(posterior()), sampler, PLAN
    return draw_skies.lower(*arguments, sky_keys()[0]).compile(), arguments


def outcome_of_sampler(number: int) -> dict[str, Any]:
    """Posteriors of some skies."""
    program, arguments = sampling()
    clock = time.process_time()
    truth, draws, _ = (np.asarray(part) for part in jax.block_until_ready(program(*arguments, sky_keys()[number])))
    seconds = time.process_time() - clock
    z_truth, z = coordinates_of(truth), coordinates_of(draws)
    found = quantities(z)
    return {
        "cpu_seconds_per_sky": seconds / TOGETHER,
        "gradients_per_sky": 2 * PLAN.thinning * (PLAN.num_draws + PLAN.num_settling),
        "correlation_time": rounded(correlation_time(found)),
        "ranks": np.column_stack([ranks(quantities(z_truth), found), distance_ranks(z_truth, z)]).tolist(),
        "truth": rounded(z_truth),
        **moments(z),
        "draws_of_first": rounded(found[0, :, :2]),
    }
