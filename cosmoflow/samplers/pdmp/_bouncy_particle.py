"""The bouncy particle sampler."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..._types import Key, Vector
from ._event_time import AbstractRateBound
from ._motion import StraightLine
from ._one_clock import AbstractOneClock
from ._slope_bound import SlopeBound


class BouncyParticle(AbstractOneClock):
    """The bouncy particle sampler: at events the velocity is reflected by the level set of the density.

        v' = v - 2 <v, n> n,    n = grad U / |grad U|

    Args:
        draw_interval: Time between two draws, tuned by `warmup`.
        refreshment_rate: Rate at which velocities are drawn afresh, without which the process need not be ergodic.
        bound: Majorant of the rates over a horizon.

    References:
        Bouchard-Côté, Vollmer, Doucet 2018, arXiv:1510.02451.
    """

    draw_interval: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    refreshment_rate: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    bound: AbstractRateBound = eqx.field(default_factory=SlopeBound)
    motion = StraightLine()

    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """The reflection."""
        return reflected(velocity, gradient)


def reflected(velocity: Vector, normal: Vector) -> Vector:
    """The velocity with its component along a normal turned round."""
    return velocity - 2 * (velocity @ normal) / (normal @ normal) * normal
