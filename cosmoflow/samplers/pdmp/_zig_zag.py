"""The zig-zag process."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from ..._types import Key, Vector
from .._motions import Straight
from ._base import AbstractPDMP
from ._chord_bound import ChordBound
from ._event_time import AbstractRateBound


class ZigZag(AbstractPDMP):
    """The zig-zag process: velocities in {-1, 1}^d, coordinate i turns round at rate (v_i d_i U)_+.

    Args:
        draw_interval: Time between two draws, tuned by `warmup`; the horizon of the rate bound never exceeds it.
        bound: Majorant of the rates over a horizon.
        refreshment_rate: Rate at which all signs are drawn afresh; none are needed.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> target = cf.targets.Skewed([1.0, 1.0])
        >>> chain = cf.sample(target, cf.samplers.ZigZag(), num_draws=500, num_chains=4, key=jr.key(0))
        >>> int(chain.sample_stats["num_violations"].sum())  # of the bounds on its rates
        0

    References:
        Bierkens, Fearnhead, Roberts 2019, arXiv:1607.03188.
    """

    draw_interval: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    bound: AbstractRateBound = eqx.field(default_factory=ChordBound)
    refreshment_rate: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    motion = Straight()

    def sample_velocity(self, position: Vector, *, key: Key) -> Vector:
        """Independent signs."""
        return jr.rademacher(key, position.shape, position.dtype)

    def event_rates(self, gradient: Vector, position: Vector, velocity: Vector) -> Float[Array, " clock"]:
        """v_i d_i U."""
        return velocity * gradient

    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """Coordinate `clock` turns round."""
        return velocity.at[clock].multiply(-1)
