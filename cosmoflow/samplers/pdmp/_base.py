"""Piecewise deterministic Markov processes, written once: motion, rates and jumps are what a process adds."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Scalar, Vector
from ...targets import AbstractTarget
from .._base import AbstractInfo, AbstractSampler, AbstractState, Draws, over_draws
from ._event_time import AbstractRateBound

MAX_TICKS_PER_DRAW = 20_000
"""Candidates without a draw after which a chain is stuck: its place is written and counted until the chunk ends."""

SHORTEST = 1e-6
"""The shortest horizon, in units of the interval between draws."""


class PDMPState(AbstractState):
    """Where a process is, how far it looks ahead, and when it is read next; the counter counts ticks."""

    position: Vector
    velocity: Vector
    gradient: Vector
    horizon: Scalar
    until_draw: Scalar
    key: Key
    counter: Int[Array, ""]


class PDMPInfo(AbstractInfo):
    """What happened between two draws."""

    num_events: Int[Array, "..."]
    num_violations: Int[Array, "..."]
    num_stuck: Int[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class _Tick(eqx.Module):
    """One candidate event: the draw it passed, if any, and what it met."""

    passed: Bool[Array, ""]
    draw: Vector
    event: Bool[Array, ""]
    violation: Bool[Array, ""]
    non_finite: Bool[Array, ""]


class AbstractPDMP(AbstractSampler[PDMPState, PDMPInfo]):
    """A process that moves deterministically between random events and is read at uniform times.

    Event rates are positive parts of signed rates, so that their curvature can be seen where they vanish. A candidate
    under the bound is kept with probability rate / bound; where a rate exceeds its bound, the violation is counted and
    the piece is simulated again with a shorter horizon. The horizon follows each chain: it grows after pieces without
    a candidate and shrinks after rejected ones, which never changes the law of the process.

    All chains tick together, one candidate each per tick, and wait for one another only at the end of a chunk.
    """

    draw_interval: AbstractVar[Scalar]
    bound: AbstractVar[AbstractRateBound]

    @abstractmethod
    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """A velocity from the invariant law."""

    @abstractmethod
    def move(self, position: Vector, velocity: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """The deterministic motion for a time."""

    @abstractmethod
    def event_rates(self, gradient: Vector, position: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """Signed rates of all clocks, from the gradient of U = -log density."""

    @abstractmethod
    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """The velocity after an event of a clock."""

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> PDMPState:
        """The state of one chain that starts at a position."""
        key_velocity, key_run = jr.split(key)
        interval = self.draw_interval.astype(position.dtype)
        gradient = jax.grad(lambda x: -target.log_density(x))(position)
        velocity = self.sample_velocity(position, key=key_velocity)
        return PDMPState(position, velocity, gradient, interval, interval, key_run, jnp.zeros((), jnp.int32))

    def _tick(self, target: AbstractTarget, state: PDMPState) -> tuple[PDMPState, _Tick]:
        """Follow one chain to its next candidate event, or to its horizon."""
        energy_and_gradient = jax.value_and_grad(lambda x: -target.log_density(x))
        key_time, key_thin, key_jump = jr.split(jr.fold_in(state.key, state.counter), 3)
        dtype = state.position.dtype
        interval = self.draw_interval.astype(dtype)
        horizon = jnp.minimum(state.horizon, interval)

        def rates_at(time):
            x, v = self.move(state.position, state.velocity, time)
            return self.event_rates(energy_and_gradient(x)[1], x, v)

        nodes = horizon * jnp.arange(1, self.bound.num_cells + 1, dtype=dtype) / self.bound.num_cells
        first = self.event_rates(state.gradient, state.position, state.velocity)
        rates = jnp.concatenate([first[None], jax.vmap(rates_at)(nodes)])
        time, clock, majorant = self.bound.first_event(rates, horizon, key=key_time)

        candidate = time < horizon
        elapsed = jnp.where(candidate, time, horizon)
        x, v = self.move(state.position, state.velocity, elapsed)
        energy, gradient = energy_and_gradient(x)
        true_rates = self.event_rates(gradient, x, v)
        non_finite = ~(jnp.isfinite(energy) & jnp.all(jnp.isfinite(rates)) & jnp.all(jnp.isfinite(true_rates)))
        violation = jnp.any(true_rates > jnp.maximum(majorant, 0)) & ~non_finite
        accept = jr.uniform(key_thin, (), dtype) * majorant[clock] < true_rates[clock]
        keep = ~(violation | non_finite)
        event = candidate & accept & keep
        jumped = self.jump(gradient, x, v, clock, key=key_jump)

        passed = keep & (elapsed >= state.until_draw)
        draw, _ = self.move(state.position, state.velocity, state.until_draw)
        until_draw = state.until_draw - elapsed + jnp.where(passed, interval, 0)
        growth = jnp.where(keep, jnp.where(candidate, jnp.where(accept, 1.0, 0.6), 1.1), 0.4).astype(dtype)

        def choose(new, old):
            return jnp.where(keep, new, old)

        state = PDMPState(
            choose(x, state.position),
            choose(jnp.where(event, jumped, v), state.velocity),
            choose(gradient, state.gradient),
            jnp.maximum(horizon * growth, SHORTEST * interval),
            choose(until_draw, state.until_draw),
            state.key,
            state.counter + 1,
        )
        return state, _Tick(passed, draw, event, violation, non_finite)

    def run_chunk(
        self, target: AbstractTarget, states: PDMPState, num_draws: Int[Array, ""], *, capacity: int
    ) -> tuple[PDMPState, Draws, PDMPInfo]:
        """Advance all chains by `num_draws` draws, in one loop over ticks."""
        num_chains, dim = states.position.shape
        chains = jnp.arange(num_chains)
        none = jnp.zeros(num_chains, jnp.int32)
        empty = jnp.zeros((num_chains, capacity), jnp.int32)
        counts = {"ticks": none, "events": none, "violations": none, "stuck": none, "non_finite": none}

        def unfinished(carry):
            return jnp.any(carry[1] < num_draws)

        def body(carry):
            states, done, lost, counts, positions, buffers = carry
            active = done < num_draws
            new, tick = jax.vmap(lambda s: self._tick(target, s))(states)
            states = jax.tree.map(lambda a, b: jnp.where(active.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, states)
            stuck = (lost | (counts["ticks"] + 1 >= MAX_TICKS_PER_DRAW)) & ~tick.passed
            seen = {
                "ticks": active,
                "events": tick.event,
                "violations": tick.violation,
                "stuck": stuck,
                "non_finite": tick.non_finite,
            }
            counts = {name: counts[name] + (active & seen[name]).astype(jnp.int32) for name in counts}
            write = active & (tick.passed | stuck)
            index = jnp.where(write, done, capacity)
            drawn = jnp.where(tick.passed[:, None], tick.draw, states.position)
            positions = positions.at[chains, index].set(drawn, mode="drop")
            buffers = {name: buffers[name].at[chains, index].set(counts[name], mode="drop") for name in counts}
            counts = {name: jnp.where(write, 0, count) for name, count in counts.items()}
            return states, done + write.astype(jnp.int32), lost | (active & stuck), counts, positions, buffers

        positions = jnp.zeros((num_chains, capacity, dim), states.position.dtype)
        buffers = dict.fromkeys(counts, empty)
        start = (states, none, none.astype(bool), counts, positions, buffers)
        states, *_, positions, buffers = jax.lax.while_loop(unfinished, body, start)
        log_density = over_draws(target.log_density, positions)
        info = PDMPInfo(
            num_events=buffers["events"],
            num_violations=buffers["violations"],
            num_stuck=buffers["stuck"],
            non_finite=buffers["non_finite"],
            num_gradients=buffers["ticks"] * (self.bound.num_cells + 1),
            num_densities=jnp.ones_like(buffers["ticks"]),
        )
        return states, Draws(positions, log_density), info
