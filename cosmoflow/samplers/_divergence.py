"""When a step without a Metropolis test has diverged."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from .._types import Scalar

GAIN = 3.0
"""Gain of energy in one step at which it is undone, in units of the square root of the dimension: that of a stable step
is about a third of one.
"""

LEAST_GAIN = 100.0
"""What comes on top of it where dimensions are few."""


def diverges(change: Scalar, dim: int) -> Bool[Array, ""]:
    """Whether the energy grows in a step as it does only beyond the limit of stability; NaN does not grow."""
    return jnp.isfinite(change) & (change > GAIN * dim**0.5 + LEAST_GAIN)
