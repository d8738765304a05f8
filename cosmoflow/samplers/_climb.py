"""How the potential energy changes over a step."""

import jax.numpy as jnp

from .._types import Scalar, Vector
from ..targets import AbstractTarget, has_density


def climb(
    target: AbstractTarget, displacement: Vector, potentials: tuple[Scalar, Scalar], gradients: tuple[Vector, Vector]
) -> Scalar:
    """The potential after a step less that before it.

    A bare score has no potential: it is then the line integral of the gradient along the step by the trapezoidal rule,
    which is exact where the score is linear and the gradient of something.

    Args:
        target: What is sampled.
        displacement: The position after it less that before it.
        potentials: Before and after.
        gradients: Before and after.
    """
    if has_density(target):
        return potentials[1] - potentials[0]
    return 0.5 * jnp.dot(gradients[0] + gradients[1], displacement)
