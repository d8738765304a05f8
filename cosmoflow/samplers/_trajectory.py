"""Hamiltonian trajectories with a Metropolis test: what Langevin and Hamiltonian Monte Carlo have in common."""

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
from ..dynamics import AbstractIntegrator, GaussianKinetic, Hamiltonian, PhaseState, TargetPotential
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

    A trajectory is accepted where |level| < exp(H - H'), and the level becomes level * exp(H' - H): level and point of
    phase space stay independent, and the level uniform on [-1, 1]. Between trajectories the level drifts a little
    instead of being drawn afresh, so that rejections, each of which turns a persistent momentum round, come in clusters
    and leave long runs between them.

    References:
        Neal 2020, arXiv:2001.11950.
    """

    num_steps: AbstractVar[int]
    jitter: AbstractVar[float]
    level_drift: AbstractVar[Float[Array, ""] | None]
    integrator: AbstractVar[AbstractIntegrator]

    def __check_init__(self):
        name = type(self).__name__
        if self.num_steps < 1:
            raise ValueError(f"{name}'s num_steps is {self.num_steps}, but a trajectory needs at least one step.")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"{name}'s jitter is {self.jitter}, but must lie in [0, 1).")
        if not 0 < self.step_size < jnp.inf:
            raise ValueError(f"{name}'s step_size is {self.step_size}, but must be positive and finite.")

    @abstractmethod
    def persistence_over(self, path: Scalar) -> Scalar:
        """What part of the momentum is kept where trajectories have this length, in [0, 1)."""

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
        potential, gradient = jax.value_and_grad(lambda q: -target.log_density(q))(position)
        momentum = jr.normal(key_momentum, position.shape, position.dtype)
        level = jr.uniform(key_level, (), position.dtype, -1, 1)
        return TrajectoryState(position, momentum, potential, gradient, level, key_run, jnp.zeros((), jnp.int32))

    def log_density(self, state: TrajectoryState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def step(
        self, target: AbstractTarget, state: TrajectoryState, *, key: Key
    ) -> tuple[TrajectoryState, TrajectoryInfo]:
        """Refresh, integrate, accept or turn round."""
        key_momentum, key_jitter, key_level = jr.split(key, 3)
        dtype = state.position.dtype
        h = self.step_size.astype(dtype) * jr.uniform(key_jitter, (), dtype, 1 - self.jitter, 1 + self.jitter)
        if self.level_drift is None:
            level = jr.uniform(key_level, (), dtype, -1, 1)
        else:
            level = drifted(state.level, self.level_drift.astype(dtype))

        kinetic = GaussianKinetic(jnp.ones((), dtype))
        momentum = kinetic.refreshed(state.momentum, self.persistence_over(h * self.num_steps), key=key_momentum)
        hamiltonian = Hamiltonian(TargetPotential(target), kinetic)
        start = PhaseState(state.position, momentum, jnp.zeros((), dtype), state.potential, state.gradient)
        energy = state.potential + hamiltonian.kinetic(momentum)

        def advance(point, _):
            """One step; a trajectory that diverged or met a NaN stays where it did."""
            new = self.integrator.step(hamiltonian, point, h)
            sound = point.value + hamiltonian.kinetic(point.p) - energy <= DIVERGENCE
            return jax.tree.map(lambda a, b: jnp.where(sound, a, b), new, point), None

        end, _ = jax.lax.scan(advance, start, length=self.num_steps)
        change = end.value + hamiltonian.kinetic(end.p) - energy
        bad = jnp.isnan(change)
        change = jnp.where(bad, jnp.inf, change)
        raised = level * jnp.exp(change)
        accept = jnp.abs(raised) < 1

        def choose(new, old):
            return jnp.where(accept, new, old)

        state = TrajectoryState(
            choose(end.q, state.position),
            choose(end.p, -momentum),
            choose(end.value, state.potential),
            choose(end.gradient, state.gradient),
            choose(raised, level),
            state.key,
            state.counter,
        )
        info = TrajectoryInfo(
            acceptance_rate=jnp.exp(jnp.minimum(-change, 0)),
            energy=choose(energy + change, energy),
            diverging=change > DIVERGENCE,
            non_finite=bad.astype(jnp.int32),
            num_gradients=jnp.asarray(self.num_steps * self.integrator.num_gradients, jnp.int32),
            num_densities=jnp.zeros((), jnp.int32),
        )
        return state, info
