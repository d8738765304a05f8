"""The driver: a host loop of compiled chunks, committed as it goes."""

import json
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Array, Float

from ._blocks import Blocks, default_size
from ._budget import Budget
from ._chunk import DEFAULT_CHUNK, Chunks, check_start, log_densities, standard_starts
from ._commits import commits
from ._progress import Facts, stage
from ._record import Record
from ._results import RunError, Status, StoreError
from ._shards import ALONE, InStep, axes_of
from ._types import Device, Key
from ._verdict import FAILED, HOPELESS, added, judge, total
from .chains import (
    CHAINS,
    POSTERIOR,
    POSTERIOR_MOMENTS,
    SAMPLE_STATS,
    SLAB,
    SLAB_AXES,
    Block,
    Chain,
    ChainStore,
    digest,
    draw_numbers,
)
from .diagnostics import Converged, Monitor, next_check, symptom
from .fields import grid_over_processes
from .samplers import AbstractSampler
from .targets import AbstractTarget

DEFAULT_COMMIT_BYTES = 2**26

_EARLY = (None, Status.STOPPED, Status.OUT_OF_TIME)
"""What a budget answers."""


def _facts(totals: Mapping[str, float], num_chains: int, ess: float, rhat: float) -> Facts:
    """What is shown of a run that goes on."""
    names = {
        "gradients": "num_gradients",
        "divergences": "diverging",
        "violations": "num_violations",
        "non_finite": "non_finite",
    }
    known = {"ess": ess, "rhat": rhat} if np.isfinite(rhat) else {}
    return {"num_chains": num_chains} | known | {k: int(totals[name]) for k, name in names.items() if name in totals}


def _joined(blocks: Sequence[Block], group: str) -> dict[str, np.ndarray]:
    """The arrays of consecutive blocks, along the axis of draws."""
    return {name: np.concatenate([block[group][name] for block in blocks], axis=1) for name in blocks[0][group]}


def _recall(store: ChainStore, monitor: Monitor, followed: Sequence[str]) -> tuple[dict[str, float], Status]:
    """The counts of what a store holds already and how that run ended; the monitor sees its draws."""
    held = store.read(parameters=followed)
    monitor.update(held.posterior, held.sample_stats)
    return total(held.sample_stats), held.status


def sample(
    target: AbstractTarget,
    sampler: AbstractSampler,
    *,
    num_draws: int,
    num_chains: int,
    key: Key,
    position: Float[Array, "chain dim"] | None = None,
    record: Record | None = None,
    store: ChainStore | None = None,
    block: int | None = None,
    chains: range | None = None,
    devices: Sequence[Device] | None = None,
    chunk: int = DEFAULT_CHUNK,
    commit_seconds: float = 30.0,
    commit_bytes: int = DEFAULT_COMMIT_BYTES,
    max_time: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    until: Converged | None = None,
    progress: bool = False,
    throw: bool = True,
) -> Chain:
    """Draw from a target.

    The draws depend on target, sampler, key, positions and blocks of chains alone: not on the length of a chunk, nor on
    interruptions, nor on which devices of which processes compute them.

    Where the target's field lies on a `SlabGrid` over devices of several processes, all of these call this together,
    each with a store of its own; what is large of the draws and of the sampler's state is in each store, and in the
    chain that is returned, the slab of its process alone. `merge` joins the finished stores.

    Args:
        target: What is sampled.
        sampler: How.
        num_draws: Draws per chain, at most where `until` is given; with a store, those it already holds count.
        num_chains: Chains.
        key: Random key.
        position: Starting points, shape (chain, dim); standard normal draws where none are given.
        record: What is kept of each draw; all named parameters where it is not given.
        store: Where draws are committed as they come, and from which an interrupted run goes on.
        block: Chains that are computed side by side; blocks of them are divided among devices and processes. Where it
            is None, at most eight blocks of at least four chains.
        chains: Those of the chains that are drawn here, whole blocks, where other processes draw the others; all where
            it is None.
        devices: That are used; all of this process where it is None.
        chunk: Draws per compiled call.
        commit_seconds: Least time between two commits.
        commit_bytes: Draws of this size are committed earlier, so that they do not fill the memory.
        max_time: Seconds within which the run stops at the end of a chunk.
        stop: Asked between chunks; where it answers True the run commits and returns.
        until: What ends the run before `num_draws`; it is looked at after certain numbers of draws only, so that
            neither chunks nor interruptions change where it ends.
        progress: Whether to show a live view, or plain lines where there is no terminal.
        throw: Whether a run that went wrong raises; its draws are committed all the same.

    Returns:
        All draws of `chains`, with a status.

    Raises:
        ValueError: `num_draws`, `num_chains` or `chunk` is not positive, `block` does not divide the chains, the
            positions have another shape, the record does not fit the target, or thins variables without a store to keep
            them; the target is a bare score and the sampler needs a density; or its field lies over several processes,
            and its coordinates cannot be shared evenly.
        StartError: The log-density is not finite at a starting point.
        RunError: The run went wrong and `throw` is set, or it was stopped before the first draw.
        StoreError: The store holds another run, or could not commit.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> target = cf.targets.CorrelatedGaussian([1.0, -2.0], [[1.0, 0.5], [0.5, 1.0]])
        >>> chain = cf.sample(target, cf.samplers.ZigZag(), num_draws=1000, num_chains=4, key=jr.key(0))
        >>> chain.posterior["x"].shape
        (4, 1000, 2)
        >>> chain.posterior["x"].mean(axis=(0, 1)).round().tolist()
        [1.0, -2.0]
    """
    for name, value in (("num_draws", num_draws), ("num_chains", num_chains), ("chunk", chunk)):
        if value < 1:
            raise ValueError(f"`{name}` is {value}, but must be at least 1.")
    budget, grid = Budget(stop, max_time), grid_over_processes(target)
    processes = ALONE if grid is None else InStep(grid.mesh)
    if grid is not None and target.dim % grid.mesh.size:
        raise ValueError(
            f"The target has {target.dim} coordinates, which {grid.mesh.size} devices of {processes.count} processes "
            f"cannot share evenly; sample targets.Padded(target, {grid.mesh.size})."
        )
    if position is None:
        position = standard_starts(key, num_chains, target.dim, grid)
    if position.shape != (num_chains, target.dim):
        raise ValueError(
            f"The starting positions have shape {position.shape}, but {num_chains} chains of a "
            f"{target.dim}-dimensional target need {(num_chains, target.dim)}."
        )
    block = default_size(num_chains) if block is None else block
    here = range(num_chains) if chains is None else chains
    _check_chains(here, num_chains, block)
    blocks = Blocks.arranged(len(here), block, target, devices)
    record = Record() if record is None else record
    if record.thins and store is None:
        raise ValueError("The record thins variables, but only a store can hold them; give one as store=.")
    position = position if grid is None else grid.laid_out(position)
    starts = position[here.start : here.stop]
    check_start(target, starts, log_densities(target, starts))
    chunks = Chunks(target, record, blocks, chunk)
    states = chunks.start(sampler, starts, key, first=here.start)
    followed = record.small(target, position[0])
    done, totals, ended = 0, {}, False
    monitor = Monitor(len(here), exact=until is not None)

    def fulfilled(last: Status | None = None) -> bool:
        looked_at = done >= num_draws or done == next_check(done - 1) or last is Status.CONVERGED
        return until is not None and looked_at and bool(processes.largest(until.holds(*monitor.worst())))

    if store is not None:
        store.undo(-processes.largest(-store.num_draws))
    saved = None if store is None else store.load_state()
    if store is not None and saved == {}:
        raise StoreError(f"{store.path} holds no state of a sampler, so its chain cannot go on; start a new file.")
    if store is not None:
        store.identify(
            {
                "target": digest(target),
                "sampler": digest(sampler),
                "key": digest(key),
                "positions": digest(position),
                "record": digest(record),
                "num_chains": num_chains,
                "block": block,
                **({} if len(here) == num_chains else {CHAINS: [here.start, here.stop]}),
                **({} if grid is None else {SLAB: [processes.index, processes.count]}),
            }
        )
        done = store.num_draws
        if saved is not None:
            states = chunks.restored(states, saved)
            totals, last = _recall(store, monitor, followed)
            ended = fulfilled(last)

    status = judge(totals, len(here) * done)
    if store is not None and done < num_draws and not ended:
        store.annotate({"status": Status.STOPPED.name})
    run = None if store is None else store.path

    def facts() -> Facts:
        return _facts(totals, len(here), *monitor.glance())

    with stage("sampling", num_draws, done=done, facts=facts, visible=progress, run=run) as live:
        with commits(store, seconds=commit_seconds, size=commit_bytes, processes=processes) as queue:
            while done < num_draws and not ended and status not in HOPELESS:
                if (early := _EARLY[processes.largest(_EARLY.index(budget.ask()))]) is not None:
                    status = early
                    break
                count = min(chunk, num_draws - done, next_check(done) - done if until is not None else chunk)
                began = time.monotonic()
                states, _, kept = chunks.advance(sampler, states, count)
                drawn = _block(kept, done, done + count)
                done += count
                totals = added(totals, total(drawn[SAMPLE_STATS]))
                monitor.update({name: drawn[POSTERIOR][name] for name in followed}, drawn[SAMPLE_STATS])
                moments = [state.window.posterior_moments() for state in states]
                if store is not None and grid is not None:
                    axes = chunks.axes | axes_of({POSTERIOR_MOMENTS: moments[0]})
                    store.annotate({SLAB_AXES: json.dumps(axes, sort_keys=True)})
                live.advance(count, committed=queue.add(drawn, states, time.monotonic() - began, moments))
                status = judge(totals, len(here) * done)
                ended = status not in HOPELESS and fulfilled()
        if done == 0:
            raise RunError(status)
        if ended:
            status = judge(totals, len(here) * done, Status.CONVERGED)
        elif until is not None and status is Status.SUCCESSFUL:
            status = Status.NOT_CONVERGED
        culprit = ""
        if (ended or done >= num_draws) and status not in FAILED:
            status, culprit = symptom(monitor.draws()) or (status, culprit)
        if store is None:
            draws_kept, stats = (_joined(queue.blocks, group) for group in (POSTERIOR, SAMPLE_STATS))
            chain = Chain(draws_kept, stats, {"sampling_seconds": queue.seconds}, status, moments=queue.moments)
        else:
            store.annotate({"status": status.name})
            if ended or done >= num_draws:
                store.finish()
            chain = store.read()
        live.outcome = status
    if throw and status in FAILED:
        raise RunError(status, culprit)
    return chain


def _check_chains(chains: range, num_chains: int, block: int) -> None:
    """Refuse chains that are none of the run's, or that are not whole blocks of them."""
    whole = block > 0 and chains.start % block == 0 and (chains.stop % block == 0 or chains.stop == num_chains)
    if chains.step != 1 or not 0 <= chains.start < chains.stop <= num_chains or not whole:
        raise ValueError(
            f"`chains` is {chains}, but must be a range of the {num_chains} chains that begins and ends between blocks "
            f"of {block}."
        )


def _block(kept: dict[str, dict[str, np.ndarray]], first: int, stop: int) -> Block:
    """The draws [first, stop) of what a chunk gave, whose buffers may be longer."""
    lengths = {group: len(draw_numbers(group, first, stop)) for group in kept}
    return {
        group: {name: array[:, : lengths[group]] for name, array in arrays.items()} for group, arrays in kept.items()
    }
