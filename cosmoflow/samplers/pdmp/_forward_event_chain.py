"""The forward event chain."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..._types import Key, Vector
from .._jumps import event_chain
from .._motions import AbstractMotion, Straight
from ._event_time import AbstractRateBound
from ._one_clock import AbstractOneClock
from ._slope_bound import SlopeBound


class ForwardEventChain(AbstractOneClock):
    """The forward event chain: at events the velocity along the gradient is drawn afresh, and the rest is mostly kept.

        <v', n> = -sqrt(-2 log u),  u ~ U(0, 1),    n = grad U / |grad U|

    Orthogonal to n, a share `renewal` / sqrt(dim) of the variance is drawn afresh.

    Args:
        draw_interval: Time between two draws, tuned by `warmup`.
        renewal: How much of the orthogonal velocity an event renews; at sqrt(dim) or more, all of it.
        refreshment_rate: Rate at which whole velocities are drawn afresh; none are needed.
        bound: Majorant of the rates over a horizon.
        motion: How it moves between events.

    References:
        Michel, Durmus, Sénécal 2020, arXiv:1702.08397.
    """

    draw_interval: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    renewal: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    refreshment_rate: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    bound: AbstractRateBound = eqx.field(default_factory=SlopeBound)
    motion: AbstractMotion = eqx.field(default_factory=Straight)

    def __check_init__(self):
        if not 0 < self.renewal < jnp.inf:
            raise ValueError(f"ForwardEventChain's renewal is {self.renewal}, but must be positive and finite.")

    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """A velocity down the gradient."""
        share = jnp.minimum(self.renewal.astype(velocity.dtype) / velocity.size**0.5, 1)
        return event_chain(gradient, velocity, jnp.sqrt(1 - share), key=key)
