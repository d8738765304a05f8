"""Several samplers of one target, one of them for each draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int

from .._types import Key, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractSampler, AbstractState, Draws
from ._parallel_tempering import ParallelTempering
from ._parts import told_by

GOLDEN = 2654435769
"""2^32 times the golden ratio minus one: its multiples modulo 2^32 are spread as evenly as can be."""

COUNTS = ("num_directional_derivatives", "num_events", "num_violations", "num_stuck", "num_cliffs", "diverging")


class MixtureState(AbstractState):
    """Where the chain is, the states of all members, and which of them made the last draw."""

    position: Vector
    members: tuple[Any, ...]
    last: Int[Array, "..."]
    key: Key
    counter: Int[Array, "..."]


class MixtureInfo(AbstractInfo):
    """Of one draw: the member that made it, its counts, and what it told; the others are said to tell zeros."""

    member: Int[Array, "..."]
    told: tuple[AbstractInfo, ...]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]
    num_directional_derivatives: Int[Array, "..."] | None
    num_events: Int[Array, "..."] | None
    num_violations: Int[Array, "..."] | None
    num_stuck: Int[Array, "..."] | None
    num_cliffs: Int[Array, "..."] | None
    diverging: Int[Array, "..."] | None


class Mixture(AbstractSampler[MixtureState, MixtureInfo]):
    """Local and global moves: each draw is made by one of several samplers.

    Which one depends on the number of the draw alone, as evenly spread as can be at the given frequencies: the same for
    all chains, so that only that one is computed. A member that made the last draw too goes on; one that takes over
    starts afresh from the present point, which is counted as a gradient.

    Args:
        members: The samplers. Each must draw all that its state holds beside the position from its exact law in `init`.
        probabilities: How often each is chosen; equally often where they are not given.

    Raises:
        ValueError: There are fewer than two members, not one probability for each, one is not positive, or a member
            cannot take over from a point.
    """

    members: tuple[AbstractSampler, ...]
    probabilities: Float[Array, " member"]

    def __init__(self, members: Sequence[AbstractSampler], probabilities: Sequence[float] | None = None):
        self.members = tuple(members)
        if len(self.members) < 2:
            raise ValueError(f"Mixture has {len(self.members)} members, but needs at least two.")
        given = np.ones(len(self.members)) if probabilities is None else np.asarray(probabilities, float)
        if given.shape != (len(self.members),) or not np.all(given > 0):
            raise ValueError(f"Mixture needs one positive probability for each of its members, but has {given}.")
        for member in self.members:
            if isinstance(member, ParallelTempering):
                raise ValueError(f"Mixture cannot have {type(member).__name__} as a member: its rungs need all draws.")
        self.probabilities = jnp.asarray(given / np.sum(given), float)

    @property
    def keeps_coordinates(self) -> bool:
        """Where a member does."""
        return any(member.keeps_coordinates for member in self.members)

    def chosen(self, counter: Int[Array, ""]) -> Int[Array, ""]:
        """Which member makes the draw of this number."""
        even = (counter.astype(jnp.uint32) + 1) * jnp.uint32(GOLDEN)
        uniform = even.astype(self.probabilities.dtype) * 2.0**-32
        return jnp.sum(uniform >= jnp.cumsum(self.probabilities)[:-1], dtype=jnp.int32)

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> MixtureState:
        """The state of one chain that starts at a position."""
        key_members, key_run = jr.split(key)
        keys = jr.split(key_members, len(self.members))
        members = tuple(m.init(target, position, key=k) for m, k in zip(self.members, keys, strict=True))
        nobody, none = jnp.full((), -1, jnp.int32), jnp.zeros((), jnp.int32)
        return MixtureState(position=position, members=members, last=nobody, key=key_run, counter=none)

    def run_chunk(
        self, target: AbstractTarget, states: MixtureState, num_draws: Int[Array, ""], *, capacity: int
    ) -> tuple[MixtureState, Draws, MixtureInfo]:
        """Advance all chains by `num_draws` draws."""
        one = jnp.ones((), jnp.int32)

        def draw_by(k, member, states):
            """The states, draws and info of member k after one more draw of it; a gradient more where it took over."""

            def go_on(states):
                return states.members[k]

            def start(states):
                keys = jax.vmap(jr.fold_in)(states.key, states.counter)
                fresh = jax.vmap(lambda x, key: member.init(target, x, key=key))(states.position, keys)
                return eqx.tree_at(lambda s: s.counter, fresh, states.counter)

            takes_over = states.last[0] != k
            own = jax.lax.cond(takes_over, start, go_on, states)
            own, draws, infos = member.run_chunk(target, own, one, capacity=1)
            first = jax.tree.map(lambda values: values[:, 0], (draws, infos))
            return own, *first, takes_over.astype(jnp.int32)

        shapes = [jax.eval_shape(lambda s, k=k, m=m: draw_by(k, m, s)[2], states) for k, m in enumerate(self.members)]
        nothing = tuple(jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shape) for shape in shapes)

        def branch(k, member):
            def run(states):
                own, draws, told, extra = draw_by(k, member, states)
                members = (*states.members[:k], own, *states.members[k + 1 :])
                counts = {
                    name: getattr(told, name, jnp.zeros_like(told.num_gradients)).astype(jnp.int32)
                    if any(getattr(info, name, None) is not None for info in nothing)
                    else None
                    for name in COUNTS
                }
                info = MixtureInfo(
                    member=jnp.full_like(states.last, k),
                    told=(*nothing[:k], told, *nothing[k + 1 :]),
                    non_finite=told.non_finite,
                    num_gradients=told.num_gradients + extra,
                    num_densities=told.num_densities,
                    **counts,
                )
                changed = (draws.position, members, info.member, states.counter + 1)
                new = eqx.tree_at(lambda s: (s.position, s.members, s.last, s.counter), states, changed)
                return new, (draws, info)

            return run

        branches = [branch(k, member) for k, member in enumerate(self.members)]

        def advance(states):
            return jax.lax.switch(self.chosen(states.counter[0]), branches, states)

        _, output = jax.eval_shape(advance, states)
        buffers = jax.tree.map(lambda a: jnp.zeros((a.shape[0], capacity, *a.shape[1:]), a.dtype), output)

        def body(i, carry):
            states, buffers = carry
            states, output = advance(states)
            return states, jax.tree.map(lambda buffer, new: buffer.at[:, i].set(new), buffers, output)

        states, (draws, infos) = jax.lax.fori_loop(0, num_draws, body, (states, buffers))
        return states, draws, infos

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> "Mixture":
        """Every member tuned by its own draws."""
        tuned = []
        for k, member in enumerate(self.members):
            own = stats["member"][0] == k
            told = {name: array[:, own] for name, array in told_by(stats, f"told_{k}").items()}
            told["lp"] = stats["lp"][:, own]
            tuned.append(member.retuned(positions[:, own], told, gain) if np.any(own) else member)
        return eqx.tree_at(lambda s: s.members, self, tuple(tuned))
