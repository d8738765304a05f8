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


def blackjax_adjusted_mclmc(num_steps: float, *, diagonal: bool) -> Callable[[Problem, jax.Array], Tuned]:
    """`adjusted_mclmc_find_L_and_step_size`, paths of random lengths with so many steps on average."""
    kernel = adjusted_mclmc_dynamic.build_kernel(
        integration_steps_fn=adjusted_mclmc_dynamic.make_random_trajectory_length_fn(True)
    )

    def tune(problem: Problem, key: jax.Array) -> Tuned:
        log_density = problem.target.log_density
        num_draws = int(problem.budget / (2 * num_steps * problem.num_chains * (1 + TUNING)))

        @jax.jit
        @jax.vmap
        def find(key: jax.Array, position: jax.Array) -> Any:
            key_init, key_tune = jr.split(key)
            return blackjax.adjusted_mclmc_find_L_and_step_size(
                mclmc_kernel=kernel,
                logdensity_fn=log_density,
                num_steps=num_draws,
                state=adjusted_mclmc_dynamic.init(position, log_density, key_init),
                rng_key=key_tune,
                target=0.9,
                diagonal_preconditioning=diagonal,
                target_num_integration_steps=num_steps,
            )

        states, found, steps = find(jr.split(key, problem.num_chains), problem.positions)

        def step(state: Any, key: jax.Array) -> Any:
            state, (metric, length, step_size) = state
            new, info = kernel(
                key, state, log_density, step_size,
                inverse_mass_matrix=metric, integration_steps_params=(length / step_size,),
            )  # fmt: skip
            return (new, (metric, length, step_size)), 2 * info.num_integration_steps

        parameters = (found.inverse_mass_matrix, found.L, found.step_size)
        notes = {"L": float(jnp.mean(found.L)), "step_size": float(jnp.mean(found.step_size))}
        return Tuned((states, parameters), step, _position, 1, 2.0 * float(jnp.sum(steps)), notes)

    return tune


def blackjax_nuts(problem: Problem, key: jax.Array) -> Tuned:
    """NUTS, its step tuned by dual averaging, with the metric of its coordinates: draws are too few to learn one."""
    kernel = blackjax.nuts.build_kernel()
    log_density, ones = problem.target.log_density, jnp.ones(problem.target.dim)

    def step(state: Any, key: jax.Array) -> Any:
        state, step_size = state
        new, info = kernel(key, state, log_density, step_size=step_size, inverse_mass_matrix=ones)
        return (new, step_size), info.num_integration_steps

    @jax.jit
    @jax.vmap
    def draw(state: Any, step_size: jax.Array, key: jax.Array) -> Any:
        new, info = kernel(key, state, log_density, step_size=step_size, inverse_mass_matrix=ones)
        return new, info.acceptance_rate, info.num_integration_steps

    start, update, final = dual_averaging_adaptation(0.8)
    averages = jax.vmap(start)(jnp.full(problem.num_chains, 0.1))
    states = jax.vmap(lambda x: blackjax.nuts.init(x, log_density))(problem.positions)
    gradients = 0.0
    while gradients < TUNING * problem.budget:
        key, key_draw = jr.split(key)
        keys = jr.split(key_draw, problem.num_chains)
        states, acceptance, steps = draw(states, jnp.exp(averages.log_step_size), keys)
        averages = jax.vmap(update)(averages, acceptance)
        gradients += float(jnp.sum(steps))
    step_size = jax.vmap(final)(averages)
    return Tuned((states, step_size), step, _position, 1, gradients, {"step_size": float(jnp.mean(step_size))})


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
    "blackjax_adjusted_mclmc": (True, blackjax_adjusted_mclmc(8.0, diagonal=False)),
    "blackjax_adjusted_mclmc_short": (True, blackjax_adjusted_mclmc(2.0, diagonal=False)),
    "blackjax_adjusted_mclmc_plain": (False, blackjax_adjusted_mclmc(8.0, diagonal=True)),
    "blackjax_nuts": (True, blackjax_nuts),
    "blackjax_nuts_plain": (False, blackjax_nuts),
}
"""Whether a method works in our coordinates, and the method."""
