"""The splitting of the coordinate sampler."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Vector
from .._motions import AbstractMotion, Straight
from ._tuned import AbstractTunedSplitting


class CoordinateSplitting(AbstractTunedSplitting):
    """The Metropolised splitting of the coordinate sampler: one coordinate moves at a time.

    At rate (v . grad U)_+ another of the 2 d directions is drawn, with probability proportional to (-v' . grad U)_+.

    Args:
        step_size: Time of one step, tuned by `warmup`.
        persistence: Probability to keep the velocity before a step instead of drawing any of the 2 d directions.
        num_steps: Steps per draw.
        jitter: Each step is scaled by a uniform factor in [1 - jitter, 1 + jitter].
        target_acceptance: What `warmup` tunes the step for.
        max_jumps: Share of steps with a jump that `warmup` does not exceed.

    References:
        Bertazzi, Dobson, Monmarché 2023, arXiv:2301.02537; Wu & Robert 2020, arXiv:1809.03388.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.98)
    num_steps: int = 1
    jitter: float = 0.2
    target_acceptance: float = 0.8
    max_jumps: float = 0.9

    @property
    def motion(self) -> AbstractMotion:
        """A straight line: a rotation would not keep to an axis."""
        return Straight()

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """One of the 2 d directions."""
        key_axis, key_sign = jr.split(key)
        axis = jr.randint(key_axis, (), 0, position.size)
        return jr.rademacher(key_sign, (), position.dtype) * jax.nn.one_hot(axis, position.size, dtype=position.dtype)

    def refresh(self, velocity: Vector, kind: Int[Array, ""], *, key: Key) -> Vector:
        """Now and then any direction."""
        key_whether, key_velocity = jr.split(key)
        keep = jr.bernoulli(key_whether, self.persistence)
        return jnp.where(keep, velocity, self.sample_velocity(velocity, key=key_velocity))

    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        """A direction that goes down, the steeper the likelier."""
        axis = jr.categorical(key, jnp.log(jnp.abs(gradient)))
        return jax.nn.one_hot(axis, gradient.size, dtype=gradient.dtype) * -jnp.sign(gradient)
