"""Symplectic splittings: compositions of kicks and drifts, given by their coefficients."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from equinox import AbstractClassVar
from jaxtyping import Array, Float

from .._types import Scalar
from ._hamiltonian import Hamiltonian
from ._integrator import AbstractIntegrator, PhaseState

_OUTER = 1 / (2 - 2 ** (1 / 3))


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

    def schedule(self, step_sizes: Float[Array, " step"]) -> tuple[Float[Array, " kick"], Float[Array, " drift"]]:
        """Lengths of all kicks and drifts of a trajectory, the last kick of a step and the first of the next being one.

        Args:
            step_sizes: Length of each of L steps.

        Returns:
            L n + 1 kicks and L n drifts, n being the drifts of a step.
        """
        first, last = jnp.asarray(self.kicks[:-1], step_sizes.dtype), jnp.asarray(self.kicks[-1], step_sizes.dtype)
        drifts = jnp.outer(step_sizes, jnp.asarray(self.drifts, step_sizes.dtype)).ravel()
        kicks = jnp.pad(jnp.outer(step_sizes, first).ravel(), (0, 1))
        return kicks.at[len(self.drifts) :: len(self.drifts)].add(last * step_sizes), drifts

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


class Yoshida(AbstractSplitting):
    """Three leapfrogs, the middle one backwards: fourth order, three new gradients per step.

    References:
        Forest & Ruth 1990, Physica D 43, 105; Yoshida 1990, Physics Letters A 150, 262.
    """

    kicks: ClassVar[tuple[float, ...]] = (0.5 * _OUTER, 0.5 - 0.5 * _OUTER, 0.5 - 0.5 * _OUTER, 0.5 * _OUTER)
    drifts: ClassVar[tuple[float, ...]] = (_OUTER, 1 - 2 * _OUTER, _OUTER)


class BlanesMoan(AbstractSplitting):
    """The six-stage splitting S6 of fourth order, some hundred times as accurate as `Yoshida` at equal cost.

    References:
        Blanes & Moan 2002, Journal of Computational and Applied Mathematics 142, 313.
    """

    kicks: ClassVar[tuple[float, ...]] = (
        0.0792036964311957,
        0.353172906049774,
        -0.0420650803577195,
        0.2193769557534996,
        -0.0420650803577195,
        0.353172906049774,
        0.0792036964311957,
    )
    drifts: ClassVar[tuple[float, ...]] = (
        0.209515106613362,
        -0.143851773179818,
        0.434336666566456,
        0.434336666566456,
        -0.143851773179818,
        0.209515106613362,
    )


def quarter_turn_step(num_steps: int) -> float:
    """Leapfrog step size with which `num_steps` steps turn the phase space of V = q^2/2, K = p^2/2 by 90 degrees.

    h = 2 sin(pi / (4 L)): then q_L = p_0 / cos(pi/4L) and p_L = -q_0 cos(pi/4L).
    """
    return 2 * math.sin(math.pi / (4 * num_steps))
