"""Short runs that tune a sampler in given coordinates, and what they found and cost."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._budget import Budget
from .._progress import Facts, Stage
from .._results import RunError, Status
from .._types import Key
from .._verdict import added, judge, total
from ..diagnostics import gradient_cost
from ..samplers import AbstractSampler
from ..targets import Pullback
from ._tuner import Tuner
from ._windows import MAX_KEPT, WINDOW, Windows

NUM_WINDOWS = 16

MAX_JUDGED = 32
"""Coordinates whose effective sample sizes are looked at."""

STEADY = 0.01
"""Divergences per draw in the last quarter of a pilot, above which a sampler is taken only where all diverge."""


class Outcome(NamedTuple):
    """What a pilot run found: a tuned sampler, where the chains are, the draws of its last three quarters, and how many
    of its last quarter diverged.

    In more than `MAX_KEPT` dimensions, and where some are watched, only some coordinates of the draws are kept, the
    watched ones first.
    """

    sampler: AbstractSampler
    positions: Float[Array, "chain dim"]
    draws: Float[np.ndarray, "chain draw coordinate"]
    log_density: Float[np.ndarray, "chain draw"]
    cost_per_draw: float
    status: Status
    diverging: float

    @property
    def steady(self) -> bool:
        """Whether few of the last draws diverged."""
        return self.diverging <= STEADY

    @property
    def num_effective(self) -> float:
        """The typical effective sample size of a coordinate."""
        return float(np.median(_sizes(self._judged)))

    @property
    def _judged(self) -> Float[np.ndarray, "chain draw judged"]:
        return self.draws if self.draws.shape[2] < self.positions.shape[1] else _judged(self.draws)

    def efficiency(self, reference: Float[Array, "sample dim"] | None) -> float:
        """The smallest effective sample size, over coordinates, their squares and the log-density, per gradient.

        Where a reference sample varies more than the draws do, the chains have not been everywhere, and their sizes
        count for less in proportion.
        """
        half = self._judged[:, self.draws.shape[1] // 3 :]
        sizes = _sizes(np.concatenate([half, half**2, self.log_density[:, -half.shape[1] :, None]], axis=2))
        if reference is not None:
            there = _judged(np.asarray(reference)[None])
            spread = np.var(np.concatenate([half, half**2], axis=2), axis=(0, 1))
            sizes[:-1] *= np.minimum(1, spread / np.var(np.concatenate([there, there**2], axis=2), axis=(0, 1)))
        return float(np.min(sizes)) / (self.cost_per_draw * half.shape[1])


def _judged(
    draws: Float[np.ndarray, "chain draw dim"], watched: Sequence[int] = ()
) -> Float[np.ndarray, "chain draw judged"]:
    """Some of many coordinates: those that are watched, and others evenly."""
    evenly = np.linspace(0, draws.shape[2] - 1, MAX_JUDGED).astype(int)
    return draws[:, :, [*watched, *sorted(set(evenly.tolist()) - set(watched))]]


def _sizes(values: Float[np.ndarray, "chain draw function"]) -> Float[np.ndarray, " function"]:
    """Effective sample sizes of the means of several functions."""
    from arviz_stats.base import array_stats

    sizes = np.zeros(values.shape[2])
    for i, one in enumerate(np.moveaxis(values, 2, 0)):
        if np.all(np.isfinite(one)) and np.ptp(one) > 0 and one.shape[1] > 4:
            size: Any = array_stats.ess(one, chain_axis=0, draw_axis=1, method="mean")
            sizes[i] = size if np.isfinite(size) else 0.0
    return sizes


def smallest_size(draws: Float[np.ndarray, "chain draw coordinate"]) -> float:
    """The smallest effective sample size of some coordinates."""
    return float(np.min(_sizes(draws)))


class Pilot:
    """A series of short runs on one target, with their draws, counts and cost so far.

    Args:
        num_chains: Chains.
        windows: What draws them.
        budget: Asked between windows.
        live: Where progress is shown, in gradients.
        facts: What is known, filled in here.
    """

    def __init__(self, num_chains: int, windows: Windows, budget: Budget, live: Stage, facts: Facts):
        self.cost = 0.0
        self.parameters: list[dict[str, np.ndarray]] = []
        self.stats: list[dict[str, np.ndarray]] = []
        self._num_chains, self._windows = num_chains, windows
        self._budget, self._live, self._facts = budget, live, facts

    def spend(self, gradients: float | int) -> None:
        """Count what was computed, and stop where it is time.

        Raises:
            RunError: The warm-up was stopped or ran out of time.
        """
        before, self.cost = int(self.cost), self.cost + gradients
        self._facts["gradients"] = int(self.cost)
        self._live.advance(int(self.cost) - before)
        if (status := self._budget.ask()) is not None:
            raise RunError(status)

    def run(
        self,
        target: Pullback,
        sampler: AbstractSampler,
        positions: Float[Array, "chain dim"],
        key: Key,
        cost: float | int,
        watched: Sequence[int] = (),
    ) -> Outcome:
        """Tune a sampler for about a number of gradients, from positions in the whitened coordinates.

        Of many coordinates those that are watched are kept, in this order, and then some others.
        """
        self.spend(self._num_chains)
        self._windows.start(target, sampler, positions, key)
        tuner, num_draws, spent = Tuner(sampler), WINDOW, 0.0
        draws: list[np.ndarray] = []
        log_density: list[np.ndarray] = []
        diverging: list[np.ndarray] = []
        totals: dict[str, float] = {}
        while not draws or spent < cost:
            window, parameters, stats = self._windows.draw(tuner.sampler, num_draws)
            self._facts |= {name: float(getattr(tuner.sampler, name)) for name in tuner.sampler.tunable}
            if "acceptance_rate" in stats:
                self._facts["acceptance"] = float(np.mean(stats["acceptance_rate"]))
            tuner.update(window, stats)
            totals = added(totals, total(stats))
            draws.append(_judged(window, watched) if watched or window.shape[2] > MAX_KEPT else window)
            log_density.append(stats["lp"])
            diverging.append(stats.get("diverging", np.zeros(stats["lp"].shape)))
            self.parameters.append(parameters)
            self.stats.append(stats)
            window_cost = gradient_cost(stats)
            spent += window_cost
            self.spend(window_cost)
            per_draw = max(window_cost / num_draws, 1e-3)
            num_draws = int(np.clip(math.ceil(cost / NUM_WINDOWS / per_draw), 1, self._windows.capacity))
        length = sum(window.shape[1] for window in draws)
        settled = length // 4
        return Outcome(
            tuner.tuned(),
            jnp.asarray(window[:, -1]),
            np.concatenate(draws, axis=1)[:, settled:],
            np.concatenate(log_density, axis=1)[:, settled:],
            spent / length,
            judge(totals, self._num_chains * length),
            float(np.mean(np.concatenate(diverging, axis=1)[:, 3 * settled :])),
        )


def concatenated(windows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The draws of consecutive windows, of what all of them tell."""
    names = [name for name in windows[0] if all(name in window for window in windows)]
    return {name: np.concatenate([window[name] for window in windows], axis=1) for name in names}
