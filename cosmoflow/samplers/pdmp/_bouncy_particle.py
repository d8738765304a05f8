"""The bouncy particle sampler."""

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..._types import Key, Vector
from .._base import AbstractSampler, scaled
from .._jumps import reflect
from .._motions import Straight
from ._event_time import AbstractRateBound
from ._one_clock import AbstractOneClock
from ._slope_bound import SlopeBound

REFRESHED = 0.3
"""The share of refreshments in all turns that a warm-up tunes their rate for."""


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
    motion = Straight()
    tunable: ClassVar[tuple[str, ...]] = ("draw_interval", "refreshment_rate")

    def __check_init__(self):
        if not self.refreshment_rate > 0:
            raise ValueError(
                f"BouncyParticle's refreshment_rate is {self.refreshment_rate}, but must be positive: "
                "without refreshments the process need not be ergodic."
            )

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The process read where draws have moved, and refreshed as often as it should be."""
        sampler = super().retuned(positions, stats, gain)
        events, refreshments = np.sum(stats["num_events"]), np.sum(stats["num_refreshments"])
        excess = float(refreshments / max(events + refreshments, 1)) - REFRESHED
        return eqx.tree_at(lambda s: s.refreshment_rate, sampler, scaled(self.refreshment_rate, -gain * excess))

    def jump(self, gradient: Vector, position: Vector, velocity: Vector, clock: Int[Array, ""], *, key: Key) -> Vector:
        """The reflection."""
        return reflect(gradient, velocity)
