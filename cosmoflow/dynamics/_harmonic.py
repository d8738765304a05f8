"""An integrator whose free motion is that of a standard normal law."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from .._types import Scalar
from ._hamiltonian import Hamiltonian
from ._integrator import AbstractIntegrator, PhaseState
from ._kinetic import GaussianKinetic


class HarmonicSplitting(AbstractIntegrator):
    """Kick-rotate-kick: exact where V(q) = |q|^2 / 2, second order elsewhere, one new gradient per step.

    p -= h/2 (grad V(q) - q);  (q, p) <- (q cos h + p sin h, p cos h - q sin h);  p -= h/2 (grad V(q) - q).

    The kinetic energy must be that of unit mass.

    References:
        Shahbaba, Lan, Johnson & Neal 2014, arXiv:1106.5941; Bou-Rabee & Sanz-Serna 2018, arXiv:1711.05337.
    """

    longest_path: ClassVar[float] = math.pi / 2

    def step(self, hamiltonian: Hamiltonian, state: PhaseState, h: Scalar) -> PhaseState:
        """One step of length h."""
        kinetic = hamiltonian.kinetic
        if not isinstance(kinetic, GaussianKinetic):
            raise ValueError(f"HarmonicSplitting rotates Gaussian momenta, not {type(kinetic).__name__}; use Leapfrog.")
        p = kinetic.kick(state.p, state.gradient - state.q, 0.5 * h)
        cos, sin = jnp.cos(h), jnp.sin(h)
        q, p = state.q * cos + p * sin, p * cos - state.q * sin
        time = state.time + h
        value, gradient = jax.value_and_grad(hamiltonian.potential)(q, time)
        return PhaseState(q, kinetic.kick(p, gradient - q, 0.5 * h), time, value, gradient)
