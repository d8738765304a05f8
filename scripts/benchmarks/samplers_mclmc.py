"""Microcanonical Langevin samplers of BlackJAX with their own tuning; every step takes two gradients."""

import warnings
from collections.abc import Callable
from typing import Any

import blackjax
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from blackjax.mcmc import adjusted_mclmc_dynamic
from samplers_clock import Clock
from samplers_outcome import CHAINS, WARMUP_DRAWS, Counts, Outcome, Sampler, joined, spend
from samplers_targets import Problem

CHUNK = 500
BURN_IN = 500
"""Steps per chain on the way from the starting points, where a tuning does not hand on its last state."""

LOW_RANK_SHARE = 0.8
PILOT_DRAWS = 10_000
"""As documented for a condition number of 1000: a rank of 0.8 dim, which it lowers where the pilot mixes badly."""

ADJUSTED_STEPS = 8.0
ACCEPTANCE = 0.9


def _scanned(step: Callable[[Any, jax.Array], tuple[Any, Any]]) -> Callable[..., Any]:
    """A chunk of steps of all chains, compiled; the parameters of a step differ between chains."""

    @jax.jit
    def chunk(states: Any, parameters: Any, key: jax.Array) -> Any:
        def advance(states: Any, key: jax.Array) -> Any:
            return jax.vmap(step)(states, parameters, jr.split(key, CHAINS))

        states, (positions, steps) = jax.lax.scan(advance, states, jr.split(key, CHUNK))
        return states, jnp.swapaxes(positions, 0, 1), jnp.sum(steps)

    return chunk


def _spend(problem: Problem, chunk: Callable[..., Any], states: Any, parameters: Any, key: jax.Array) -> Any:
    def advance(carry: Any, left: float) -> Any:
        states, key = carry
        key, subkey = jr.split(key)
        states, draws, steps = chunk(states, parameters, subkey)
        return (states, key), draws, Counts(2.0 * float(steps))

    return spend(problem.budget, advance, (states, key))


def _mclmc_step(problem: Problem) -> Callable[..., Any]:
    kernel = blackjax.mclmc.build_kernel()

    def step(state: Any, parameters: Any, key: jax.Array) -> Any:
        metric, length, step_size = parameters
        state, _ = kernel(key, state, problem.target.log_density, metric, length, step_size)
        return state, (state.position, 1)

    return step


def mclmc(problem: Problem) -> Sampler:
    """The three stages of `mclmc_find_L_and_step_size` with a diagonal metric, for every chain its own."""
    log_density = problem.target.log_density
    num_steps = problem.budget // (2 * CHAINS)
    chunk = _scanned(_mclmc_step(problem))

    @jax.jit
    @jax.vmap
    def tune(key: jax.Array, position: jax.Array) -> Any:
        key_init, key_tune = jr.split(key)
        return blackjax.mclmc_find_L_and_step_size(
            mclmc_kernel=blackjax.mclmc.build_kernel(),
            num_steps=num_steps,
            state=blackjax.mclmc.init(position, log_density, key_init),
            rng_key=key_tune,
            logdensity_fn=log_density,
            diagonal_preconditioning=True,
        )

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_tune, key_run = jr.split(key)
        with Clock() as warming:
            start = jnp.asarray(positions[:CHAINS])
            states, tuned, steps = jax.block_until_ready(tune(jr.split(key_tune, CHAINS), start))
        parameters = (tuned.inverse_mass_matrix, tuned.L, tuned.step_size)
        _, pieces, counts, clock = _spend(problem, chunk, states, parameters, key_run)
        notes = {"L": float(jnp.mean(tuned.L)), "step_size": float(jnp.mean(tuned.step_size))}
        return Outcome(joined(pieces), Counts(2.0 * float(jnp.sum(steps))), counts, warming, clock, notes)

    return run


def mclmc_low_rank(problem: Problem) -> Sampler:
    """`mclmc_lrd_warmup`: a diagonal pilot, a low-rank metric from its draws, tuning in it on four chains."""
    log_density = problem.target.log_density
    chunk = _scanned(_mclmc_step(problem))
    rank = max(1, int(LOW_RANK_SHARE * problem.target.dim))
    stages = 0.1 + 0.1 + 0.1 / 3 + 0.1, 0.1 + 0.1 + 0.1
    """Shares of the steps asked for that the tuning makes, with a diagonal metric and without."""

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_tune, key_init, key_burn, key_run = jr.split(key, 4)
        with Clock() as warming:
            start = jnp.asarray(positions[:CHAINS])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # it tells of every rank that it lowers
                tuned = blackjax.mclmc_lrd_warmup(
                    log_density, start[0], key_tune, k=rank, pilot_num_samples=PILOT_DRAWS, num_chains=CHAINS
                )
            values = (tuned.inverse_mass_matrix, tuned.L, tuned.step_size)
            parameters = jax.tree.map(lambda value: jnp.stack([value] * CHAINS), values)
            init = jax.vmap(lambda x, k: blackjax.mclmc.init(x, log_density, k))
            states, _, _ = chunk(init(start, jr.split(key_init, CHAINS)), parameters, key_burn)
            jax.block_until_ready(states)
        steps = stages[0] * WARMUP_DRAWS + PILOT_DRAWS + CHAINS * (stages[1] * WARMUP_DRAWS + BURN_IN)
        _, pieces, counts, clock = _spend(problem, chunk, states, parameters, key_run)
        notes = {"L": float(tuned.L), "step_size": float(tuned.step_size), "rank": tuned.diagnostics["k_used"]}
        return Outcome(joined(pieces), Counts(2 * steps), counts, warming, clock, notes)

    return run


def adjusted_mclmc(problem: Problem) -> Sampler:
    """`adjusted_mclmc_find_L_and_step_size` at eight steps per trajectory on average, of random lengths."""
    log_density = problem.target.log_density
    num_steps = int(problem.budget / (2 * ADJUSTED_STEPS * CHAINS))
    kernel = adjusted_mclmc_dynamic.build_kernel(
        integration_steps_fn=adjusted_mclmc_dynamic.make_random_trajectory_length_fn(True)
    )

    @jax.jit
    @jax.vmap
    def tune(key: jax.Array, position: jax.Array) -> Any:
        key_init, key_tune = jr.split(key)
        return blackjax.adjusted_mclmc_find_L_and_step_size(
            mclmc_kernel=kernel,
            logdensity_fn=log_density,
            num_steps=num_steps,
            state=adjusted_mclmc_dynamic.init(position, log_density, key_init),
            rng_key=key_tune,
            target=ACCEPTANCE,
            diagonal_preconditioning=True,
            target_num_integration_steps=ADJUSTED_STEPS,
        )

    def step(state: Any, parameters: Any, key: jax.Array) -> Any:
        metric, length, step_size = parameters
        state, info = kernel(
            key,
            state,
            log_density,
            step_size,
            inverse_mass_matrix=metric,
            integration_steps_params=(length / step_size,),
        )
        return state, (state.position, info.num_integration_steps)

    chunk = _scanned(step)

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_tune, key_run = jr.split(key)
        with Clock() as warming:
            start = jnp.asarray(positions[:CHAINS])
            states, tuned, steps = jax.block_until_ready(tune(jr.split(key_tune, CHAINS), start))
        parameters = (tuned.inverse_mass_matrix, tuned.L, tuned.step_size)
        _, pieces, counts, clock = _spend(problem, chunk, states, parameters, key_run)
        notes = {"L": float(jnp.mean(tuned.L)), "step_size": float(jnp.mean(tuned.step_size))}
        return Outcome(joined(pieces), Counts(2.0 * float(jnp.sum(steps))), counts, warming, clock, notes)

    return run
