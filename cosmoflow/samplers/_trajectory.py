"""Hamiltonian trajectories with a Metropolis test: what Langevin and Hamiltonian Monte Carlo have in common."""

import math
from abc import abstractmethod
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..dynamics import AbstractIntegrator, GaussianKinetic, Hamiltonian, IsokineticKinetic, PhaseState, TargetPotential
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractSampler, AbstractState, AbstractTunedKernel

DIVERGENCE = 1000.0


class TrajectoryState(AbstractState):
    """A point of phase space with its gradient, the level of its acceptances, and the chain's random stream."""

    position: Vector
    momentum: Vector
    potential: Scalar
    gradient: Vector
    level: Scalar
    key: Key
    counter: Int[Array, ""]


class TrajectoryInfo(AbstractInfo):
    """Of one trajectory."""

    acceptance_rate: Float[Array, "..."]
    energy: Float[Array, "..."]
    diverging: Bool[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


def drifted(level: Scalar, drift: Scalar) -> Scalar:
    """A level moved on in [-1, 1), whose ends are one point; a uniform law stays uniform."""
    return (level + drift + 1) % 2 - 1


class AbstractTrajectoryKernel(AbstractTunedKernel[TrajectoryState, TrajectoryInfo]):
    """Refresh the momentum, integrate, accept or turn round.

    A trajectory is accepted where |level| < exp(-change) for its accumulated change of energy, and the level becomes
    level * exp(change): level and point of phase space stay independent, and the level uniform on [-1, 1]. The level is
    drawn afresh before each trajectory, or drifts a little: then rejections, each of which turns a persistent momentum
    round, come in clusters and leave long runs between them.

    The number of steps is spread evenly over `num_steps` (1 +- `spread`), the same for all chains, so that none waits.

    References:
        Neal 2020, arXiv:2001.11950.
    """

    num_steps: AbstractVar[int]
    jitter: AbstractVar[float]
    spread: AbstractVar[float]
    level_drift: AbstractVar[Float[Array, ""] | None]
    integrator: AbstractVar[AbstractIntegrator]

    def __check_init__(self):
        name = type(self).__name__
        if self.num_steps < 1:
            raise ValueError(f"{name}'s num_steps is {self.num_steps}, but a trajectory needs at least one step.")
        for field in ("jitter", "spread"):
            if not 0 <= (value := getattr(self, field)) < 1:
                raise ValueError(f"{name}'s {field} is {value}, but must lie in [0, 1).")
        if not 0 < self.step_size < jnp.inf:
            raise ValueError(f"{name}'s step_size is {self.step_size}, but must be positive and finite.")

    @abstractmethod
    def persistence_between(self, path: Scalar) -> Scalar:
        """What part of the momentum is kept between trajectories of this length, in [0, 1)."""

    def persistence_within(self, h: Scalar) -> Scalar | None:
        """What part of the momentum is kept between the steps of a trajectory, of this length; None for all of it."""
        return None

    def kinetic(self, dtype: jnp.dtype) -> GaussianKinetic | IsokineticKinetic:
        """The kinetic energy."""
        return GaussianKinetic(jnp.ones((), dtype))

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The kernel with its step size moved towards the acceptance rate that it should have."""
        moved = super().retuned(positions, stats, gain)
        longest = jnp.asarray(self.integrator.longest_path / self.num_steps, self.step_size.dtype)
        return eqx.tree_at(lambda s: s.step_size, moved, replace_fn=lambda h: jnp.minimum(h, longest))

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> TrajectoryState:
        """The state of one chain that starts at a position."""
        key_momentum, key_level, key_run = jr.split(key, 3)
        dtype = position.dtype
        potential, gradient = jax.value_and_grad(lambda q: -target.log_density(q))(position)
        momentum = self.kinetic(dtype).sample(position, key=key_momentum)
        level = jr.uniform(key_level, (), dtype, -1, 1)
        return TrajectoryState(position, momentum, potential, gradient, level, key_run, jnp.zeros((), jnp.int32))

    def log_density(self, state: TrajectoryState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def _length(self, counter: Int[Array, ""]) -> Int[Array, ""]:
        """The number of steps of a trajectory: a Weyl sequence of the golden ratio."""
        fewest = max(1, math.ceil((1 - self.spread) * self.num_steps))
        choices = 2 * self.num_steps - 2 * fewest + 1
        weyl = (counter.astype(jnp.uint32) * jnp.uint32(2654435769)) >> 16
        return fewest + ((weyl * jnp.uint32(choices)) >> 16).astype(jnp.int32)

    def step(
        self, target: AbstractTarget, state: TrajectoryState, *, key: Key
    ) -> tuple[TrajectoryState, TrajectoryInfo]:
        """Refresh, integrate, accept or turn round."""
        key_momentum, key_jitter, key_level, key_within = jr.split(key, 4)
        dtype = state.position.dtype
        num_steps = self._length(state.counter)
        h = self.step_size.astype(dtype) * jr.uniform(key_jitter, (), dtype, 1 - self.jitter, 1 + self.jitter)
        kinetic = self.kinetic(dtype)
        between, within = self.persistence_between(h * num_steps.astype(dtype)), self.persistence_within(h)
        momentum = kinetic.refreshed(state.momentum, between, key=key_momentum)
        if self.level_drift is None:
            level = jr.uniform(key_level, (), dtype, -1, 1)
        else:
            level = drifted(state.level, self.level_drift.astype(dtype))

        hamiltonian = Hamiltonian(TargetPotential(target), kinetic)
        start = PhaseState(state.position, momentum, jnp.zeros((), dtype), state.potential, state.gradient)

        def advance(i, carry):
            """One step; a trajectory that diverged or met a NaN stays where it did."""
            point, change = carry
            p = point.p
            if within is not None:
                p = kinetic.refreshed(p, jnp.where(i == 0, 1, within), key=jr.fold_in(key_within, i))
            point = eqx.tree_at(lambda s: s.p, point, p)
            new = self.integrator.step(hamiltonian, point, h)
            error = new.value - point.value + kinetic(new.p) - kinetic(p)
            new = eqx.tree_at(lambda s: s.p, new, kinetic.gauged(new.p))
            return jax.tree.map(lambda a, b: jnp.where(change <= DIVERGENCE, a, b), (new, change + error), carry)

        end, change = jax.lax.fori_loop(0, num_steps, advance, (start, jnp.zeros((), dtype)))
        bad = jnp.isnan(change)
        change = jnp.where(bad, jnp.inf, change)
        raised = level * jnp.exp(change)
        accept = jnp.abs(raised) < 1

        def choose(new, old):
            return jnp.where(accept, new, old)

        info = TrajectoryInfo(
            acceptance_rate=jnp.exp(jnp.minimum(-change, 0)),
            energy=choose(end.value + kinetic(end.p), state.potential + kinetic(momentum)),
            diverging=change > DIVERGENCE,
            non_finite=bad.astype(jnp.int32),
            num_gradients=num_steps * self.integrator.num_gradients,
            num_densities=jnp.zeros((), jnp.int32),
        )
        state = TrajectoryState(
            choose(end.q, state.position),
            choose(end.p, -momentum),
            choose(end.value, state.potential),
            choose(end.gradient, state.gradient),
            choose(raised, level),
            state.key,
            state.counter,
        )
        return state, info
