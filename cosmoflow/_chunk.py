"""What is compiled of a run: the first states, and a chunk of draws."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, Float

from ._record import Record, Window
from ._results import StartError
from ._types import Key
from .chains import SAMPLE_STATS
from .samplers import AbstractInfo, AbstractSampler, over_draws
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
    key: Key,
    record: Record,
) -> RunState:
    """The states of all chains, each with its own random stream."""
    target = paramax.unwrap(target)
    keys = jax.vmap(lambda i: jr.fold_in(key, i))(jnp.arange(len(positions)))
    chains = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(positions, keys)
    return RunState(chains, record.open(target, positions))


@eqx.filter_jit
def run_chunk(
    target: AbstractTarget,
    sampler: AbstractSampler,
    state: RunState,
    num_draws: Array,
    record: Record,
    *,
    capacity: int,
):
    """One compiled chunk: the new state, draws, infos, and what is kept of the draws, by group and name."""
    target = paramax.unwrap(target)
    chains, draws, infos = sampler.run_chunk(target, state.chains, num_draws, capacity=capacity)
    window, kept = record.run(target, state.window, draws.position, num_draws)
    kept[SAMPLE_STATS] = {"squared_norm": over_draws(lambda x: x @ x, draws.position)}
    return RunState(chains, window), draws, infos, kept


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


def sample_stats(infos: AbstractInfo) -> dict[str, Array]:
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
