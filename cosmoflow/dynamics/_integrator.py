"""Symplectic integrators: compositions of kicks and drifts that carry the gradient from step to step."""

import math
from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax

from .._types import Scalar, Vector
from ._hamiltonian import Hamiltonian


class PhaseState(eqx.Module):
    """A point of phase space with the potential's value and gradient there, so that no step computes them again."""

    q: Vector
    p: Vector
    time: Scalar
    value: Scalar
    gradient: Vector


class AbstractIntegrator(eqx.Module):
    """A one-step map of phase space; running it with -h from the end returns to the start.

    `longest_path` is the length of a trajectory in the coordinates of a standard normal law beyond which the free
    motion turns back.
    """

    longest_path: ClassVar[float] = math.inf

    @abstractmethod
    def step(self, hamiltonian: Hamiltonian, state: PhaseState, h: Scalar) -> PhaseState:
        """One step of length h."""

    def init(self, hamiltonian: Hamiltonian, q: Vector, p: Vector, time: Scalar) -> PhaseState:
        """The state at (q, p); costs one gradient."""
        value, gradient = jax.value_and_grad(hamiltonian.potential)(q, time)
        return PhaseState(q, p, time, value, gradient)

    def integrate(self, hamiltonian: Hamiltonian, state: PhaseState, h: Scalar, num_steps: int) -> PhaseState:
        """`num_steps` steps of length h."""
        return jax.lax.scan(lambda s, _: (self.step(hamiltonian, s, h), None), state, length=num_steps)[0]


class Leapfrog(AbstractIntegrator):
    """Kick-drift-kick (Störmer-Verlet), second order, one new gradient per step.

    p -= h/2 grad V(q);  q += h grad K(p);  p -= h/2 grad V(q).

    L steps cost L + 1 gradients with the one of `init`.
    """

    def step(self, hamiltonian: Hamiltonian, state: PhaseState, h: Scalar) -> PhaseState:
        """One step of length h."""
        kinetic = hamiltonian.kinetic
        p = kinetic.kick(state.p, state.gradient, 0.5 * h)
        q, p = kinetic.drift(state.q, p, h)
        time = state.time + h
        value, gradient = jax.value_and_grad(hamiltonian.potential)(q, time)
        return PhaseState(q, kinetic.kick(p, gradient, 0.5 * h), time, value, gradient)


def quarter_turn_step(num_steps: int) -> float:
    """Leapfrog step size with which `num_steps` steps turn the phase space of V = q^2/2, K = p^2/2 by 90 degrees.

    h = 2 sin(pi / (4 L)): then q_L = p_0 / cos(pi/4L) and p_L = -q_0 cos(pi/4L).
    """
    return 2 * math.sin(math.pi / (4 * num_steps))
