"""Targets with more coordinates than they use, so that devices can share them evenly."""

import equinox as eqx

from .._types import Parameters, Scalar, Vector
from ._base import AbstractTarget
from ._tempered import log_standard_normal


class Padded(AbstractTarget):
    """A target with a few further coordinates, N(0, I), on which nothing depends.

    The vector of a field and of some parameters can then be split evenly over the devices of a `fields.SlabGrid`.

    Args:
        target: What is sampled.
        multiple: Of which the number of coordinates shall be one, such as the number of devices.
    """

    target: AbstractTarget
    dim: int = eqx.field(static=True)

    def __init__(self, target: AbstractTarget, multiple: int):
        self.target, self.dim = target, -(-target.dim // multiple) * multiple

    def log_density(self, x: Vector) -> Scalar:
        """That of the target, and of the further coordinates."""
        own, further = x[: self.target.dim], x[self.target.dim :]
        return self.target.log_density(own) + log_standard_normal(further)

    def constrain(self, x: Vector) -> Parameters:
        """What the target says of its own coordinates."""
        return self.target.constrain(x[: self.target.dim])
