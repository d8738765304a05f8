"""Piecewise deterministic Markov processes, written once: motion, rates and jumps are what a process adds."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Scalar, Vector
from ...targets import AbstractTarget
from .._base import AbstractInfo, AbstractSampler, AbstractState, Draws, over_draws, scaled
from .._motions import AbstractMotion
from ._event_time import AbstractRateBound, Path

MAX_TICKS_PER_DRAW = 20_000
"""Candidates without a draw after which a chain is stuck: its place is written and counted until the chunk ends."""

SHORTEST = 1e-6
"""The shortest horizon, in units of the interval between draws."""

EMPTY, REJECTED, REDONE = 1.2, 0.65, 0.4
"""Factors on the horizon after a piece without a candidate, after a rejected candidate, after a piece to do again."""

MOVED = 0.6
"""Half the mean squared step between draws, in variances, that a warm-up tunes for: 1 if they were independent."""

TURNS_PER_DRAW = 4.0
"""Events and refreshments of a draw, divided by sqrt(dim), above which a warm-up moves draws together."""


LEAST_CLIFF = 0.5
"""A rise of energy over a piece, above what its bound and the slopes at its ends allow, that counts as a cliff."""


class PDMPState(AbstractState):
    """Where a process is, how far it looks ahead, and when it is read next; the counter counts ticks."""

    position: Vector
    velocity: Vector
    energy: Scalar
    rates: Float[Array, " clock"]
    horizon: Scalar
    until_draw: Scalar
    key: Key
    counter: Int[Array, ""]


class PDMPInfo(AbstractInfo):
    """What happened between two draws, each bound being one tick; the costs are those of the chain's own ticks.

    A chain that is ready with a chunk is computed on, to no effect, until the slowest is: that is in no count, because
    it depends on where chunks end.
    """

    num_events: Int[Array, "..."]
    num_refreshments: Int[Array, "..."]
    num_candidates: Int[Array, "..."]
    num_bounds: Int[Array, "..."]
    num_violations: Int[Array, "..."]
    num_cliffs: Int[Array, "..."]
    num_stuck: Int[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_directional_derivatives: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class Tick(eqx.Module):
    """A piece of trajectory up to a candidate event, a refreshment or the horizon, and what was met there.

    Attributes:
        elapsed: Its duration, zero where the piece has to be simulated again.
        passed, draw: Whether a reading time lies in it, and the position then.
        candidate, event, refreshment, violation, cliff, non_finite: What its end was, and what went wrong.
    """

    elapsed: Scalar
    passed: Bool[Array, ""]
    draw: Vector
    candidate: Bool[Array, ""]
    event: Bool[Array, ""]
    refreshment: Bool[Array, ""]
    violation: Bool[Array, ""]
    cliff: Bool[Array, ""]
    non_finite: Bool[Array, ""]


class AbstractPDMP(AbstractSampler[PDMPState, PDMPInfo]):
    """A process that moves deterministically between random events and is read at uniform times.

    Event rates are positive parts of signed rates, so that their curvature can be seen where they vanish. A candidate
    under the bound is kept with probability rate / bound; where a rate exceeds its bound, the violation is counted and
    the piece is simulated again with a shorter horizon. The horizon follows each chain: it grows after pieces without
    a candidate and shrinks after rejected ones, which never changes the law of the process. Refreshments are the events
    of one more clock, whose rate is constant.

    All chains tick together, one candidate each per tick, and wait for one another only at the end of a chunk.
    """

    draw_interval: AbstractVar[Scalar]
    refreshment_rate: AbstractVar[Scalar]
    bound: AbstractVar[AbstractRateBound]
    motion: AbstractVar[AbstractMotion]
    tunable: ClassVar[tuple[str, ...]] = ("draw_interval",)

    def __check_init__(self):
        name = type(self).__name__
        if not 0 < self.draw_interval < jnp.inf:
            raise ValueError(f"{name}'s draw_interval is {self.draw_interval}, but must be positive and finite.")
        if not 0 <= self.refreshment_rate < jnp.inf:
            raise ValueError(
                f"{name}'s refreshment_rate is {self.refreshment_rate}, but must be finite and not negative."
            )

    @abstractmethod
    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """A velocity from the invariant law."""

    @abstractmethod
    def event_rates(self, gradient: Vector, position: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """Signed rates of all clocks, from the gradient of the target's potential without the motion's reference."""

    @abstractmethod
    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """The velocity after an event of a clock."""

    def refresh(self, gradient: Vector, position: Vector, velocity: Vector, *, key: Key) -> Vector:
        """The velocity after a refreshment."""
        return self.sample_velocity(position, key=key)

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The process read at an interval nearer to one over which draws move, or cost a handful of events."""
        values = np.concatenate([positions, stats["lp"][..., None]], axis=-1)
        if positions.shape[1] < 2 or not np.all(np.isfinite(values)):
            return self
        spread = np.maximum(np.var(values, axis=(0, 1)), np.finfo(values.dtype).tiny)
        moved = np.mean(np.diff(values, axis=1) ** 2, axis=(0, 1)) / (2 * spread)
        turns = np.mean(stats["num_events"] + stats["num_refreshments"])
        room = np.log(TURNS_PER_DRAW * positions.shape[-1] ** 0.5 / max(turns, 1e-3))
        step = np.clip(min(MOVED - min(np.mean(moved[:-1]), moved[-1]), room), -0.5, 0.5)
        interval = scaled(self.draw_interval, gain * float(step))
        return eqx.tree_at(lambda s: s.draw_interval, self, interval)

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> PDMPState:
        """The state of one chain that starts at a position."""
        key_velocity, key_run = jr.split(key)
        interval = self.draw_interval.astype(position.dtype)
        energy, gradient = jax.value_and_grad(self.potential(target))(position)
        velocity = self.sample_velocity(position, key=key_velocity)
        rates = self.event_rates(gradient, position, velocity)
        return PDMPState(position, velocity, energy, rates, interval, interval, key_run, jnp.zeros((), jnp.int32))

    def potential(self, target: AbstractTarget) -> Callable[[Vector], Scalar]:
        """What the events account for: the target's potential without the motion's reference."""
        return lambda x: -target.log_density(x) - self.motion.reference(x)

    def tick(self, target: AbstractTarget, state: PDMPState) -> tuple[PDMPState, Tick]:
        """Follow one chain to its next candidate event, to its next refreshment, or to its horizon."""
        key_time, key_clock, key_thin, key_jump = jr.split(jr.fold_in(state.key, state.counter), 4)
        dtype = state.position.dtype
        interval = self.draw_interval.astype(dtype)
        horizon = jnp.minimum(state.horizon, interval)
        potential = self.potential(target)
        start = (state.position, state.velocity)
        majorant = self.bound.majorant(
            Path(*start, state.energy, state.rates, self.motion, potential, self.event_rates), horizon
        )
        time, clock = majorant.first_event(key_time)
        rate = self.refreshment_rate.astype(dtype)
        until_refreshment = jnp.where(rate > 0, jr.exponential(key_clock, (), dtype) / rate, jnp.inf)

        elapsed = jnp.minimum(jnp.minimum(time, until_refreshment), horizon)
        x, v = self.motion.move(*start, elapsed)
        energy, gradient = jax.value_and_grad(potential)(x)
        rates, heights = self.event_rates(gradient, x, v), majorant(elapsed)
        finite = jnp.isfinite(energy) & jnp.all(jnp.isfinite(rates)) & jnp.all(jnp.isfinite(majorant.right))
        violation = finite & jnp.any(rates > jnp.maximum(heights, 0))
        slopes = jnp.sum(state.rates), jnp.sum(rates)
        surplus = jnp.abs(energy - state.energy - 0.5 * elapsed * (slopes[0] + slopes[1]))
        unseen = surplus > 0.5 * elapsed * jnp.abs(slopes[1] - slopes[0]) + LEAST_CLIFF
        cliff = finite & unseen & (energy - state.energy > majorant.rise(elapsed) + LEAST_CLIFF)
        keep = finite & ~violation
        candidate = keep & (time == elapsed) & (time < horizon)
        event = candidate & (jr.uniform(key_thin, (), dtype) * heights[clock] < rates[clock])
        refreshment = keep & (until_refreshment == elapsed) & (until_refreshment < jnp.minimum(time, horizon))
        v = jnp.where(event, self.jump(gradient, x, v, clock, key=key_jump), v)
        v = jnp.where(refreshment, self.refresh(gradient, x, v, key=key_jump), v)
        rates = self.event_rates(gradient, x, v)

        passed = keep & (elapsed >= state.until_draw)
        draw, _ = self.motion.move(*start, state.until_draw)
        until_draw = state.until_draw - elapsed + jnp.where(passed, interval, 0)
        growth = jnp.where(candidate & ~event, REJECTED, jnp.where(elapsed < horizon, 1.0, EMPTY))
        growth = jnp.where(keep, growth, REDONE).astype(dtype)
        new = PDMPState(x, v, energy, rates, state.horizon, until_draw, state.key, state.counter)
        state = jax.tree.map(lambda a, b: jnp.where(keep, a, b), new, state)
        state = eqx.tree_at(
            lambda s: (s.horizon, s.counter),
            state,
            (jnp.maximum(horizon * growth, SHORTEST * interval), state.counter + 1),
        )
        elapsed = jnp.where(keep, elapsed, 0)
        return state, Tick(elapsed, passed, draw, candidate, event, refreshment, violation, cliff, ~finite)

    def run_chunk(
        self, target: AbstractTarget, states: PDMPState, num_draws: Int[Array, ""], *, capacity: int
    ) -> tuple[PDMPState, Draws, PDMPInfo]:
        """Advance all chains by `num_draws` draws, in one loop over ticks."""
        num_chains, dim = states.position.shape
        chains = jnp.arange(num_chains)
        none = jnp.zeros(num_chains, jnp.int32)
        empty = jnp.zeros((num_chains, capacity), jnp.int32)
        counts = dict.fromkeys(
            ("bounds", "candidates", "events", "refreshments", "violations", "cliffs", "stuck", "non_finite"), none
        )

        def unfinished(carry):
            return jnp.any(carry[1] < num_draws)

        def body(carry):
            states, done, lost, counts, positions, buffers = carry
            active = done < num_draws
            new, tick = jax.vmap(lambda s: self.tick(target, s))(states)
            states = jax.tree.map(lambda a, b: jnp.where(active.reshape(-1, *[1] * (a.ndim - 1)), a, b), new, states)
            stuck = (lost | (counts["bounds"] + 1 >= MAX_TICKS_PER_DRAW)) & ~tick.passed
            seen = {
                "bounds": active,
                "candidates": tick.candidate,
                "events": tick.event,
                "refreshments": tick.refreshment,
                "violations": tick.violation,
                "cliffs": tick.cliff,
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
        bounds = buffers["bounds"]
        info = PDMPInfo(
            num_events=buffers["events"],
            num_refreshments=buffers["refreshments"],
            num_candidates=buffers["candidates"],
            num_bounds=bounds,
            num_violations=buffers["violations"],
            num_cliffs=buffers["cliffs"],
            num_stuck=buffers["stuck"],
            non_finite=buffers["non_finite"],
            num_gradients=bounds * (self.bound.num_gradients + 1),
            num_directional_derivatives=bounds * self.bound.num_directional_derivatives,
            num_densities=jnp.ones_like(bounds),
        )
        return states, Draws(positions, log_density), info
