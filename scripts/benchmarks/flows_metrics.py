"""How good a trained flow is: bounds, distances, weights of modes, importance sampling, and what it costs."""

import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flowjax.distributions import AbstractDistribution
from flows_targets import Problem
from jax.scipy.special import logsumexp

from cosmoflow.flows import HamiltonianFlow, importance_sample, pareto_smooth
from cosmoflow.training import AbstractLoss, default_optimizer

NUM_TEST = 2000
NUM_MOMENTA = 128
NUM_MOMENTA_OF_WEIGHTS = 4
NUM_DRAWS = 10_000
NUM_SETS = 10
NUM_PROJECTIONS = 128
REPETITIONS = 5


def metrics(what: Problem, model: AbstractDistribution, seed: int) -> dict[str, Any]:
    """All that can be said of a model of a target."""
    keys = jr.split(jr.key(1000 + seed), 4)
    rng = np.random.default_rng(1000 + seed)
    draws = np.asarray(positions(model, keys[0], NUM_SETS * NUM_DRAWS), np.float64)
    result: dict[str, Any] = {"seconds_of_draws": sampling_seconds(model, keys[1])}
    if (held_out := what.held_out or what.draw) is not None:
        test, other = (held_out(rng, NUM_SETS * NUM_DRAWS) for _ in range(2))
        result["nll"], result["nll_error"] = negative_log_likelihood(model, test[:NUM_TEST], keys[2])
        if what.target is not None and what.log_evidence is not None:
            log_density = jax.vmap(what.target.log_density)(jnp.asarray(test[:NUM_TEST], float))
            result["entropy_gap"] = result["nll"] + float(jnp.mean(log_density)) - what.log_evidence
        result["sliced_wasserstein"] = mean_sliced_wasserstein(draws, test, rng)
        result["sliced_wasserstein_floor"] = mean_sliced_wasserstein(other, test, rng)
    if what.mode_of is not None and what.weights is not None:
        modes = what.mode_of(draws)
        found = np.stack([(modes == mode).mean(axis=0) for mode in range(len(what.weights))])
        wanted = what.weights[:, None]
        judged = found[-1:] if modes.shape[1] > 1 else found
        result["mode_weight_error"] = float(np.max(np.abs(judged / wanted[-len(judged) :] - 1)))
        result["mode_distance"] = float(np.max(0.5 * np.abs(found - wanted).sum(axis=0)))
    if what.target is not None:
        log_weights = importance_weights(model, what.target, keys[3])
        fractions, log_evidences = ess_fractions(log_weights), log_means(log_weights)
        result["pareto_k"] = float(pareto_smooth(jnp.asarray(log_weights.ravel()))[1])
        result["ess_fraction"] = float(np.median(fractions))
        result["ess_fraction_least"] = float(np.min(fractions))
        if isinstance(model, HamiltonianFlow):
            on_phase_space = importance_weights(model, what.target, keys[3], num_momenta=1)
            result["ess_fraction_on_phase_space"] = float(np.median(ess_fractions(on_phase_space)))
        result["log_evidence"] = float(np.median(log_evidences))
        if what.log_evidence is not None:
            result["log_evidence_error"] = float(np.median(np.abs(log_evidences - what.log_evidence)))
    return result


@eqx.filter_jit
def positions(model: AbstractDistribution, key: jax.Array, num: int) -> jax.Array:
    """Draws of the positions, shape (num, dim)."""
    if isinstance(model, HamiltonianFlow):
        return jax.vmap(lambda k: model.sample_position(key=k))(jr.split(key, num))
    return model.sample(key, (num,))


def sampling_seconds(model: AbstractDistribution, key: jax.Array) -> float:
    """Least wall time of several, for `NUM_DRAWS` draws, already compiled."""

    def once() -> float:
        began = time.perf_counter()
        jax.block_until_ready(positions(model, key, NUM_DRAWS))
        return time.perf_counter() - began

    once()
    return min(once() for _ in range(REPETITIONS))


def negative_log_likelihood(model: AbstractDistribution, x: np.ndarray, key: jax.Array) -> tuple[float, float]:
    """Its mean and standard error; of Hamiltonian flows an upper bound, importance-weighted over many momenta."""
    points = jnp.asarray(x, float)
    if isinstance(model, HamiltonianFlow):
        bound = eqx.filter_jit(lambda q, k: model.log_marginal(q, num_samples=NUM_MOMENTA, key=k))
        values = jax.lax.map(lambda a: bound(*a), (points, jr.split(key, len(points))), batch_size=100)
    else:
        values = model.log_prob(points)
    values = -np.asarray(values, np.float64)
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def mean_sliced_wasserstein(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> float:
    """Mean over `NUM_SETS` pairs of sets of draws: of one pair, it scatters by a half."""
    pairs = zip(np.split(x, NUM_SETS), np.split(y, NUM_SETS), strict=True)
    return float(np.mean([sliced_wasserstein(a, b, rng) for a, b in pairs]))


def sliced_wasserstein(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> float:
    """Root of the mean over directions of the squared 2-Wasserstein distance of projections."""
    directions = rng.standard_normal((x.shape[1], NUM_PROJECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    return float(np.sqrt(np.mean((np.sort(x @ directions, axis=0) - np.sort(y @ directions, axis=0)) ** 2)))


def importance_weights(
    model: AbstractDistribution, target: Any, key: jax.Array, num_momenta: int = NUM_MOMENTA_OF_WEIGHTS
) -> np.ndarray:
    """log pi / q of draws of the model, shape (set, draw); of Hamiltonian flows with several momenta for each."""
    if isinstance(model, HamiltonianFlow):
        num = NUM_SETS * NUM_DRAWS
        log_weights = importance_sample(model, target, num_samples=num, num_momenta=num_momenta, key=key).log_weights
    else:
        x, log_prob = eqx.filter_jit(lambda k: model.sample_and_log_prob(k, (NUM_SETS * NUM_DRAWS,)))(key)
        log_weights = jax.jit(jax.vmap(target.log_density))(x) - log_prob
    log_weights = np.asarray(log_weights, np.float64)
    return np.where(np.isnan(log_weights), -np.inf, log_weights).reshape(NUM_SETS, NUM_DRAWS)


def log_means(log_weights: np.ndarray) -> np.ndarray:
    """Of each set of weights."""
    return np.asarray(logsumexp(jnp.asarray(log_weights), axis=1)) - np.log(log_weights.shape[1])


def ess_fractions(log_weights: np.ndarray) -> np.ndarray:
    """Kish's effective sample size over the number of draws, of each set."""
    return np.exp(2 * log_means(log_weights) - log_means(2 * log_weights))


def training_step(model: AbstractDistribution, loss: AbstractLoss, batch: Any) -> dict[str, float]:
    """Wall seconds and peak memory in bytes of one compiled step of the optimiser."""
    learned, static = eqx.partition(model, eqx.is_inexact_array)
    optimizer = default_optimizer(1000)

    def step(learned: Any, state: Any, batch: Any, key: jax.Array) -> Any:
        gradient = jax.grad(lambda p: loss(eqx.combine(p, static), batch, key=key))(learned)
        updates, state = optimizer.update(gradient, state, learned)
        return eqx.apply_updates(learned, updates), state

    arguments = (learned, optimizer.init(learned), batch, jr.key(0))
    compiled = jax.jit(step).lower(*arguments).compile()

    def seconds() -> float:
        began = time.perf_counter()
        for _ in range(10):
            jax.block_until_ready(compiled(*arguments))
        return (time.perf_counter() - began) / 10

    seconds()
    memory = compiled.memory_analysis().temp_size_in_bytes
    return {"seconds_of_step": min(seconds() for _ in range(REPETITIONS)), "bytes_of_step": float(memory)}
