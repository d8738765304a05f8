"""The splitting of the forward event chain."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Vector
from .._jumps import event_chain
from .._motions import AbstractMotion, Straight
from ._tuned import AbstractTunedSplitting


class ForwardEventChainSplitting(AbstractTunedSplitting):
    """The Metropolised splitting of the forward event chain, straight or, with `Rotation`, on ellipses.

    At rate (v . grad W)_+ the velocity's component along the gradient is drawn afresh, and what is orthogonal to it is
    partially refreshed.

    Args:
        step_size: Time of one step, tuned by `warmup`.
        persistence: c in v <- c v + sqrt(1 - c^2) xi before a step; with `Straight` none is needed.
        jump_persistence: The same for the orthogonal velocity at a jump.
        num_steps: Steps per draw.
        jitter: Each step is scaled by a uniform factor in [1 - jitter, 1 + jitter].
        target_acceptance: What `warmup` tunes the step for.
        max_jumps: Share of steps with a jump that `warmup` does not exceed.
        motion: `Straight` or `Rotation`.

    References:
        Bertazzi, Dobson, Monmarché 2023, arXiv:2301.02537; Michel, Durmus, Sénécal 2020, arXiv:1702.08397.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.98)
    jump_persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.7)
    num_steps: int = 1
    jitter: float = 0.2
    target_acceptance: float = 0.8
    max_jumps: float = 0.9
    motion: AbstractMotion = eqx.field(default_factory=Straight)

    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        """A fresh component along the gradient."""
        return event_chain(gradient, velocity, self.jump_persistence.astype(velocity.dtype), key=key)
