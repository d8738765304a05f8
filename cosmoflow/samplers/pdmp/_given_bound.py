"""Rate bounds that the user knows: they evaluate nothing."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Scalar
from .._motions import Straight
from ._event_time import AbstractRateBound, Majorant, Path

ROUNDING = 1e-3
"""How much a given bound is raised, so that one which is reached is not exceeded by rounding."""


class ConstantBound(AbstractRateBound):
    """A constant over each horizon.

    Args:
        function: From position, velocity and horizon to a bound on the signed rates until then: a scalar, or an array
            with one bound for each clock. A Module keeps its arrays as leaves.
    """

    function: Callable
    num_gradients = 0
    num_directional_derivatives = 0

    def majorant(self, path: Path, horizon: Scalar) -> Majorant:
        """The user's constants."""
        bound = jnp.asarray(self.function(path.position, path.velocity, horizon), horizon.dtype)
        height = (jnp.broadcast_to(bound, path.rates.shape) * (1 + ROUNDING))[None]
        return Majorant(height, height, horizon)


class HessianBound(AbstractRateBound):
    """r(t) <= r(0) + M |v|^2 t on straight lines, from a bound M on the norm of the potential's Hessian.

    Args:
        norm: M, at least the largest absolute eigenvalue of the Hessian of -log density anywhere.
    """

    norm: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float))
    num_gradients = 0
    num_directional_derivatives = 0

    def __check_init__(self):
        if not 0 <= self.norm < jnp.inf:
            raise ValueError(f"HessianBound's norm is {self.norm}, but must be finite and not negative.")

    def majorant(self, path: Path, horizon: Scalar) -> Majorant:
        """The affine function."""
        if not isinstance(path.motion, Straight):
            raise ValueError(f"HessianBound holds on straight lines, but the motion is {type(path.motion).__name__}.")
        rise = self.norm.astype(horizon.dtype) * (path.velocity @ path.velocity) * horizon
        start = path.rates + ROUNDING * (jnp.abs(path.rates) + rise)
        return Majorant(start[None], start[None] + rise, horizon)
