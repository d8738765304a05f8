"""The splitting of the bouncy particle process."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..._types import Key, Vector
from .._jumps import reflect
from .._motions import AbstractMotion, Straight
from ._tuned import AbstractTunedSplitting


class BouncyParticleSplitting(AbstractTunedSplitting):
    """The Metropolised splitting of the bouncy particle, and with `Rotation` as its motion of the boomerang.

    At rate (v . grad W)_+ the velocity is reflected; a partial refreshment stands before every step.

    Args:
        step_size: Time of one step, tuned by `warmup`.
        persistence: c in v <- c v + sqrt(1 - c^2) xi before a step.
        num_steps: Steps per draw.
        jitter: Each step is scaled by a uniform factor in [1 - jitter, 1 + jitter].
        target_acceptance: What `warmup` tunes the step for.
        max_jumps: Share of steps with a reflection that `warmup` does not exceed.
        motion: `Straight` or `Rotation`.

    References:
        Bertazzi, Dobson, Monmarché 2023, arXiv:2301.02537; Bouchard-Côté, Vollmer, Doucet 2018, arXiv:1510.02451;
        Bierkens, Grazzi, Kamatani, Roberts 2020, arXiv:2006.13777.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.9)
    num_steps: int = 1
    jitter: float = 0.2
    target_acceptance: float = 0.9
    max_jumps: float = 0.5
    motion: AbstractMotion = eqx.field(default_factory=Straight)

    def jump(
        self, gradient: Vector, velocity: Vector, fired: Bool[Array, " clock"], kind: Int[Array, ""], *, key: Key
    ) -> Vector:
        """The reflection off the level set of W."""
        return reflect(gradient, velocity)
