"""Symplectic splittings: compositions of kicks and drifts, given by their coefficients."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from equinox import AbstractClassVar

from .._types import Scalar
from ._hamiltonian import Hamiltonian
from ._integrator import AbstractIntegrator, PhaseState


class AbstractSplitting(AbstractIntegrator):
    """Kicks p -= k h grad V(q) and drifts q += d h grad K(p) in turn, a kick first and a kick last.

    `kicks` and `drifts` are the coefficients k and d, each list adding up to one and reading the same backwards. A step
    costs one new gradient per drift.
    """

    kicks: AbstractClassVar[tuple[float, ...]]
    drifts: AbstractClassVar[tuple[float, ...]]

    @property
    def num_gradients(self) -> int:
        """New gradients per step."""
        return len(self.drifts)

    def step(self, hamiltonian: Hamiltonian, state: PhaseState, h: Scalar) -> PhaseState:
        """One step of length h."""
        kinetic = hamiltonian.kinetic
        dtype = state.q.dtype

        def stage(state, coefficients):
            kick, drift = coefficients
            q, p = kinetic.drift(state.q, state.p, drift * h)
            time = state.time + drift * h
            value, gradient = jax.value_and_grad(hamiltonian.potential)(q, time)
            return PhaseState(q, kinetic.kick(p, gradient, kick * h), time, value, gradient), None

        p = kinetic.kick(state.p, state.gradient, self.kicks[0] * h)
        state = PhaseState(state.q, p, state.time, state.value, state.gradient)
        return jax.lax.scan(stage, state, (jnp.asarray(self.kicks[1:], dtype), jnp.asarray(self.drifts, dtype)))[0]


class Leapfrog(AbstractSplitting):
    """Kick-drift-kick (Störmer-Verlet), second order, one new gradient per step.

    p -= h/2 grad V(q);  q += h grad K(p);  p -= h/2 grad V(q).

    L steps cost L + 1 gradients with the one of `init`.
    """

    kicks: ClassVar[tuple[float, ...]] = (0.5, 0.5)
    drifts: ClassVar[tuple[float, ...]] = (1.0,)


class MinimalNorm(AbstractSplitting):
    """McLachlan's minimal norm splitting, second order with a small error, two new gradients per step.

    References:
        McLachlan 1995, SIAM Journal on Scientific Computing 16, 151; Omelyan, Mryglod & Folk 2003.
    """

    kicks: ClassVar[tuple[float, ...]] = (0.1931833275037836, 0.6136333449924328, 0.1931833275037836)
    drifts: ClassVar[tuple[float, ...]] = (0.5, 0.5)


def quarter_turn_step(num_steps: int) -> float:
    """Leapfrog step size with which `num_steps` steps turn the phase space of V = q^2/2, K = p^2/2 by 90 degrees.

    h = 2 sin(pi / (4 L)): then q_L = p_0 / cos(pi/4L) and p_L = -q_0 cos(pi/4L).
    """
    return 2 * math.sin(math.pi / (4 * num_steps))
