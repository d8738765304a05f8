"""The coordinate sampler."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from ..._types import Key, Vector
from .._motions import Straight
from ._base import AbstractPDMP
from ._event_time import AbstractRateBound
from ._slope_bound import SlopeBound


class CoordinateSampler(AbstractPDMP):
    """The coordinate sampler: it moves along one axis at a time, up or down.

    Events come at rate <v, grad U>_+ plus the refreshment rate, and choose the next direction v' among +-e_i with
    probability proportional to the rate of its opposite, <-v', grad U>_+ plus the refreshment rate.

    Args:
        draw_interval: Time between two draws, tuned by `warmup`.
        refreshment_rate: What is added to the rates of all directions.
        bound: Majorant of the rates over a horizon.

    References:
        Wu & Robert 2020, arXiv:1809.03388.
    """

    draw_interval: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    refreshment_rate: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    bound: AbstractRateBound = eqx.field(default_factory=SlopeBound)
    motion = Straight()

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """An axis and a sign."""
        return _direction(jr.randint(key, (), 0, 2 * position.size), position)

    def event_rates(self, gradient: Vector, position: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """<v, grad U>."""
        return (velocity @ gradient)[None]

    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """A direction in which the potential falls."""
        opposite = jnp.maximum(jnp.concatenate([-gradient, gradient]), 0)
        weights = opposite + self.refreshment_rate.astype(position.dtype)
        return _direction(jr.categorical(key, jnp.log(weights)), position)

    def refresh(self, gradient: Vector, position: Vector, velocity: Vector, *, key: Key) -> Vector:
        """As at any other event."""
        return self.jump(gradient, position, velocity, jnp.zeros((), jnp.int32), key=key)


def _direction(index: Int[Array, ""], position: Vector) -> Vector:
    """e_0, e_1, ..., -e_0, -e_1, ..."""
    sign = jnp.where(index < position.size, 1.0, -1.0).astype(position.dtype)
    return sign * jax.nn.one_hot(index % position.size, position.size, dtype=position.dtype)
