"""The splitting of the zig-zag process."""

import math

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Vector
from .._motions import AbstractMotion, Rotation, Straight
from ._tuned import AbstractTunedSplitting


class ZigZagSplitting(AbstractTunedSplitting):
    """The Metropolised splitting of the zig-zag process: coordinate i turns round at rate (v_i d_i W)_+.

    Velocities are signs, or on ellipses (`Rotation`: the factorised boomerang) N(0, I) with a partial refreshment.

    Args:
        step_size: Time of one step, tuned by `warmup`.
        persistence: c in v <- c v + sqrt(1 - c^2) xi before a step; signs are never refreshed.
        num_steps: Steps per draw.
        jitter: Each step is scaled by a uniform factor in [1 - jitter, 1 + jitter].
        target_acceptance: What `warmup` tunes the step for.
        max_jumps: Share of steps with a jump that `warmup` does not exceed; in many dimensions every step has one.
        motion: `Straight` or `Rotation`.

    References:
        Bertazzi, Dobson, Monmarché 2023, arXiv:2301.02537; Bierkens, Fearnhead, Roberts 2019, arXiv:1607.03188;
        Bierkens, Grazzi, Kamatani, Roberts 2020, arXiv:2006.13777.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.9)
    num_steps: int = 1
    jitter: float = 0.2
    target_acceptance: float = 0.8
    max_jumps: float = math.inf
    motion: AbstractMotion = eqx.field(default_factory=Straight)

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """Signs, or N(0, I)."""
        if isinstance(self.motion, Rotation):
            return super().sample_velocity(position, key=key)
        return jr.rademacher(key, position.shape, position.dtype)

    def refresh(self, velocity: Vector, kind: Int[Array, ""], *, key: Key) -> Vector:
        """A partial refreshment, of signs none."""
        return super().refresh(velocity, kind, key=key) if isinstance(self.motion, Rotation) else velocity

    def event_rates(self, gradient: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """v_i d_i W."""
        return velocity * gradient

    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        """The coordinates whose clocks fired turn round."""
        return jnp.where(fired, -velocity, velocity)
