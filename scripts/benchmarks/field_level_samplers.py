"""Our samplers and BlackJAX's on a posterior of a field: tuned within a share of a budget, then one step at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import blackjax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from blackjax.adaptation.step_size import dual_averaging_adaptation
from blackjax.mcmc import adjusted_mclmc_dynamic

from cosmoflow.samplers import MCLMC, AbstractSampler, KineticLangevin
from cosmoflow.targets import AbstractTarget
from cosmoflow.warmup._tuner import Tuner

TUNING = 0.3
"""Share of the budget that tuning may take, where a package does not say it itself."""

NUM_WINDOWS = 16


class Problem(NamedTuple):
    """A target, where the chains start, and gradients that all chains together may take."""

    target: AbstractTarget
    positions: jax.Array
    budget: int

    @property
    def num_chains(self) -> int:
        """Chains."""
        return len(self.positions)


class Tuned(NamedTuple):
    """States of all chains, and a step of one chain: its state and how many gradients it took."""

    states: Any
    step: Callable[[Any, jax.Array], tuple[Any, jax.Array]]
    position: Callable[[Any], jax.Array]
    thin: int
    gradients: float
    notes: dict[str, float]


def ours(sampler: AbstractSampler, thin: int, shortened: float = 1.0) -> Callable[[Problem, jax.Array], Tuned]:
    """One of our samplers, tuned as a warm-up does it; its step then multiplied by a factor."""

    def tune(problem: Problem, key: jax.Array) -> Tuned:
        advance = eqx.filter_jit(
            lambda s, states, n, capacity: s.run_chunk(problem.target, states, n, capacity=capacity)
        )
        states = jax.jit(jax.vmap(lambda x, k: sampler.init(problem.target, x, key=k)))(
            problem.positions, jr.split(key, problem.num_chains)
        )
        tuner, gradients = Tuner(sampler), 0.0
        window = int(TUNING * problem.budget / (NUM_WINDOWS * problem.num_chains * per_step(sampler)))
        for _ in range(NUM_WINDOWS):
            states, draws, infos = advance(tuner.sampler, states, jnp.asarray(window), window)
            stats = {name: np.asarray(value) for name, value in vars(infos).items() if value is not None}
            tuner.update(np.asarray(draws.position), stats | {"lp": np.asarray(draws.log_density)})
            gradients += float(np.sum(infos.num_gradients))
        tuned: Any = tuner.tuned()
        tuned = eqx.tree_at(lambda s: s.step_size, tuned, shortened * tuned.step_size)

        def step(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            state, info = tuned.step(problem.target, state, key=key)
            return state, info.num_gradients

        notes = {name: float(getattr(tuned, name)) for name in tuned.tunable}
        return Tuned(states, step, lambda state: state.position, thin, gradients, notes)

    return tune


def per_step(sampler: Any) -> int:
    """Gradients of a step."""
    return sampler.integrator.num_gradients if isinstance(sampler, MCLMC) else 1


def blackjax_mclmc(energy_variance: float, *, diagonal: bool) -> Callable[[Problem, jax.Array], Tuned]:
    """`mclmc_find_L_and_step_size` for every chain its own; every step takes two gradients."""
    kernel = blackjax.mclmc.build_kernel()

    def tune(problem: Problem, key: jax.Array) -> Tuned:
        log_density = problem.target.log_density
        num_steps = int(problem.budget / (2 * problem.num_chains * (1 + TUNING)))

        @jax.jit
        @jax.vmap
        def find(key: jax.Array, position: jax.Array) -> Any:
            key_init, key_tune = jr.split(key)
            return blackjax.mclmc_find_L_and_step_size(
                mclmc_kernel=kernel,
                num_steps=num_steps,
                state=blackjax.mclmc.init(position, log_density, key_init),
                rng_key=key_tune,
                logdensity_fn=log_density,
                desired_energy_var=energy_variance,
                diagonal_preconditioning=diagonal,
            )

        states, found, steps = find(jr.split(key, problem.num_chains), problem.positions)

        def step(state: Any, key: jax.Array) -> Any:
            state, (metric, length, step_size) = state
            new, _ = kernel(key, state, log_density, metric, length, step_size)
            return (new, (metric, length, step_size)), jnp.asarray(2)

        parameters = (found.inverse_mass_matrix, found.L, found.step_size)
        notes = {"L": float(jnp.mean(found.L)), "step_size": float(jnp.mean(found.step_size))}
        return Tuned((states, parameters), step, _position, 2, 2.0 * float(jnp.sum(steps)), notes)

    return tune


def blackjax_adjusted_mclmc(num_steps: float) -> Callable[[Problem, jax.Array], Tuned]:
    """Paths of random lengths, of so many steps on average and as many times the step size; two gradients a step."""
    kernel = adjusted_mclmc_dynamic.build_kernel(
        integration_steps_fn=adjusted_mclmc_dynamic.make_random_trajectory_length_fn(True)
    )

    def tune(problem: Problem, key: jax.Array) -> Tuned:
        log_density, ones = problem.target.log_density, jnp.ones(problem.target.dim)

        def draw(state: Any, step_size: jax.Array, key: jax.Array) -> Any:
            new, info = kernel(
                key, state, log_density, step_size, inverse_mass_matrix=ones, integration_steps_params=(num_steps,)
            )
            return new, info.acceptance_rate, 2 * info.num_integration_steps

        keys = jr.split(jr.fold_in(key, 0), problem.num_chains)
        states = jax.vmap(lambda x, k: adjusted_mclmc_dynamic.init(x, log_density, k))(problem.positions, keys)
        return dual_averaged(problem, draw, states, 0.1 * problem.target.dim**0.5, 0.9, key)

    return tune


def blackjax_nuts(problem: Problem, key: jax.Array) -> Tuned:
    """NUTS."""
    kernel = blackjax.nuts.build_kernel()
    log_density, ones = problem.target.log_density, jnp.ones(problem.target.dim)

    def draw(state: Any, step_size: jax.Array, key: jax.Array) -> Any:
        new, info = kernel(key, state, log_density, step_size=step_size, inverse_mass_matrix=ones)
        return new, info.acceptance_rate, info.num_integration_steps

    states = jax.vmap(lambda x: blackjax.nuts.init(x, log_density))(problem.positions)
    return dual_averaged(problem, draw, states, 0.1, 0.8, key)


def dual_averaged(
    problem: Problem, draw: Callable[..., Any], states: Any, step_size: float, acceptance: float, key: jax.Array
) -> Tuned:
    """A sampler whose step is tuned towards an acceptance, its metric that of its coordinates.

    Draws are too few to learn a metric from, and the packaged adaptations cannot be told to keep within a budget.
    """
    start, update, final = dual_averaging_adaptation(acceptance)
    averages, gradients = jax.vmap(start)(jnp.full(problem.num_chains, step_size)), 0.0
    draws = jax.jit(jax.vmap(draw))
    while gradients < TUNING * problem.budget:
        key, key_draw = jr.split(key)
        keys = jr.split(key_draw, problem.num_chains)
        states, rate, steps = draws(states, jnp.exp(averages.log_step_size), keys)
        averages = jax.vmap(update)(averages, rate)
        gradients += float(jnp.sum(steps))

    def step(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        new, _, steps = draw(state[0], state[1], key)
        return (new, state[1]), steps

    tuned = jax.vmap(final)(averages)
    return Tuned((states, tuned), step, _position, 1, gradients, {"step_size": float(jnp.mean(tuned))})


def _position(state: Any) -> jax.Array:
    return state[0].position


METHODS: dict[str, tuple[bool, Callable[[Problem, jax.Array], Tuned]]] = {
    "reference": (True, ours(KineticLangevin(), 8, shortened=0.5)),
    "KineticLangevin": (True, ours(KineticLangevin(), 4)),
    "KineticLangevin_plain": (False, ours(KineticLangevin(), 4)),
    "MCLMC": (True, ours(MCLMC(), 2)),
    "MCLMC_plain": (False, ours(MCLMC(), 2)),
    "blackjax_mclmc": (True, blackjax_mclmc(5e-4, diagonal=False)),
    "blackjax_mclmc_strict": (True, blackjax_mclmc(1e-6, diagonal=False)),
    "blackjax_mclmc_plain": (False, blackjax_mclmc(5e-4, diagonal=True)),
    "blackjax_adjusted_mclmc": (True, blackjax_adjusted_mclmc(8.0)),
    "blackjax_adjusted_mclmc_plain": (False, blackjax_adjusted_mclmc(8.0)),
    "blackjax_nuts": (True, blackjax_nuts),
    "blackjax_nuts_plain": (False, blackjax_nuts),
}
"""Whether a method works in our coordinates, and the method."""
