"""What an integrator is: a map of phase space that carries the gradient from step to step."""

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

    @property
    def num_gradients(self) -> int:
        """New gradients per step."""
        return 1

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
