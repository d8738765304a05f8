"""Samplers as parts of others: stacked along rungs, started afresh, counted together."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from .._types import Key, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractSampler


def stacked(samplers: Sequence[AbstractSampler]) -> AbstractSampler:
    """Samplers that differ only in their arrays, as one whose arrays have a first axis for them."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves) if eqx.is_array(leaves[0]) else leaves[0], *samplers)


def rows(sampler: AbstractSampler, num: int) -> list[AbstractSampler]:
    """The samplers that were stacked."""
    return [jax.tree.map(lambda leaf: leaf[row] if eqx.is_array(leaf) else leaf, sampler) for row in range(num)]


def one_draw(
    sampler: AbstractSampler, target: AbstractTarget, position: Vector, *, counter: Int[Array, ""], key: Key
) -> tuple[Vector, AbstractInfo]:
    """One draw of a sampler that starts afresh but counts on, and its info."""
    state = eqx.tree_at(lambda s: s.counter, sampler.init(target, position, key=key), counter)
    chain = jax.tree.map(lambda leaf: leaf[None], state)
    _, draws, infos = sampler.run_chunk(target, chain, jnp.ones((), jnp.int32), capacity=1)
    return draws.position[0, 0], jax.tree.map(lambda leaf: leaf[0, 0], infos)


def summed(info: AbstractInfo, name: str) -> Int[Array, ""] | Any:
    """The sum of a count over the parts, or None where they do not count it."""
    counts = getattr(info, name, None)
    return None if counts is None else jnp.sum(counts, dtype=jnp.int32)


def told_by(stats: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """What one part told of each draw, by its own names."""
    return {name.removeprefix(f"{part}_"): array for name, array in stats.items() if name.startswith(f"{part}_")}
