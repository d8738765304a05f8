"""Ensembles: MEADS of BlackJAX and emcee."""

from typing import Any

import blackjax
import emcee
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from samplers_clock import Clock
from samplers_outcome import WARMUP_DRAWS, Counts, Outcome, Sampler, joined, spend
from samplers_targets import Problem

MEADS_CHAINS = 64
CHUNK = 100
MIN_WALKERS = 32
BURN_IN = 0.25
"""Share of the budget that emcee spends before its draws count."""


def meads(problem: Problem) -> Sampler:
    """Generalised HMC of 64 chains that tune one another; every step takes one gradient per chain."""
    log_density = problem.target.log_density
    adaptation = blackjax.meads_adaptation(
        log_density, num_chains=MEADS_CHAINS, adaptation_info_fn=lambda state, info, adaptation: None
    )
    kernel = blackjax.ghmc.build_kernel()

    @jax.jit
    def adapt(key: jax.Array, positions: jax.Array) -> Any:
        return adaptation.run(key, positions, WARMUP_DRAWS)[0]

    @jax.jit
    def chunk(states: Any, parameters: dict[str, jax.Array], key: jax.Array) -> Any:
        def step(states: Any, key: jax.Array) -> Any:
            advance = jax.vmap(lambda state, k: kernel(k, state, log_density, **parameters))
            states, _ = advance(states, jr.split(key, MEADS_CHAINS))
            return states, states.position

        states, positions = jax.lax.scan(step, states, jr.split(key, CHUNK))
        return states, jnp.swapaxes(positions, 0, 1)

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_warmup, key_run = jr.split(key)
        with Clock() as warming:
            states, parameters = jax.block_until_ready(adapt(key_warmup, jnp.asarray(positions[:MEADS_CHAINS])))

        def advance(carry: Any, left: float) -> Any:
            states, key = carry
            key, subkey = jr.split(key)
            states, draws = chunk(states, parameters, subkey)
            return (states, key), draws, Counts(float(CHUNK * MEADS_CHAINS))

        _, pieces, counts, clock = spend(problem.budget, advance, (states, key_run))
        warmup = Counts(float(WARMUP_DRAWS * MEADS_CHAINS))
        notes = {"step_size": float(parameters["step_size"]), "alpha": float(parameters["alpha"])}
        return Outcome(joined(pieces), warmup, counts, warming, clock, notes)

    return run


def emcee_stretch(problem: Problem) -> Sampler:
    """The affine-invariant ensemble with its default stretch move; densities only, in compiled batches.

    Walkers are read as chains, although they are not independent.
    """
    batch = jax.jit(jax.vmap(problem.target.log_density))
    walkers = max(MIN_WALKERS, 2 * problem.target.dim + 2)

    def log_density(points: np.ndarray) -> np.ndarray:
        values = np.asarray(batch(jnp.asarray(points)))
        return np.where(np.isnan(values), -np.inf, values)

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        sampler = emcee.EnsembleSampler(walkers, problem.target.dim, log_density, vectorize=True)
        sampler.random_state = np.random.RandomState(int(jr.randint(key, (), 0, 2**31 - 1))).get_state()

        def advance(state: Any, left: float) -> Any:
            sampler.reset()
            state = sampler.run_mcmc(state, CHUNK, skip_initial_state_check=True)
            draws = np.swapaxes(sampler.get_chain(), 0, 1).copy()
            return state, draws, Counts(densities=float(CHUNK * walkers))

        state, _, warmup, warming = spend(BURN_IN * problem.budget, advance, positions[:walkers])
        _, pieces, counts, clock = spend(problem.budget, advance, state)
        return Outcome(joined(pieces), warmup, counts, warming, clock, {"walkers": walkers})

    return run
