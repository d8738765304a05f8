"""What is sampled: a density on R^d."""

from abc import abstractmethod

import equinox as eqx
from equinox import AbstractVar

from .._types import Parameters, Scalar, Vector


class AbstractTarget(eqx.Module):
    """An unnormalised density on R^dim and the named parameters its points stand for."""

    dim: AbstractVar[int]

    @abstractmethod
    def log_density(self, x: Vector) -> Scalar:
        """Unnormalised log-density at one point."""

    @abstractmethod
    def constrain(self, x: Vector) -> Parameters:
        """The named parameters of one point, in their own units."""
