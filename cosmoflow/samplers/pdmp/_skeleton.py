"""Skeletons: the events of trajectories, between which the motion is deterministic."""

import equinox as eqx
import jax
import jax.numpy as jnp
import paramax
from jaxtyping import Array, Float, Int

from ..._types import Scalar, Vector
from ...targets import AbstractTarget
from .._motions import AbstractMotion
from ._base import MAX_TICKS_PER_DRAW, AbstractPDMP, PDMPState


class Skeleton(eqx.Module):
    """Where every chain was at its events, refreshments included, and how it went on.

    The first entry is the start, so that there is one more than events; between two entries the chain follows `motion`.

    Attributes:
        times: Since the start, shape (chain, events + 1).
        positions, velocities: The velocity is that after the event, shape (chain, events + 1, dim).
        num_bounds, num_violations, non_finite: As in the infos of draws, shape (chain,).
        num_stuck: Entries without an event, where a chain waited for one in vain, shape (chain,).
    """

    times: Float[Array, "chain event"]
    positions: Float[Array, "chain event dim"]
    velocities: Float[Array, "chain event dim"]
    num_bounds: Int[Array, " chain"]
    num_violations: Int[Array, " chain"]
    non_finite: Int[Array, " chain"]
    num_stuck: Int[Array, " chain"]
    motion: AbstractMotion

    def at(self, times: Float[Array, " time"]) -> Float[Array, "chain time dim"]:
        """The positions at given times, none of them after the last event of a chain."""

        def of_chain(events, positions, velocities):
            def at_time(time: Scalar) -> Vector:
                last = jnp.clip(jnp.searchsorted(events, time, side="right") - 1, 0, len(events) - 2)
                return self.motion.move(positions[last], velocities[last], time - events[last])[0]

            return jax.vmap(at_time)(times)

        return jax.vmap(of_chain)(self.times, self.positions, self.velocities)


@eqx.filter_jit
def skeleton(
    target: AbstractTarget, sampler: AbstractPDMP, states: PDMPState, num_events: int
) -> tuple[Skeleton, PDMPState]:
    """Follow all chains until each has met a number of events, and keep these.

    Args:
        target: What is sampled.
        sampler: A piecewise deterministic process.
        states: States of all chains, stacked along a first axis.
        num_events: Events to keep, refreshments included, per chain; memory grows with it.

    Returns:
        The skeleton, and the states from which to go on: they stand at the last event.
    """
    target = paramax.unwrap(target)

    def follow(state):
        def to_next_event(state, _):
            def advance(carry):
                state, elapsed, _, counts = carry
                new, tick = sampler.tick(target, state)
                seen = jnp.stack([jnp.ones((), bool), tick.violation, tick.non_finite]).astype(jnp.int32)
                return new, elapsed + tick.elapsed, tick.event | tick.refreshment, counts + seen

            start = (state, jnp.zeros((), state.position.dtype), jnp.zeros((), bool), jnp.zeros(3, jnp.int32))
            state, elapsed, met, counts = jax.lax.while_loop(
                lambda carry: ~carry[2] & (carry[3][0] < MAX_TICKS_PER_DRAW), advance, start
            )
            counts = jnp.append(counts, (~met).astype(jnp.int32))
            return state, (elapsed, state.position, state.velocity, counts)

        end, (waits, positions, velocities, counts) = jax.lax.scan(to_next_event, state, length=num_events)
        times = jnp.concatenate([jnp.zeros(1, waits.dtype), jnp.cumsum(waits)])
        positions = jnp.concatenate([state.position[None], positions])
        velocities = jnp.concatenate([state.velocity[None], velocities])
        return (times, positions, velocities, *jnp.sum(counts, axis=0)), end

    pieces, states = jax.vmap(follow)(states)
    return Skeleton(*pieces, sampler.motion), states
