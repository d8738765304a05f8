"""Generalised Hamiltonian Monte Carlo: leapfrog trajectories with a momentum that may persist."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..dynamics import AbstractIntegrator, GaussianKinetic, Hamiltonian, Leapfrog, PhaseState, TargetPotential
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractState, AbstractTunedKernel

DIVERGENCE = 1000.0


class GHMCState(AbstractState):
    """A point of phase space with its gradient, and the chain's random stream."""

    position: Vector
    momentum: Vector
    potential: Scalar
    gradient: Vector
    key: Key
    counter: Int[Array, ""]


class GHMCInfo(AbstractInfo):
    """Of one trajectory."""

    acceptance_rate: Float[Array, "..."]
    energy: Float[Array, "..."]
    diverging: Bool[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class GHMC(AbstractTunedKernel[GHMCState, GHMCInfo]):
    """Generalised Hamiltonian Monte Carlo.

    The momentum is partially refreshed, p <- a p + sqrt(1 - a^2) xi, then `num_steps` leapfrog steps are proposed;
    on rejection the momentum is reversed. Hamiltonian Monte Carlo is the case a = 0.

    Args:
        step_size: Leapfrog step, tuned by `warmup`.
        num_steps: Leapfrog steps per trajectory.
        persistence: a, in [0, 1).
        jitter: Each trajectory's step is scaled by a uniform factor in [1 - jitter, 1 + jitter], against resonance.
        target_acceptance: What `warmup` tunes the step size for.

    References:
        Horowitz 1991; Duane et al. 1987; Neal 2011, arXiv:1206.1901.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    num_steps: int = 4
    jitter: float = 0.2
    target_acceptance: float = 0.8
    integrator: AbstractIntegrator = eqx.field(default_factory=Leapfrog)

    def __check_init__(self):
        if self.num_steps < 1:
            raise ValueError(f"GHMC's num_steps is {self.num_steps}, but a trajectory needs at least one step.")
        for name, value in (("jitter", self.jitter), ("persistence", self.persistence)):
            if not 0 <= value < 1:
                raise ValueError(f"GHMC's {name} is {value}, but must lie in [0, 1).")
        if not 0 < self.step_size < jnp.inf:
            raise ValueError(f"GHMC's step_size is {self.step_size}, but must be positive and finite.")

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> GHMCState:
        """The state of one chain that starts at a position."""
        key_momentum, key_run = jr.split(key)
        potential, gradient = jax.value_and_grad(lambda q: -target.log_density(q))(position)
        momentum = jr.normal(key_momentum, position.shape, position.dtype)
        return GHMCState(position, momentum, potential, gradient, key_run, jnp.zeros((), jnp.int32))

    def log_density(self, state: GHMCState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def step(self, target: AbstractTarget, state: GHMCState, *, key: Key) -> tuple[GHMCState, GHMCInfo]:
        """Refresh, integrate, accept or reverse."""
        key_momentum, key_jitter, key_accept = jr.split(key, 3)
        dtype = state.position.dtype
        persistence = self.persistence.astype(dtype)
        noise = jr.normal(key_momentum, state.momentum.shape, dtype)
        momentum = persistence * state.momentum + jnp.sqrt(1 - persistence**2) * noise
        factor = jr.uniform(key_jitter, (), dtype, 1 - self.jitter, 1 + self.jitter)

        hamiltonian = Hamiltonian(TargetPotential(target), GaussianKinetic(jnp.ones((), dtype)))
        start = PhaseState(state.position, momentum, jnp.zeros((), dtype), state.potential, state.gradient)
        step_size = self.step_size.astype(dtype) * factor
        energy = state.potential + hamiltonian.kinetic(momentum)

        def advance(point, _):
            """One step; a trajectory that diverged or met a NaN stays where it did."""
            new = self.integrator.step(hamiltonian, point, step_size)
            sound = point.value + hamiltonian.kinetic(point.p) - energy <= DIVERGENCE
            return jax.tree.map(lambda a, b: jnp.where(sound, a, b), new, point), None

        end, _ = jax.lax.scan(advance, start, length=self.num_steps)
        change = end.value + hamiltonian.kinetic(end.p) - energy
        bad = jnp.isnan(change)
        change = jnp.where(bad, jnp.inf, change)
        acceptance_rate = jnp.exp(jnp.minimum(-change, 0))
        accept = jr.uniform(key_accept, (), dtype) < acceptance_rate

        def choose(new, old):
            return jnp.where(accept, new, old)

        state = GHMCState(
            choose(end.q, state.position),
            choose(end.p, -momentum),
            choose(end.value, state.potential),
            choose(end.gradient, state.gradient),
            state.key,
            state.counter,
        )
        info = GHMCInfo(
            acceptance_rate=acceptance_rate,
            energy=choose(energy + change, energy),
            diverging=change > DIVERGENCE,
            non_finite=bad.astype(jnp.int32),
            num_gradients=jnp.asarray(self.num_steps, jnp.int32),
            num_densities=jnp.zeros((), jnp.int32),
        )
        return state, info
