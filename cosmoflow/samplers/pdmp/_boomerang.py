"""The boomerang sampler."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..._types import Key, Vector
from .._jumps import reflect
from .._motions import Rotation
from ._event_time import AbstractRateBound
from ._one_clock import AbstractOneClock
from ._slope_bound import SlopeBound


class Boomerang(AbstractOneClock):
    """The boomerang sampler: rotations that preserve N(0, I), reflected by what the target adds to it.

    Where the target is N(0, I) there are no events but refreshments; it wants whitened coordinates.

    Args:
        draw_interval: Time between two draws, tuned by `warmup`; a whole turn takes 2 pi.
        refreshment_rate: Rate at which velocities are drawn afresh, without which the process is not ergodic.
        bound: Majorant of the rates over a horizon.

    References:
        Bierkens, Grazzi, Kamatani, Roberts 2020, arXiv:2006.13777.
    """

    draw_interval: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    refreshment_rate: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    bound: AbstractRateBound = eqx.field(default_factory=SlopeBound)
    motion = Rotation()

    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """The reflection, by the level set of what the target adds."""
        return reflect(gradient, velocity)
