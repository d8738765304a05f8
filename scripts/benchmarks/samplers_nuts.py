"""NUTS of BlackJAX and of NumPyro behind their window adaptation, with a thousand draws of warm-up per chain."""

from functools import partial
from typing import Any

import blackjax
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from blackjax.adaptation.base import get_filter_adapt_info_fn
from numpyro.infer import NUTS as NumPyroNUTS
from samplers_clock import Clock
from samplers_outcome import CHAINS, WARMUP_DRAWS, Counts, Outcome, Sampler, joined, spend
from samplers_targets import Problem

CHUNK = 50
"""Draws per call: a draw may take a thousand gradients."""


def blackjax_nuts(problem: Problem, *, dense: bool) -> Sampler:
    """Window adaptation of step size and diagonal or dense metric, for every chain its own."""
    log_density = problem.target.log_density
    kernel = blackjax.nuts.build_kernel()
    adaptation = blackjax.window_adaptation(
        blackjax.nuts,
        log_density,
        is_mass_matrix_diagonal=not dense,
        adaptation_info_fn=get_filter_adapt_info_fn(info_keys={"num_integration_steps"}),
    )

    @jax.jit
    @jax.vmap
    def adapt(key: jax.Array, position: jax.Array) -> Any:
        (state, parameters), info = adaptation.run(key, position, WARMUP_DRAWS)
        return state, parameters, jnp.sum(info.info.num_integration_steps)

    @jax.jit
    @jax.vmap
    def chunk(key: jax.Array, state: Any, parameters: dict[str, jax.Array]) -> Any:
        def step(state: Any, key: jax.Array) -> Any:
            state, info = kernel(key, state, log_density, **parameters)
            return state, (state.position, info.num_integration_steps)

        state, (positions, steps) = jax.lax.scan(step, state, jr.split(key, CHUNK))
        return state, positions, steps

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_warmup, key = jr.split(key)
        with Clock() as warming:
            start = jnp.asarray(positions[:CHAINS])
            states, parameters, steps = jax.block_until_ready(adapt(jr.split(key_warmup, CHAINS), start))
        parameters = {name: parameters[name] for name in ("step_size", "inverse_mass_matrix")}

        def advance(carry: Any, left: float) -> Any:
            states, key = carry
            key, subkey = jr.split(key)
            states, draws, steps = chunk(jr.split(subkey, CHAINS), states, parameters)
            return (states, key), draws, Counts(float(jnp.sum(steps)))

        _, pieces, counts, clock = spend(problem.budget, advance, (states, key))
        notes = {"step_size": float(jnp.mean(parameters["step_size"]))}
        return Outcome(joined(pieces), Counts(float(jnp.sum(steps))), counts, warming, clock, notes)

    return run


def numpyro_nuts(problem: Problem) -> Sampler:
    """Its defaults: a diagonal metric, acceptance 0.8; the search for a first step size is not counted."""
    kernel = NumPyroNUTS(potential_fn=lambda x: -problem.target.log_density(x))

    @partial(jax.jit, static_argnums=1)
    def chunk(states: Any, length: int) -> Any:
        def step(states: Any, _: Any) -> Any:
            states = kernel.sample(states, (), {})
            return states, (states.z, states.num_steps)

        states, (positions, steps) = jax.lax.scan(step, states, length=length)
        return states, jnp.swapaxes(positions, 0, 1), jnp.sum(steps)

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        with Clock() as warming:
            start = jnp.asarray(positions[:CHAINS])
            states = kernel.init(jr.split(key, CHAINS), WARMUP_DRAWS, start, (), {})
            states, _, warmup_steps = jax.block_until_ready(chunk(states, WARMUP_DRAWS))

        def advance(states: Any, left: float) -> Any:
            states, draws, steps = chunk(states, CHUNK)
            return states, draws, Counts(float(steps))

        _, pieces, counts, clock = spend(problem.budget, advance, states)
        notes = {"step_size": float(jnp.mean(states.adapt_state.step_size))}
        return Outcome(joined(pieces), Counts(float(warmup_steps)), counts, warming, clock, notes)

    return run
