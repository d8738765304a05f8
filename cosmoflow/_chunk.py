"""What is compiled of a run: the first states, and a chunk of draws."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, Float
from jaxtyping import Key as Keys

from ._blocks import Blocks, joined
from ._record import Record, Window
from ._results import StartError
from ._shards import axes_of
from ._types import Key
from .chains import SAMPLE_STATS
from .fields import SlabGrid, grid_over_processes
from .samplers import AbstractInfo, AbstractSampler, Draws, over_draws
from .targets import AbstractTarget, drift, explain_non_finite

DEFAULT_CHUNK = 250


class RunState(eqx.Module):
    """All that the next draws depend on."""

    chains: Any
    window: Window


@eqx.filter_jit
def init_states(
    target: AbstractTarget,
    sampler: AbstractSampler,
    positions: Float[Array, "chain dim"],
    keys: Keys[Array, " chain"],
    record: Record,
) -> RunState:
    """The states of the chains of a block."""
    target = paramax.unwrap(target)
    chains = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(positions, keys)
    return _laid_out(target, RunState(chains, record.open(target, positions)))


@eqx.filter_jit(donate="all-except-first")
def run_chunk(given: tuple[AbstractTarget, AbstractSampler, Record, Array], state: RunState, *, capacity: int):
    """One compiled chunk of a block: the new state, draws, infos, and what is kept of the draws, by group and name.

    Args:
        given: Target, sampler, record, and the number of draws.
        state: After the last draw; its memory is used again, so that it cannot be.
        capacity: Length of the buffers of draws.
    """
    target, sampler, record, num_draws = given
    target = paramax.unwrap(target)
    chains, draws, infos = sampler.run_chunk(target, state.chains, num_draws, capacity=capacity)
    window, kept = record.run(target, state.window, draws.position, num_draws)
    kept[SAMPLE_STATS] = {"squared_norm": over_draws(lambda x: x @ x, draws.position)}
    return _laid_out(target, (RunState(chains, window), draws, infos, kept))


def _laid_out(target: AbstractTarget, tree: Any) -> Any:
    """A tree of arrays, in slabs where the target's field is over processes: the same before and after every chunk."""
    grid = grid_over_processes(target)
    return tree if grid is None else grid.laid_out(tree)


class Chunks:
    """The chunks of a run: a program for one block of chains, run for every block on its device.

    Args:
        target: What is sampled.
        record: What is kept of each draw.
        blocks: Of the chains that are computed here.
        capacity: Draws of a chunk at most.

    Attributes:
        axes: Of what is kept, by group and name, the axes along which it is divided among processes, once there are
            draws.
    """

    def __init__(self, target: AbstractTarget, record: Record, blocks: Blocks, capacity: int):
        self.axes: dict[str, int] = {}
        self._blocks, self._capacity = blocks, max(capacity, 2)  # one draw alone is compiled to other arithmetic
        self._given = blocks.placed((target, record))

    def start(
        self, sampler: AbstractSampler, positions: Float[Array, "chain dim"], key: Key, *, first: int = 0
    ) -> list[RunState]:
        """The states of all blocks at their starts; `first` is the number of the first chain, which sets its stream."""
        keys = jax.vmap(lambda i: jr.fold_in(key, i))(first + jnp.arange(len(positions)))
        starts = self._blocks.divided((positions, keys))
        return self._blocks.each(
            lambda given, start: init_states(given[0], sampler, *start, given[1]), self._given, starts
        )

    def lowered(self, sampler: AbstractSampler, states: Sequence[RunState]) -> Any:
        """The program of a block, for a look at what compiling makes of it."""
        target, record = self._given[0]
        program: Any = run_chunk
        return program.lower((target, sampler, record, jnp.asarray(1)), states[0], capacity=self._capacity)

    def restored(self, states: Sequence[RunState], arrays: dict[str, np.ndarray]) -> list[RunState]:
        """The states of all blocks that `joined_arrays` gave, of the form of the present ones."""
        return self._blocks.restored(states, arrays)

    def advance(
        self, sampler: AbstractSampler, states: Sequence[RunState], num_draws: int
    ) -> tuple[list[RunState], list[Draws], dict[str, dict[str, np.ndarray]]]:
        """The next draws: the new states and the draws of each block on its device, and what is kept, on the host.

        Kept are the variables of the record by group and name, and the statistics of draws; this process's part of what
        several have. The memory of the states that are given is used again, so that they cannot be.
        """
        count = jnp.asarray(num_draws)

        def advanced(given: Any, state: RunState) -> tuple:
            target, record = given
            return run_chunk((target, sampler, record, count), state, capacity=self._capacity)

        results = self._blocks.each(advanced, self._given, states)
        states, draws, infos, kept = map(list, zip(*results, strict=True))
        self.axes = axes_of(kept[0])
        groups = joined(kept)
        lp = joined([of_block.log_density for of_block in draws])
        groups[SAMPLE_STATS] = {"lp": lp} | groups[SAMPLE_STATS] | sample_stats(joined(infos))
        return states, draws, groups


def standard_starts(key: Key, num_chains: int, dim: int, grid: SlabGrid | None) -> Float[Array, "chain dim"]:
    """Standard normal draws; where there is a grid over processes, each draws its own coordinates."""
    draw = partial(jr.normal, jr.fold_in(key, num_chains), (num_chains, dim))
    return draw() if grid is None else jax.jit(lambda: grid.laid_out(draw()))()


@eqx.filter_jit
def log_densities(target: AbstractTarget, positions: Float[Array, "chain dim"]) -> Float[Array, " chain"]:
    """The log-densities of several points, or what is known of them where the target is a bare score."""
    return jax.vmap(drift(paramax.unwrap(target)).log_density)(positions)


def check_start(
    target: AbstractTarget, positions: Float[Array, "chain dim"], log_density: Float[Array | np.ndarray, " chain"]
) -> None:
    """Refuse starting points outside the support or where the density is NaN.

    Raises:
        StartError: It names the parameter and the likelihood.
    """
    bad = np.flatnonzero(~np.isfinite(log_density))
    if bad.size:
        raise StartError(explain_non_finite(drift(target), positions[bad[0]]))


def sample_stats(infos: AbstractInfo) -> dict[str, np.ndarray]:
    """What a sampler tells of each draw, by name; what it tells of its parts has the name of the part before it."""
    stats = {}
    for field in dataclasses.fields(infos):
        value = getattr(infos, field.name)
        parts = {f"_{i}": part for i, part in enumerate(value)} if isinstance(value, tuple) else {"": value}
        for suffix, part in parts.items():
            if isinstance(part, AbstractInfo):
                stats |= {f"{field.name}{suffix}_{name}": array for name, array in sample_stats(part).items()}
            elif part is not None:
                stats[field.name] = part
    return stats
