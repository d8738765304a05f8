"""From a target to whitened coordinates, a tuned sampler, and starting points, within a budget of gradients."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from .._blocks import default_size
from .._budget import Budget
from .._chunk import DEFAULT_CHUNK, check_start, log_densities
from .._progress import Facts, stage
from .._results import RunError, Status
from .._team import Team
from .._types import Device, Key
from ..chains import ChainStore, digest
from ..fields import check_one_process
from ..samplers import AbstractSampler
from ..targets import AbstractTarget, LinearTheory, Pullback, SomeCoordinates, Wiener, has_density
from ._annealed_importance import annealed_importance
from ._auto import EXCELLENT, candidates
from ._coordinates import (
    SOME,
    Fit,
    assess,
    from_curvature,
    from_draws,
    identity,
    num_assessed,
    num_learned_from,
    refinable,
)
from ._fields import coordinates_as_they_are, in_wiener_coordinates, inverse, wiener_of
from ._kept import STAGE, Warmed, keep, restored
from ._pilot import Outcome, Pilot, smallest_size
from ._windows import Windows

SETTLED = 0.9
"""Importance efficiency of N(0, I) above which coordinates are not refined any more."""

CURVATURE_SHARE = 0.2
"""Share of the budget that the climb to the modes may take."""

MAX_ROUNDS = 6
ENOUGH = 300
"""Effective size of an importance sample from which coordinates are learned without a pilot run."""

LEAST_EFFECTIVE = 4
"""Effective draws of a pilot below which it says nothing of the coordinates."""

FIELD_BUDGET = 10_000
"""Gradients of a warm-up in so many dimensions that draws do not refine the coordinates."""

FIELD_ROUNDS = 3
"""Pilot runs from which the coordinates of the parameters beside a field are refined."""

NUM_LINEAR = 1000
"""Draws of linear theory from which these coordinates are learned at first."""

ROUND_SHARE = 0.15
COORDINATES_SHARE = 0.7
"""Shares of the budget that one pilot run for coordinates may take, and all of them together."""


def default_budget(dim: int) -> int:
    """The gradients that a warm-up may take where nothing is said, all chains together."""
    return 30_000 + 40 * dim if refinable(dim) else FIELD_BUDGET


def warmup(
    target: AbstractTarget,
    sampler: AbstractSampler | Literal["auto"] = "auto",
    *,
    num_chains: int,
    key: Key,
    max_gradients: int | None = None,
    position: Float[Array, "chain dim"] | None = None,
    store: ChainStore | None = None,
    block: int | None = None,
    devices: Sequence[Device] | None = None,
    team: Team | None = None,
    chunk: int = DEFAULT_CHUNK,
    max_time: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> Warmed:
    """Whiten the target, choose and tune the sampler, find starting points.

    Coordinates come from the modes and their curvatures, unless N(0, I) covers the target as well. They are triangular
    up to 32 dimensions and dense up to 1024, and are refined by importance draws, or by pilot runs where those are too
    few, until N(0, I) covers the target or a share of the budget is spent; beyond, they are diagonal and of low rank.
    The posterior of a field is seen in `Wiener` coordinates first.
    Then the sampler is tuned in them. Where it is "auto", those that can be best in the dimension are tuned one after
    another, and the one with the most effective draws per gradient is taken. Above 32 dimensions that may be `MCLMC`,
    and above 1024 `KineticLangevin`, whose bias `step_bias` measures; name another sampler for one without.

    A bare score, which has no density, keeps its coordinates; "auto" is `KineticLangevin` there, and samplers with a
    Metropolis test are refused.

    The pilots' draws are kept in the store's group `warmup_posterior`, those of variables of more than 1024 numbers
    apart; what was tried and what it cost is kept in its attribute `warmup`.

    Args:
        target: What will be sampled.
        sampler: How.
        num_chains: Chains.
        key: Random key.
        max_gradients: About how many gradients may be spent, all chains together; where it is None 30,000 + 40 dim, or
            10,000 above 1024 dimensions.
        position: Where the search for the target begins, shape (chain, dim); standard normal draws where none are
            given. The chains start from what it finds.
        store: Where the outcome is committed; what it already holds is not computed again.
        block: Chains that are computed side by side, as in the sampling to come.
        devices: That are used; all of this process where it is None.
        team: The processes that share the pilot runs, all of which call this; this one alone where it is None. The
            first one's store holds the outcome.
        chunk: Draws per compiled call of the sampling to come, which the pilots share.
        max_time: Seconds within which the warm-up ends early, with `RunError`; nothing of it is kept.
        stop: Asked between windows; where it answers True, `RunError` is raised, and nothing of the warm-up is kept.
        progress: Whether to show a live view, or plain lines where there is no terminal.

    Returns:
        The target in its new coordinates, the tuned sampler, and starting points in these coordinates.

    Raises:
        ValueError: `num_chains` or `max_gradients` is not positive, `block` does not divide the chains, the positions
            have another shape, the target is a bare score and the sampler needs a density, or its field lies over
            several processes.
        StartError: The log-density is not finite at a starting point.
        RunError: The warm-up was stopped, ran out of time, met too many non-finite densities, or could not move, or
            another process was lost.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> target, sampler, start = cf.warmup(
        ...     cf.targets.Banana(), cf.samplers.GHMC(), num_chains=4, max_gradients=3000, key=jr.key(0)
        ... )
        >>> target.dim, start.shape
        (2, (4, 2))
        >>> chain = cf.sample(target, sampler, num_draws=500, num_chains=4, position=start, key=jr.key(1))
        >>> bool(cf.summarize(chain).ess > 400)
        True
    """
    check_one_process(target, "warmup")
    limit = default_budget(target.dim) if max_gradients is None else max_gradients
    for name, value in (("num_chains", num_chains), ("max_gradients", limit)):
        if value < 1:
            raise ValueError(f"`{name}` is {value}, but must be at least 1.")
    if position is not None and position.shape != (num_chains, target.dim):
        raise ValueError(
            f"The starting positions have shape {position.shape}, but {num_chains} chains of a "
            f"{target.dim}-dimensional target need {(num_chains, target.dim)}."
        )
    block = default_size(num_chains) if block is None else block
    tried: dict[str, AbstractSampler] = (
        candidates(target.dim, density=has_density(target)) if sampler == "auto" else {"given": sampler}
    )
    if store is not None:
        store.identify({"warmup": digest((target, sampler, key, position, limit, num_chains, block))})
    target, position = in_wiener_coordinates(target, position)
    team = Team.alone() if team is None else team
    windows = Windows(target, num_chains, block, chunk, team, devices)
    if team.index:
        found = windows.follow(Budget(stop, max_time))
        return Pullback(target, found.bijection), found.sampler, found.positions
    if store is not None:
        saved = store.load_stage(STAGE)
        if saved is not None:
            return windows.end(*restored(target, tried, store, *saved))

    start = time.monotonic()
    facts: Facts = {"gradients": 0}
    with stage(STAGE, limit, facts=lambda: facts, visible=progress, run=None if store is None else store.path) as live:
        pilot = Pilot(num_chains, windows, Budget(stop, max_time), live, facts)
        pilot.spend(0)
        run = _Warmup(target, num_chains, limit, key, pilot)
        whitened, z, reference = run.coordinates(tried, position)
        name, outcome = run.choose(whitened, tried, z, reference)
    if store is not None:
        keep(store, pilot, (whitened, outcome.sampler, outcome.positions), name, run.steps, time.monotonic() - start)
    return windows.end(whitened, outcome.sampler, outcome.positions)


def best_of(outcomes: Mapping[str, Outcome], efficiency: Mapping[str, float]) -> str:
    """The most efficient of those that did not diverge to the last; of all, where all did.

    Raises:
        RunError: None could move, or all met too many non-finite densities.
    """
    sound = [name for name, one in outcomes.items() if one.status not in (Status.NON_FINITE, Status.STUCK)]
    if not sound:
        raise RunError(next(iter(outcomes.values())).status)
    return max(sound, key=lambda name: (outcomes[name].steady, efficiency[name]))


class _Warmup:
    """The steps of a warm-up, each noted with what it cost."""

    def __init__(self, target: AbstractTarget, num_chains: int, limit: int, key: Key, pilot: Pilot):
        self.steps: list[dict[str, Any]] = []
        self._target, self._num_chains, self._limit, self._pilot = target, num_chains, limit, pilot
        self._key, self._count = key, 0

    def coordinates(
        self, tried: dict[str, AbstractSampler], position: Float[Array, "chain dim"] | None
    ) -> tuple[Pullback, Float[Array, "chain dim"], Float[Array, "sample dim"] | None]:
        """The whitened target, where the chains are in it, and an importance sample where there is a good one."""
        plain = Pullback(self._target, coordinates_as_they_are(self._target))
        starts = jr.normal(self._next_key(), (self._num_chains, self._target.dim)) if position is None else position
        check_start(self._target, starts, log_densities(self._target, starts))
        *_, sampler = tried.values()
        if sampler.keeps_coordinates or not has_density(self._target):
            return plain, starts, None
        if (wiener := wiener_of(self._target)) is not None:
            return self._beside_a_field(wiener, next(iter(tried.values())), starts, given=position is not None)
        few, many = (f(self._target.dim, self._limit) for f in (num_assessed, num_learned_from))
        fit = self._assess("as they are", plain, few)
        whitened = plain
        if fit.ess_fraction < SETTLED:
            before, limit = self._pilot.cost, int(CURVATURE_SHARE * self._limit)
            bijection, cost = from_curvature(self._target, starts, self._next_key(), limit)
            self._pilot.spend(cost)
            self._note("climb", before)
            curved = Pullback(self._target, bijection)
            better = self._assess("from curvature", curved, few)
            if better.covers_more_than(fit):
                whitened, fit = curved, better
        z = self._first_positions(whitened, fit, starts)
        for number in range(1, 1 + MAX_ROUNDS):
            settled = fit.ess_fraction > SETTLED or not refinable(self._target.dim)
            if settled or self._pilot.cost > COORDINATES_SHARE * self._limit:
                break
            if fit.num_effective > ENOUGH:
                if len(fit.sample) < many:
                    fit = self._assess("more importance draws", whitened, many)
                refined = from_draws(whitened.bijection, np.asarray(fit.sample)[None], float(fit.num_effective))
                candidate = Pullback(self._target, refined)
                found = self._assess("from importance draws", candidate, many)
                if not found.covers_more_than(fit):
                    break
                whitened, fit, z = candidate, found, found.positions
            else:
                outcome = self._run(f"pilot {number}", whitened, sampler, z, ROUND_SHARE * self._limit)
                if outcome.status in (Status.NON_FINITE, Status.STUCK):
                    raise RunError(outcome.status)
                sampler, z = outcome.sampler, outcome.positions
                if outcome.num_effective < LEAST_EFFECTIVE:
                    continue
                x = jax.vmap(whitened.bijection.transform)(z)
                refined = from_draws(whitened.bijection, outcome.draws, outcome.num_effective)
                whitened = Pullback(self._target, refined)
                fit = self._assess("from the pilot's draws", whitened, few)
                z = fit.positions if fit.num_effective > ENOUGH else inverse(whitened, x)
        return whitened, z, fit.sample if fit.num_effective > ENOUGH else None

    def _beside_a_field(
        self, wiener: Wiener, sampler: AbstractSampler, starts: Float[Array, "chain dim"], *, given: bool
    ) -> tuple[Pullback, Float[Array, "chain dim"], None]:
        """The coordinates of the parameters beside a field: from linear theory, refined by pilot runs."""
        plain, indices = Pullback(self._target, coordinates_as_they_are(self._target)), wiener.beside
        if not indices:
            return plain, starts if given else jax.vmap(wiener.start)(starts), None
        beside = jnp.asarray(indices)
        draws, num_effective = annealed_importance(LinearTheory(wiener), num_draws=NUM_LINEAR, key=self._next_key())
        found = from_draws(identity(len(indices)), draws[None], num_effective)
        whitened = Pullback(self._target, SomeCoordinates(found, indices, wiener.prior.dim))
        if not given:
            first = jnp.asarray(draws[: self._num_chains], starts.dtype)
            starts = jax.vmap(wiener.start)(starts.at[:, beside].set(first))
        z = inverse(whitened, starts)
        for number in range(1, 1 + FIELD_ROUNDS):
            outcome = self._run(f"pilot {number}", whitened, sampler, z, ROUND_SHARE * self._limit, watched=indices)
            if outcome.status in (Status.NON_FINITE, Status.STUCK):
                raise RunError(outcome.status)
            sampler, z = outcome.sampler, outcome.positions
            draws = outcome.draws[:, :, : len(indices)]
            num_effective = smallest_size(draws)
            if num_effective < LEAST_EFFECTIVE:
                continue
            x = jax.vmap(whitened.bijection.transform)(z)
            found = from_draws(found, draws, num_effective)
            whitened = Pullback(self._target, SomeCoordinates(found, indices, wiener.prior.dim))
            z = inverse(whitened, x)
        return whitened, z, None

    def _first_positions(
        self, target: Pullback, fit: Fit, starts: Float[Array, "chain dim"]
    ) -> Float[Array, "chain dim"]:
        """From the importance sample; where it is of no use, draws from N(0, I), or else where the search began."""
        if fit.num_effective > SOME:
            return fit.positions
        z = jr.normal(self._next_key(), starts.shape, starts.dtype)
        return z if jnp.all(jnp.isfinite(log_densities(target, z))) else inverse(target, starts)

    def choose(
        self,
        target: Pullback,
        tried: dict[str, AbstractSampler],
        positions: Float[Array, "chain dim"],
        reference: Float[Array, "sample dim"] | None,
    ) -> tuple[str, Outcome]:
        """The best of some samplers, tuned.

        Raises:
            RunError: None of them could move, or all met too many non-finite densities.
        """
        share = (self._limit - self._pilot.cost) / (1 + len(tried))
        wiener = wiener_of(self._target)
        watched = () if wiener is None else wiener.beside
        outcomes: dict[str, Outcome] = {}
        efficiency: dict[str, float] = {}
        for name, sampler in tried.items():
            outcomes[name] = self._run(name, target, sampler, positions, share, reference, watched)
            efficiency[name] = self.steps[-1]["efficiency"]
            if efficiency[name] > EXCELLENT and outcomes[name].steady:
                break
        best = best_of(outcomes, efficiency)
        return best, outcomes[best]

    def _run(
        self, name: str, target: Pullback, sampler: AbstractSampler, z, cost: float | int, reference=None, watched=()
    ) -> Outcome:
        before = self._pilot.cost
        outcome = self._pilot.run(target, sampler, z, self._next_key(), cost, watched)
        self._note(name, before, sampler=type(sampler).__name__, efficiency=outcome.efficiency(reference))
        return outcome

    def _assess(self, name: str, target: Pullback, size: int) -> Fit:
        before = self._pilot.cost
        fit = assess(target, size=size, num_chains=self._num_chains, key=self._next_key())
        self._pilot.spend(size / 3)
        self._note(name, before, importance_efficiency=float(fit.ess_fraction), effective=float(fit.num_effective))
        return fit

    def _note(self, name: str, before: float, **facts: Any) -> None:
        self.steps.append({"step": name, "gradients": round(self._pilot.cost - before), **facts})

    def _next_key(self) -> Key:
        self._count += 1
        return jr.fold_in(self._key, self._count)
