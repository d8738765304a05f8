"""Metropolised splittings of piecewise deterministic processes, written once: velocities, rates and jumps are added."""

from abc import abstractmethod
from typing import Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Scalar, Vector
from ...targets import AbstractTarget
from .._base import AbstractInfo, AbstractKernel, AbstractState
from .._motions import AbstractMotion


class SplittingState(AbstractState):
    """A point of phase space with its energy U = -log density, and the chain's random stream."""

    position: Vector
    velocity: Vector
    potential: Scalar
    key: Key
    counter: Int[Array, ""]


class Steps(eqx.Module):
    """What happened in each step of a draw."""

    kind: Int[Array, "*step"]
    acceptance: Float[Array, "*step"]
    jumped: Bool[Array, "*step"]
    non_finite: Bool[Array, "*step"]


Info = TypeVar("Info", bound=AbstractInfo)


class AbstractSplitting(AbstractKernel[SplittingState, Info], Generic[Info]):
    """A splitting of a piecewise deterministic process, made exact by acceptance.

    A step of length h moves for h / 2, jumps, moves for h / 2, and is accepted with probability min(1, e^a); on
    rejection the velocity is reversed. Let s_i be the signed rate of clock i where the velocity may jump, and s'_i that
    after the jump. Clock i fires with probability 1 - exp(-h (s_i)_+), and

        a = -(W(y) - W(x)) + h sum_(silent i) s_i + sum_(fired i) log phi_h(|s'_i|) - log phi_h(s_i),

    phi_h(s) = (1 - e^(-h s)) / s, with W = U less the reference energy that the motion preserves. A step costs one
    gradient, in the middle, and one density, at the end.

    References:
        Bertazzi, Dobson, Monmarché 2023, arXiv:2301.02537.
    """

    motion: AbstractVar[AbstractMotion]
    num_steps: AbstractVar[int]

    @abstractmethod
    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """A velocity from the invariant law."""

    @abstractmethod
    def choose(self, *, key: Key) -> tuple[Scalar, Int[Array, ""]]:
        """Length and kind of the next step, drawn without regard to the state."""

    @abstractmethod
    def refresh(self, velocity: Vector, kind: Int[Array, ""], *, key: Key) -> Vector:
        """The velocity before a step: a draw from a kernel that keeps its law."""

    @abstractmethod
    def event_rates(self, gradient: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """Signed rates of all clocks, from the gradient of W."""

    @abstractmethod
    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        """The velocity after the events of some clocks."""

    @abstractmethod
    def info(self, steps: Steps) -> Info:
        """What is told of one draw."""

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> SplittingState:
        """The state of one chain that starts at a position."""
        key_velocity, key_run = jr.split(key)
        velocity = self.sample_velocity(position, key=key_velocity)
        return SplittingState(position, velocity, -target.log_density(position), key_run, jnp.zeros((), jnp.int32))

    def log_density(self, state: SplittingState) -> Scalar:
        """The target's log-density at the state's position."""
        return -state.potential

    def propose(
        self, target: AbstractTarget, state: SplittingState, h: Scalar, kind: Int[Array, ""], *, key: Key
    ) -> tuple[SplittingState, Scalar, Bool[Array, ""]]:
        """The end of a step of length h, the log-acceptance a, and whether a clock fired."""
        key_clock, key_jump = jr.split(key)
        x, v = self.motion.move(state.position, state.velocity, h / 2)
        gradient = -jax.grad(target.log_density)(x) - self.motion.reference_gradient(x)
        rates = self.event_rates(gradient, v)
        fired = jr.exponential(key_clock, rates.shape, rates.dtype) < h * rates
        jumped = self.jump(gradient, v, fired, kind, key=key_jump)
        v = jnp.where(jnp.any(fired), jumped, v)
        after = jnp.abs(self.event_rates(gradient, v))
        ratio = log_phi(h, after) - log_phi(h, jnp.abs(rates))
        x, v = self.motion.move(x, v, h / 2)
        potential = -target.log_density(x)
        before = state.potential - self.motion.reference(state.position)
        change = potential - self.motion.reference(x) - before
        end = SplittingState(x, v, potential, state.key, state.counter)
        return end, jnp.sum(jnp.where(fired, ratio, h * rates)) - change, jnp.any(fired)

    def advance(self, target: AbstractTarget, state: SplittingState, *, key: Key) -> tuple[SplittingState, Steps]:
        """One step: refresh, propose, accept or reverse."""
        key_refresh, key_choice, key_proposal, key_accept = jr.split(key, 4)
        dtype = state.position.dtype
        h, kind = self.choose(key=key_choice)
        state = eqx.tree_at(lambda s: s.velocity, state, self.refresh(state.velocity, kind, key=key_refresh))
        end, log_acceptance, jumped = self.propose(target, state, h.astype(dtype), kind, key=key_proposal)
        bad = jnp.isnan(log_acceptance)
        acceptance = jnp.where(bad, 0, jnp.exp(jnp.minimum(log_acceptance, 0)))
        accept = jr.uniform(key_accept, (), dtype) < acceptance
        state = SplittingState(
            jnp.where(accept, end.position, state.position),
            jnp.where(accept, end.velocity, -state.velocity),
            jnp.where(accept, end.potential, state.potential),
            state.key,
            state.counter,
        )
        return state, Steps(kind, acceptance, jumped, bad)

    def step(self, target: AbstractTarget, state: SplittingState, *, key: Key) -> tuple[SplittingState, Info]:
        """`num_steps` steps."""
        state, steps = jax.lax.scan(lambda s, k: self.advance(target, s, key=k), state, jr.split(key, self.num_steps))
        return state, self.info(steps)


def log_phi(h: Scalar, rates: Float[Array, " clock"]) -> Float[Array, " clock"]:
    """log (1 - e^(-h s)) / s for s >= 0, continuous at 0, where it is log h."""
    small = h * rates < 1e-8
    safe = jnp.where(small, 1, rates)
    return jnp.where(small, jnp.log(h), jnp.log(-jnp.expm1(-h * safe) / safe))
