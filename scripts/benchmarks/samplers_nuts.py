"""NUTS of BlackJAX and of NumPyro behind their window adaptation, with a thousand draws of warm-up per chain."""

from typing import Any

import blackjax
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from blackjax.adaptation.base import get_filter_adapt_info_fn
from numpyro.infer import MCMC
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
    mcmc = MCMC(
        kernel,
        num_warmup=WARMUP_DRAWS,
        num_samples=2 * CHUNK,
        num_chains=CHAINS,
        chain_method="vectorized",
        progress_bar=False,
    )

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_warmup, key_run = jr.split(key)
        mcmc.post_warmup_state = None
        with Clock() as warming:
            start = jnp.asarray(positions[:CHAINS])
            mcmc.warmup(key_warmup, init_params=start, extra_fields=("num_steps",), collect_warmup=True)
            jax.block_until_ready(mcmc.last_state)
        warmup = Counts(float(np.sum(mcmc.get_extra_fields()["num_steps"])))
        mcmc.post_warmup_state = mcmc.last_state

        def advance(key: jax.Array, left: float) -> Any:
            key, subkey = jr.split(key)
            mcmc.run(subkey, extra_fields=("num_steps",))
            mcmc.post_warmup_state = mcmc.last_state
            steps = np.sum(mcmc.get_extra_fields(group_by_chain=True)["num_steps"])
            return key, mcmc.get_samples(group_by_chain=True), Counts(float(steps))

        _, pieces, counts, clock = spend(problem.budget, advance, key_run)
        return Outcome(joined(pieces), warmup, counts, warming, clock)

    return run
