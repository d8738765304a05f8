"""Non-reversible parallel tempering over any sampler."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.scipy.special import logsumexp
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget, Tempered, log_standard_normal
from ._base import AbstractInfo, AbstractKernel, AbstractSampler, AbstractState
from ._ghmc import GHMC
from ._parts import one_draw, rows, stacked, summed, told_by

HOTTEST = 1e-5
"""The lowest inverse temperature above zero from which the tuning of a ladder starts."""

LEAST_REJECTION = 1e-3


class TemperingState(AbstractState):
    """The points of all rungs, hottest first, and which of them came from the reference since they were cold."""

    rungs: Float[Array, "*chain rung dim"]
    log_density: Float[Array, "*chain"]
    fresh: Bool[Array, "*chain rung"]
    key: Key
    counter: Int[Array, "*chain"]

    @property
    def position(self) -> Float[Array, "*chain dim"]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The point of the cold rung."""
        return self.rungs[..., -1, :]


class TemperingInfo(AbstractInfo):
    """Of all rounds of one draw.

    A pair of neighbours b < b' has weights w = L^(b' - b), where L is the ratio of target and reference: the logarithms
    of E[w^1/2] at its hotter rung and of E[w^-1/2] at its colder one are the two ends of a bridge between their
    normalisations. `rung` is what the inner samplers tell of the last round, that of the
    reference left out; counts of costs and events add up over rounds and rungs, non-finite densities are those of the
    target's own rung.
    """

    swap_rejection: Float[Array, "... pair"]
    log_bridge_hot: Float[Array, "... pair"]
    log_bridge_cold: Float[Array, "... pair"]
    round_trips: Int[Array, "..."]
    rung: AbstractInfo
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]
    num_directional_derivatives: Int[Array, "..."] | None
    num_events: Int[Array, "..."] | None
    num_violations: Int[Array, "..."] | None
    num_stuck: Int[Array, "..."] | None
    num_cliffs: Int[Array, "..."] | None
    diverging: Bool[Array, "..."] | None


class _Round(eqx.Module):
    """What one exploration and the swaps after it tell."""

    log_ratios: Float[Array, "*round rung"]
    acceptance: Float[Array, "*round pair"]
    trip: Int[Array, "*round"]
    non_finite: Int[Array, "*round"]
    infos: AbstractInfo


def swap(
    log_ratios: Float[Array, " rung"], inverse_temperatures: Float[Array, " rung"], parity: Int[Array, ""], *, key: Key
) -> tuple[Int[Array, " rung"], Float[Array, " pair"]]:
    """Deterministic even-odd swaps of neighbours.

    The points of rungs b < b' are exchanged with probability min(1, exp((b' - b) (l - l'))), l the log-ratio of target
    and reference at the point of b and l' at that of b'.

    Args:
        log_ratios: l of every rung.
        inverse_temperatures: b of every rung, increasing.
        parity: Whether the pairs that begin at even rungs are tried (0), or those at odd ones (1).
        key: Random key.

    Returns:
        Which rung's point each rung has after it, and the acceptance probabilities of all pairs, tried or not.
    """
    steps = jnp.diff(inverse_temperatures)
    probability = jnp.exp(jnp.minimum(steps * (log_ratios[:-1] - log_ratios[1:]), 0))
    pairs = jnp.arange(steps.size, dtype=parity.dtype)
    accept = (pairs % 2 == parity) & (jr.uniform(key, steps.shape, steps.dtype) < probability)
    up = jnp.pad(accept, (0, 1)).astype(jnp.int32)
    down = jnp.pad(accept, (1, 0)).astype(jnp.int32)
    return jnp.arange(steps.size + 1, dtype=jnp.int32) + up - down, probability


def equal_rejection(
    inverse_temperatures: Float[np.ndarray, " rung"], rejection: Float[np.ndarray, " pair"]
) -> Float[np.ndarray, " rung"]:
    """The ladder of as many rungs whose pairs would all be rejected equally often.

    The rejections of neighbours add up to the communication barrier, whose inverse function is interpolated.

    References:
        Syed et al. 2022, arXiv:1905.02939, section 5.
    """
    barrier = np.concatenate([[0.0], np.cumsum(np.maximum(rejection, LEAST_REJECTION))])
    hottest = inverse_temperatures[1]
    even = np.linspace(0, barrier[-1], len(barrier))
    ladder = np.exp(np.interp(even, barrier, np.log(inverse_temperatures + hottest))) - hottest
    ladder[0], ladder[-1] = 0.0, 1.0
    return ladder


class ParallelTempering(AbstractKernel[TemperingState, TemperingInfo]):
    """Non-reversible parallel tempering between N(0, I) and the target.

    A round moves each rung by one draw of its own inner sampler, that of the reference by an exact one, then tries to
    swap neighbours: pairs that begin at even rungs in even rounds, at odd rungs in odd ones. The inner samplers start
    afresh from their points, which is counted as a gradient each. A warm-up tunes the ladder to equal rejection and
    each inner sampler to its own temperature, and leaves the coordinates as they are: of a posterior, the reference is
    the prior. About two rungs per unit of the communication barrier, which `stepping_stone` reports, are best.

    Args:
        inner: What explores the rungs; by default `GHMC(num_steps=2)`. It must draw all that its state holds beside the
            position from its exact law in `init`.
        num_rungs: Number of temperatures, the reference and the target included.
        rounds: Rounds per draw.

    Raises:
        ValueError: There are fewer than three rungs or no rounds, or the inner sampler tempers itself.

    References:
        Syed, Bouchard-Côté, Deligiannidis, Doucet 2022, arXiv:1905.02939.
    """

    inner: AbstractSampler
    inverse_temperatures: Float[Array, " rung"]
    rounds: int

    def __init__(self, inner: AbstractSampler | None = None, num_rungs: int = 12, rounds: int = 4):
        if num_rungs < 3:
            raise ValueError(f"ParallelTempering has num_rungs = {num_rungs}, but needs at least 3.")
        if rounds < 1:
            raise ValueError(f"ParallelTempering has rounds = {rounds}, but a draw needs at least one.")
        inner = GHMC(num_steps=2) if inner is None else inner
        if inner.keeps_coordinates:
            raise ValueError(f"ParallelTempering cannot explore its rungs by {type(inner).__name__}; take a local one.")
        self.rounds = rounds
        self.inner = stacked([inner] * (num_rungs - 1))
        ladder = jnp.geomspace(HOTTEST, 1.0, num_rungs - 1, dtype=float)
        self.inverse_temperatures = jnp.concatenate([jnp.zeros(1, ladder.dtype), ladder])

    @property
    def keeps_coordinates(self) -> bool:
        """The rungs lead from their N(0, I)."""
        return True

    @property
    def num_rungs(self) -> int:
        """Number of temperatures."""
        return self.inverse_temperatures.size

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> TemperingState:
        """The state of one chain whose rungs all start at a position."""
        rungs = jnp.broadcast_to(position, (self.num_rungs, position.size))
        fresh = jnp.zeros(self.num_rungs, bool)
        return TemperingState(rungs, target.log_density(position), fresh, key, jnp.zeros((), jnp.int32))

    def log_density(self, state: TemperingState) -> Scalar:
        """The target's log-density at the state's position."""
        return state.log_density

    def _round(
        self, target: AbstractTarget, state: TemperingState, counter: Int[Array, ""], *, key: Key
    ) -> tuple[TemperingState, _Round]:
        """Explore all rungs, then swap neighbours; `counter` is the number of the round."""
        key_reference, key_inner, key_swap = jr.split(key, 3)
        dtype = state.rungs.dtype
        ladder = self.inverse_temperatures.astype(dtype)
        arrays, rest = eqx.partition(self.inner, eqx.is_array)

        def explore(arrays, b, position, key):
            inner = eqx.combine(arrays, rest)
            return one_draw(inner, Tempered(target, b), position, counter=counter, key=key)

        keys = jr.split(key_inner, self.num_rungs - 1)
        explored, infos = jax.vmap(explore)(arrays, ladder[1:], state.rungs[1:], keys)
        reference = jr.normal(key_reference, state.position.shape, dtype)
        rungs = jnp.concatenate([reference[None], explored])
        log_densities = jax.vmap(target.log_density)(rungs)
        log_ratios = log_densities - jax.vmap(log_standard_normal)(rungs)
        bad = jnp.isnan(log_ratios)
        log_ratios = jnp.where(bad, -jnp.inf, log_ratios)

        order, acceptance = swap(log_ratios, ladder, counter % 2, key=key_swap)
        fresh = state.fresh.at[0].set(True)[order]
        new = TemperingState(rungs[order], log_densities[order[-1]], fresh.at[-1].set(False), state.key, state.counter)
        trip, non_finite = fresh[-1].astype(jnp.int32), bad[-1].astype(jnp.int32)
        return new, _Round(log_ratios, acceptance, trip, non_finite, infos)

    def step(self, target: AbstractTarget, state: TemperingState, *, key: Key) -> tuple[TemperingState, TemperingInfo]:
        """All rounds of one draw."""

        def body(state, i):
            return self._round(target, state, state.counter * self.rounds + i, key=jr.fold_in(key, i))

        state, rounds = jax.lax.scan(body, state, jnp.arange(self.rounds, dtype=jnp.int32))
        half_steps = 0.5 * jnp.diff(self.inverse_temperatures).astype(state.rungs.dtype)
        log_rounds = jnp.log(jnp.asarray(self.rounds, half_steps.dtype))
        told = rounds.infos
        diverging = getattr(told, "diverging", None)
        cold_non_finite = jnp.sum(told.non_finite[:, -1], dtype=jnp.int32)
        info = TemperingInfo(
            swap_rejection=1 - jnp.mean(rounds.acceptance, axis=0),
            log_bridge_hot=logsumexp(half_steps * rounds.log_ratios[:, :-1], axis=0) - log_rounds,
            log_bridge_cold=logsumexp(-half_steps * rounds.log_ratios[:, 1:], axis=0) - log_rounds,
            round_trips=jnp.sum(rounds.trip, dtype=jnp.int32),
            rung=jax.tree.map(lambda values: values[-1], told),
            non_finite=cold_non_finite + jnp.sum(rounds.non_finite, dtype=jnp.int32),
            num_gradients=summed(told, "num_gradients") + (self.num_rungs - 1) * self.rounds,
            num_densities=summed(told, "num_densities") + self.num_rungs * self.rounds,
            num_directional_derivatives=summed(told, "num_directional_derivatives"),
            num_events=summed(told, "num_events"),
            num_violations=summed(told, "num_violations"),
            num_stuck=summed(told, "num_stuck"),
            num_cliffs=summed(told, "num_cliffs"),
            diverging=None if diverging is None else jnp.any(diverging[:, -1]),
        )
        return state, info

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> "ParallelTempering":
        """The ladder moved towards equal rejection, and every inner sampler tuned to its own temperature.

        The inner samplers see their own infos, but positions and log-densities of the cold rung.
        """
        told = told_by(stats, "rung")
        explorers = []
        for rung, sampler in enumerate(rows(self.inner, self.num_rungs - 1)):
            own = {name: array[:, :, rung] for name, array in told.items()} | {"lp": stats["lp"]}
            explorers.append(sampler.retuned(positions, own, gain))
        inner = stacked(explorers)
        weight = min(1.0, gain / 2)
        measured = np.mean(stats["swap_rejection"], axis=(0, 1), dtype=float)
        rejection = weight * measured + (1 - weight) * np.mean(measured)
        old = np.asarray(self.inverse_temperatures, float)
        new = equal_rejection(old, rejection)
        for name in inner.tunable:
            value = getattr(inner, name)
            moved = np.exp(np.interp(np.log(new[1:]), np.log(old[1:]), np.log(np.asarray(value, float))))
            inner = eqx.tree_at(lambda s: getattr(s, name), inner, jnp.asarray(moved, value.dtype))
        ladder = jnp.asarray(new, self.inverse_temperatures.dtype)
        return eqx.tree_at(lambda s: (s.inner, s.inverse_temperatures), self, (inner, ladder))
