"""The Hamiltonian: H(q, p, t) = V(q, t) + K(p)."""

import equinox as eqx

from .._types import Scalar, Vector
from ._kinetic import AbstractKinetic
from ._potential import AbstractPotential


class Hamiltonian(eqx.Module):
    """A separable Hamiltonian, shared by neural Hamiltonian flows and Hamiltonian Monte Carlo."""

    potential: AbstractPotential
    kinetic: AbstractKinetic

    def __call__(self, q: Vector, p: Vector, time: Scalar) -> Scalar:
        """Total energy of one point of phase space."""
        return self.potential(q, time) + self.kinetic(p)

    def given(self, condition: Vector) -> "Hamiltonian":
        """The Hamiltonian for one value of what its potential depends on besides position and time."""
        return Hamiltonian(self.potential.given(condition), self.kinetic)
