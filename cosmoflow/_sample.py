"""The driver: a host loop of compiled chunks, committed as it goes."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, Float

from ._budget import Budget
from ._progress import Record, stage
from ._results import RunError, StartError, Status
from ._types import Key
from .chains import Chain, ChainStore, arrays_to_tree, digest, tree_to_arrays
from .diagnostics import Converged, Monitor, next_check
from .samplers import AbstractInfo, AbstractSampler, over_draws
from .targets import AbstractTarget, explain_non_finite

NON_FINITE_BUDGET = 0.05
"""NaN log-densities per draw above which a run ends."""

DIVERGENCE_BUDGET = 0.05
"""Divergent trajectories per draw above which a run counts as failed."""

VIOLATION_BUDGET = 0.005
"""Exceeded bounds per event above which a run ends: at 0.014 a bias was seen on a two-mode target."""

DEFAULT_CHUNK = 250


@eqx.filter_jit
def run_chunk(target: AbstractTarget, sampler: AbstractSampler, states: Any, num_draws: Array, *, capacity: int):
    """One compiled chunk: new states, draws, infos, and the draws' named parameters."""
    target = paramax.unwrap(target)
    states, draws, infos = sampler.run_chunk(target, states, num_draws, capacity=capacity)
    return states, draws, infos, over_draws(target.constrain, draws.position)


@eqx.filter_jit
def log_densities(target: AbstractTarget, positions: Float[Array, "chain dim"]) -> Float[Array, " chain"]:
    """The log-densities of several points."""
    return jax.vmap(paramax.unwrap(target).log_density)(positions)


@eqx.filter_jit
def init_states(target: AbstractTarget, sampler: AbstractSampler, positions: Float[Array, "chain dim"], key: Key):
    """The states of all chains, each with its own random stream."""
    target = paramax.unwrap(target)
    keys = jax.vmap(lambda i: jr.fold_in(key, i))(jnp.arange(len(positions)))
    return jax.vmap(lambda x, k: sampler.init(target, x, key=k))(positions, keys)


def check_start(
    target: AbstractTarget, positions: Float[Array, "chain dim"], log_density: Float[Array | np.ndarray, " chain"]
) -> None:
    """Refuse starting points outside the support or where the density is NaN.

    Raises:
        StartError: It names the parameter and the likelihood.
    """
    bad = np.flatnonzero(~np.isfinite(log_density))
    if bad.size:
        raise StartError(explain_non_finite(target, positions[bad[0]]))


def sample_stats(infos: AbstractInfo) -> dict[str, Array]:
    """What a sampler tells of each draw, by name."""
    return {field.name: getattr(infos, field.name) for field in dataclasses.fields(infos)}


HOPELESS = (Status.NON_FINITE, Status.STUCK, Status.BOUND_VIOLATIONS)
"""Outcomes that more draws cannot mend: the run ends."""


def judge(totals: Mapping[str, float], num_draws: int, sound: Status = Status.SUCCESSFUL) -> Status:
    """How a run stands, from the sums of its statistics over all draws; `sound` where nothing is wrong."""
    if totals.get("non_finite", 0) > NON_FINITE_BUDGET * num_draws:
        return Status.NON_FINITE
    if totals.get("num_stuck", 0) > 0:
        return Status.STUCK
    if totals.get("num_violations", 0) > VIOLATION_BUDGET * totals.get("num_events", np.inf):
        return Status.BOUND_VIOLATIONS
    if totals.get("diverging", 0) > DIVERGENCE_BUDGET * num_draws:
        return Status.DIVERGENCES
    return sound


def total(stats: Mapping[str, Array | np.ndarray]) -> dict[str, float]:
    """The sums of what is counted, over all draws of all chains."""
    return {name: float(np.sum(values)) for name, values in stats.items() if values.dtype.kind in "biu"}


def _facts(totals: Mapping[str, float], num_chains: int, ess: float, rhat: float) -> Record:
    """What is shown of a run that goes on."""
    names = {
        "gradients": "num_gradients",
        "divergences": "diverging",
        "violations": "num_violations",
        "non_finite": "non_finite",
    }
    known = {"ess": ess, "rhat": rhat} if np.isfinite(rhat) else {}
    return {"num_chains": num_chains} | known | {k: int(totals[name]) for k, name in names.items() if name in totals}


_Draws = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def _join(chunks: list[_Draws]) -> _Draws:
    """Parameters and statistics of consecutive chunks, along the axis of draws."""
    parameters, stats = (
        {name: np.concatenate([chunk[i][name] for chunk in chunks], axis=1) for name in chunks[0][i]} for i in (0, 1)
    )
    return parameters, stats


def _recall(store: ChainStore, monitor: Monitor) -> tuple[dict[str, float], Status]:
    """The counts of what a store holds already and how that run ended; the monitor sees its draws."""
    held = store.read()
    monitor.update(held.posterior, held.sample_stats["lp"])
    return total(held.sample_stats), held.status


def sample(
    target: AbstractTarget,
    sampler: AbstractSampler,
    *,
    num_draws: int,
    num_chains: int,
    key: Key,
    position: Float[Array, "chain dim"] | None = None,
    store: ChainStore | None = None,
    chunk: int = DEFAULT_CHUNK,
    commit_seconds: float = 30.0,
    max_time: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    until: Converged | None = None,
    progress: bool = False,
    throw: bool = True,
) -> Chain:
    """Draw from a target.

    The draws depend on target, sampler, key, positions and number of chains alone: not on the length of a chunk, nor on
    interruptions.

    Args:
        target: What is sampled.
        sampler: How.
        num_draws: Draws per chain, at most where `until` is given; with a store, those it already holds count.
        num_chains: Chains, run side by side.
        key: Random key.
        position: Starting points, shape (chain, dim); standard normal draws where none are given.
        store: Where draws are committed as they come, and from which an interrupted run goes on.
        chunk: Draws per compiled call.
        commit_seconds: Least time between two commits.
        max_time: Seconds within which the run stops at the end of a chunk.
        stop: Asked between chunks; where it answers True the run commits and returns.
        until: What ends the run before `num_draws`; it is looked at after certain numbers of draws only, so that
            neither chunks nor interruptions change where it ends.
        progress: Whether to show a live view, or plain lines where there is no terminal.
        throw: Whether a run that went wrong raises; its draws are committed all the same.

    Returns:
        All draws, with a status.

    Raises:
        ValueError: `num_draws`, `num_chains` or `chunk` is not positive, or the positions have another shape.
        StartError: The log-density is not finite at a starting point.
        RunError: The run went wrong and `throw` is set, or it was stopped before the first draw.
        StoreError: The store holds another run, or could not commit.
    """
    for name, value in (("num_draws", num_draws), ("num_chains", num_chains), ("chunk", chunk)):
        if value < 1:
            raise ValueError(f"`{name}` is {value}, but must be at least 1.")
    budget = Budget(stop, max_time)
    if position is None:
        position = jr.normal(jr.fold_in(key, num_chains), (num_chains, target.dim))
    if position.shape != (num_chains, target.dim):
        raise ValueError(
            f"The starting positions have shape {position.shape}, but {num_chains} chains of a "
            f"{target.dim}-dimensional target need {(num_chains, target.dim)}."
        )
    check_start(target, position, log_densities(target, position))
    states = init_states(target, sampler, position, key)
    done, totals, ended = 0, {}, False
    monitor = Monitor(num_chains, exact=until is not None)

    def fulfilled(last: Status | None = None) -> bool:
        looked_at = done >= num_draws or done == next_check(done - 1) or last is Status.CONVERGED
        return until is not None and looked_at and until.holds(*monitor.worst())

    if store is not None:
        store.identify(
            {
                "target": digest(target),
                "sampler": digest(sampler),
                "key": digest(key),
                "positions": digest(position),
                "num_chains": num_chains,
            }
        )
        done = store.num_draws
        saved = store.load_state()
        if saved is not None:
            states = arrays_to_tree(states, saved)
            totals, last = _recall(store, monitor)
            ended = fulfilled(last)

    chunks: list[_Draws] = []
    seconds = 0.0
    status = judge(totals, num_chains * done)

    def commit(store: ChainStore):
        nonlocal chunks, seconds
        store.append(*_join(chunks), tree_to_arrays(states), {"seconds": seconds})
        chunks, seconds = [], 0.0

    if store is not None and done < num_draws and not ended:
        store.annotate({"status": Status.STOPPED.name})
    last_commit = time.monotonic()
    run = None if store is None else store.path

    def facts() -> Record:
        return _facts(totals, num_chains, *monitor.glance())

    with stage("sampling", num_draws, done=done, facts=facts, visible=progress, run=run) as live:
        while done < num_draws and not ended:
            if (early := budget.ask()) is not None:
                status = early
                break
            count = min(chunk, num_draws - done, next_check(done) - done if until is not None else chunk)
            began = time.monotonic()
            states, draws, infos, parameters = run_chunk(target, sampler, states, jnp.asarray(count), capacity=chunk)
            parameters, stats = jax.tree.map(
                lambda a: np.asarray(a)[:, :count], (parameters, {"lp": draws.log_density} | sample_stats(infos))
            )
            chunks.append((parameters, stats))
            seconds += time.monotonic() - began
            done += count
            totals = {name: totals.get(name, 0.0) + value for name, value in total(stats).items()}
            monitor.update(parameters, stats["lp"])
            due = time.monotonic() - last_commit > commit_seconds
            if store is not None and due:
                commit(store)
                last_commit = time.monotonic()
            live.advance(count, committed=due)
            status = judge(totals, num_chains * done)
            if status in HOPELESS:
                break
            ended = fulfilled()
        if done == 0:
            raise RunError(status)
        if ended:
            status = judge(totals, num_chains * done, Status.CONVERGED)
        elif until is not None and status is Status.SUCCESSFUL:
            status = Status.NOT_CONVERGED
        if store is None:
            chain = Chain(*_join(chunks), {"sampling_seconds": seconds}, status)
        else:
            if chunks:
                commit(store)
            store.annotate({"status": status.name})
            if ended or done >= num_draws:
                store.finish()
            chain = store.read()
        live.outcome = status
    if throw and status in (*HOPELESS, Status.DIVERGENCES):
        raise RunError(status)
    return chain
