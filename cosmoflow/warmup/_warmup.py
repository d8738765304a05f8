"""From a target and a sampler to whitened coordinates, a tuned sampler, and starting points."""

import time
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from .._budget import Budget
from .._chunk import DEFAULT_CHUNK, check_start, init_states, log_densities, run_chunk, sample_stats
from .._progress import Facts, stage
from .._record import Record
from .._results import RunError, Status
from .._types import Key
from .._verdict import added, judge, total
from ..chains import POSTERIOR, ChainStore, arrays_to_tree, digest, tree_to_arrays
from ..samplers import AbstractSampler
from ..targets import AbstractTarget, Pullback
from ._affine import Affine
from ._precondition import MAX_DENSE_DIM, assess, laplace, pooled
from ._tuner import Tuner

STAGE = "warmup"
WINDOW = 25
MAX_KEPT = 1024
"""Numbers of a variable above which its draws in the warm-up are not kept."""

GOOD_ENOUGH = 0.1
"""Importance efficiency of N(0, I) above which no Laplace fit is made."""


def _starting_coordinates(target, sampler, num_chains, position, key) -> tuple[Affine, Float[Array, "chain dim"], int]:
    """Coordinates and starting points: as they are, or from a Laplace fit where that covers more of the evidence."""
    key_plain, key_laplace, key_starts = jr.split(key, 3)
    plain = Affine.identity(target.dim, jnp.result_type(float) if position is None else position.dtype)
    fit = assess(target, plain, num_chains=num_chains, key=key_plain)
    starts = jr.normal(key_starts, (num_chains, target.dim), plain.location.dtype) if position is None else position
    check_start(target, starts, log_densities(target, starts))
    if target.dim > MAX_DENSE_DIM or sampler.keeps_coordinates:
        return plain, starts, 0
    if fit.ess_fraction > GOOD_ENOUGH:
        return plain, fit.positions if position is None else position, 0
    affine, cost = laplace(target, starts)
    curved = assess(target, affine, num_chains=num_chains, key=key_laplace)
    if curved.log_evidence > fit.log_evidence:
        return affine, curved.positions if position is None else position, cost
    return plain, starts, cost


def warmup(
    target: AbstractTarget,
    sampler: AbstractSampler,
    *,
    num_steps: int = 1000,
    num_chains: int,
    key: Key,
    position: Float[Array, "chain dim"] | None = None,
    store: ChainStore | None = None,
    chunk: int = DEFAULT_CHUNK,
    max_time: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> tuple[Pullback, AbstractSampler, Float[Array, "chain dim"]]:
    """Whiten the target, tune the sampler, find starting points.

    Coordinates come first from a Laplace fit, unless N(0, I) covers the target well already; then a pilot run of half
    the steps refines them by its pooled covariance, and the other half tunes the step size in the new ones. The pilot's
    draws are kept in the store's group `warmup_posterior`, those of variables of more than 1024 numbers apart.

    Args:
        target: What will be sampled.
        sampler: How.
        num_steps: Draws per chain of the pilot runs.
        num_chains: Chains.
        key: Random key.
        position: Starting points, shape (chain, dim); standard normal draws where none are given.
        store: Where the outcome is committed; what it already holds is not computed again.
        chunk: Draws per compiled call of the sampling to come, which the pilot shares.
        max_time: Seconds within which the warm-up ends early, with `RunError`; nothing of it is kept.
        stop: Asked between windows; where it answers True, `RunError` is raised, and nothing of the warm-up is kept.
        progress: Whether to show a live view, or plain lines where there is no terminal.

    Returns:
        The target in its new coordinates, the tuned sampler, and starting points in these coordinates.

    Raises:
        StartError: The log-density is not finite at a starting point.
        RunError: The warm-up was stopped, ran out of time, met too many non-finite densities, or could not move.
    """
    budget = Budget(stop, max_time)
    if store is not None:
        store.identify({"warmup": digest((target, sampler, key, position, num_steps, num_chains))})
        saved = store.load_stage(STAGE)
        if saved is not None:
            arrays, costs = saved
            _annotate(store, costs)
            affine = Affine(jnp.asarray(arrays["location"]), jnp.asarray(arrays["cholesky"]))
            fields = {name.removeprefix("sampler"): array for name, array in arrays.items()}
            return Pullback(target, affine), arrays_to_tree(sampler, fields), jnp.asarray(arrays["positions"])

    start = time.monotonic()
    key_start, *stage_keys = jr.split(key, 3)
    num_windows = max(1, num_steps // (2 * WINDOW))
    total_steps = 2 * WINDOW * num_windows
    facts: Facts = {}
    record = Record()
    kept_draws: list[tuple[dict, dict]] = []
    run = None if store is None else store.path
    with stage(STAGE, total_steps, facts=lambda: facts, visible=progress, run=run) as live:
        affine, positions, num_gradients = _starting_coordinates(target, sampler, num_chains, position, key_start)
        for number, stage_key in enumerate(stage_keys):
            whitened = Pullback(target, affine)
            z = jax.vmap(whitened.bijection.inverse)(positions)
            states = init_states(whitened, sampler, z, stage_key, record)
            small = record.small(whitened, z[0], size=MAX_KEPT)
            tuner = Tuner(sampler)
            windows: list[np.ndarray] = []
            totals: dict[str, float] = {}
            for _ in range(num_windows):
                if (status := budget.ask()) is not None:
                    raise RunError(status)
                states, draws, infos, kept = run_chunk(
                    whitened, tuner.sampler, states, jnp.asarray(WINDOW), record, capacity=max(chunk, WINDOW)
                )
                stats = _window({"lp": draws.log_density} | sample_stats(infos))
                window = np.asarray(draws.position[:, :WINDOW])
                facts |= {name: float(getattr(tuner.sampler, name)) for name in tuner.sampler.tunable}
                if "acceptance_rate" in stats:
                    facts["acceptance"] = float(np.mean(stats["acceptance_rate"]))
                tuner.update(window, stats)
                totals = added(totals, total(stats))
                num_gradients += int(np.sum(stats["num_gradients"]))
                kept_draws.append((_window({name: kept[POSTERIOR][name] for name in small}), stats))
                windows.append(window)
                facts["gradients"] = num_gradients
                live.advance(WINDOW)
            status = judge(totals, num_chains * WINDOW * len(windows))
            if status in (Status.NON_FINITE, Status.STUCK):
                raise RunError(status)
            sampler = tuner.tuned()
            positions = jax.vmap(whitened.bijection.transform)(jnp.asarray(windows[-1][:, -1]))
            if number == 0 and target.dim <= MAX_DENSE_DIM and not sampler.keeps_coordinates:
                settled = np.concatenate(windows[len(windows) // 4 :], axis=1)
                affine = pooled(affine, jnp.asarray(settled.reshape(-1, target.dim)))

    whitened = Pullback(target, affine)
    z = jax.vmap(whitened.bijection.inverse)(positions)
    if store is not None:
        store.save_group("warmup_posterior", _joined([parameters for parameters, _ in kept_draws]))
        store.save_group("warmup_sample_stats", _joined([stats for _, stats in kept_draws]))
        arrays = {"location": affine.location, "cholesky": affine.cholesky, "positions": z}
        arrays |= {f"sampler{name}": array for name, array in tree_to_arrays(sampler).items()}
        costs = {"num_gradients": num_gradients, "seconds": time.monotonic() - start}
        store.save_stage(STAGE, {name: np.asarray(value) for name, value in arrays.items()}, costs)
        _annotate(store, costs)
    return whitened, sampler, z


def _window(arrays: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """The draws of one window, on the host."""
    return {name: np.asarray(array)[:, :WINDOW] for name, array in arrays.items()}


def _joined(windows: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The draws of consecutive windows."""
    return {name: np.concatenate([window[name] for window in windows], axis=1) for name in windows[0]}


def _annotate(store: ChainStore, costs: dict) -> None:
    store.annotate({"warmup_gradients": str(costs["num_gradients"]), "warmup_seconds": f"{costs['seconds']:.3f}"})
