"""Delayed acceptance: short chains on a cheap surrogate are the proposals to the exact target."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractKernel, AbstractState
from ._ghmc import GHMC
from ._parts import told_by
from ._trajectory import TrajectoryInfo, TrajectoryState


class DelayedAcceptanceState(AbstractState):
    """A point with both log-densities, and the chain's random stream."""

    position: Vector
    log_density: Scalar
    surrogate_log_density: Scalar
    key: Key
    counter: Int[Array, ""]


class DelayedAcceptanceInfo(AbstractInfo):
    """Of one proposal; the gradients of the surrogate are counted apart, and the inner chain tells its means."""

    acceptance_rate: Float[Array, "..."]
    inner_acceptance_rate: Float[Array, "..."]
    num_surrogate_gradients: Int[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class DelayedAcceptance(AbstractKernel[DelayedAcceptanceState, DelayedAcceptanceInfo]):
    """Metropolis whose proposal is a chain on a surrogate density s of the target pi.

    From x, `num_inner` draws of Hamiltonian Monte Carlo on s lead to y, which is accepted with probability

        min(1, pi(y) s(x) / (pi(x) s(y))).

    Momenta are drawn afresh, so the inner chain is reversible with respect to s, and the law of the draws is the
    target, however wrong the surrogate; the wronger, the more is rejected. A draw costs one density of the target and
    none of its gradients. Where the surrogate's tails are much thinner than the target's, chains stick in them: let
    it be somewhat too wide rather than too narrow.

    The surrogate is a density of the same coordinates as the target: change both alike by `Pullback`. A warm-up tunes
    the inner step size and leaves the coordinates as they are; its budget counts the target alone, so a few hundred
    gradients are enough.

    Args:
        surrogate: The surrogate, such as a `Posterior` with the likelihood of `fitting.taylor_surrogate`.
        inner: How it is explored, with momenta drawn afresh and trajectories of one length.
        num_inner: Inner draws per proposal.

    Raises:
        ValueError: There are no inner draws, or the inner sampler is not reversible.

    References:
        Liu 2001, Monte Carlo Strategies in Scientific Computing, section 9.4.3; Christen & Fox 2005, Journal of
        Computational and Graphical Statistics 14, 795.
    """

    surrogate: AbstractTarget
    inner: GHMC = eqx.field(default_factory=GHMC)
    num_inner: int = 4

    def __check_init__(self):
        if self.num_inner < 1:
            raise ValueError(
                f"DelayedAcceptance's num_inner is {self.num_inner}, but it needs at least one inner draw."
            )
        if self.inner.persistence != 0 or self.inner.level_drift is not None or self.inner.spread != 0:
            raise ValueError(
                "DelayedAcceptance needs an inner GHMC that is reversible: without persistence, level_drift and spread."
            )

    @property
    def keeps_coordinates(self) -> bool:
        """They are those of the surrogate."""
        return True

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> DelayedAcceptanceState:
        """The state of one chain that starts at a position."""
        densities = target.log_density(position), self.surrogate.log_density(position)
        return DelayedAcceptanceState(position, *densities, key, jnp.zeros((), jnp.int32))

    def log_density(self, state: DelayedAcceptanceState) -> Scalar:
        """The target's log-density at the state's position."""
        return state.log_density

    def step(
        self, target: AbstractTarget, state: DelayedAcceptanceState, *, key: Key
    ) -> tuple[DelayedAcceptanceState, DelayedAcceptanceInfo]:
        """An inner chain, and the test of where it ends."""
        key_inner, key_accept = jr.split(key)
        end, told = self._explore(state.position, key=key_inner)
        proposed, surrogate = target.log_density(end.position), self.inner.log_density(end)
        change = (proposed - state.log_density) - (surrogate - state.surrogate_log_density)
        bad = jnp.isnan(change)
        acceptance_rate = jnp.where(bad, 0, jnp.exp(jnp.minimum(change, 0)))
        accept = jr.uniform(key_accept, (), change.dtype) < acceptance_rate
        new = DelayedAcceptanceState(
            jnp.where(accept, end.position, state.position),
            jnp.where(accept, proposed, state.log_density),
            jnp.where(accept, surrogate, state.surrogate_log_density),
            state.key,
            state.counter,
        )
        info = DelayedAcceptanceInfo(
            acceptance_rate=acceptance_rate,
            inner_acceptance_rate=jnp.mean(told.acceptance_rate),
            num_surrogate_gradients=1 + jnp.sum(told.num_gradients, dtype=jnp.int32),
            non_finite=bad.astype(jnp.int32) + jnp.sum(told.non_finite, dtype=jnp.int32),
            num_gradients=jnp.zeros((), jnp.int32),
            num_densities=jnp.ones((), jnp.int32),
        )
        return new, info

    def _explore(self, position: Vector, *, key: Key) -> tuple[TrajectoryState, TrajectoryInfo]:
        """The inner chain's last state and its infos."""
        key_start, key_draws = jr.split(key)
        start = self.inner.init(self.surrogate, position, key=key_start)

        def draw(state, key):
            return self.inner.step(self.surrogate, state, key=key)

        return jax.lax.scan(draw, start, jr.split(key_draws, self.num_inner))

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> "DelayedAcceptance":
        """The inner sampler tuned by its own acceptance."""
        return eqx.tree_at(lambda s: s.inner, self, self.inner.retuned(positions, told_by(stats, "inner"), gain))
