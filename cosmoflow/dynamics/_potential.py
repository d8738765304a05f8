"""Potential energies: functions of position, and of time where they are not autonomous."""

from abc import abstractmethod

import equinox as eqx
import paramax

from .._types import Scalar, Vector
from ..targets import AbstractTarget


class AbstractPotential(eqx.Module):
    """A potential energy V(q, t) on R^dim."""

    @abstractmethod
    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point; autonomous potentials ignore the time."""

    def given(self, condition: Vector) -> "AbstractPotential":
        """The potential for one value of a condition; most depend on none."""
        return self


class TargetPotential(AbstractPotential):
    """V(q) = -log pi(q) of a target, whose arrays are never trained."""

    target: AbstractTarget

    def __init__(self, target: AbstractTarget):
        self.target = paramax.non_trainable(target)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        return -paramax.unwrap(self.target).log_density(q)


class SumPotential(AbstractPotential):
    """The sum of potentials: for example a target's plus a network's (a physics-informed potential)."""

    terms: tuple[AbstractPotential, ...]

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        return sum((term(q, time) for term in self.terms[1:]), start=self.terms[0](q, time))

    def given(self, condition: Vector) -> AbstractPotential:
        """The sum for one value of the condition."""
        return SumPotential(tuple(term.given(condition) for term in self.terms))
