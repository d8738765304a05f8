"""The zig-zag process as a generative model, trained by ratio matching."""

from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._piecewise import AbstractPiecewiseModel, bounded_exp, happens, reflected, straight, straight_event_time

MOST_FLIPS = 8
"""Coordinates of a datum whose flipped velocities the loss looks at; beyond, so many drawn at random stand for all."""


class ZigZagModel(AbstractPiecewiseModel):
    """Straight lines with velocities -1 and 1, coordinate i of which turns round at the rate (v_i x_i)_+.

    Seen backwards, coordinate i of w turns round at the rate

        s_i(x, w, t) (-w_i x_i)_+,    s_i(x, v, t) = p_t(R_i v | x) / p_t(v | x),

    R_i flipping the sign of the i-th. The network gives all log s_i at once.

    Args:
        dim: Numbers of a datum.
        network: log s, a function of x and v joined, of the clock sqrt(t / T) and of the condition, such as
            `TimeNetwork(2 * dim, dim, ...)`.
        horizon: T.

    References:
        Bierkens, Fearnhead, Roberts 2019, arXiv:1607.03188; Bertazzi et al. 2024, arXiv:2407.19448.
    """

    dim: int = eqx.field(static=True)
    network: Callable
    horizon: float = eqx.field(static=True, default=5.0)
    refreshment_rate: ClassVar[float] = 0.0

    def sample_velocity(self, like: Vector, *, key: Key) -> Vector:
        """Independent signs."""
        return jr.rademacher(key, like.shape, like.dtype)

    def move(self, x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """A straight line."""
        return straight(x, v, time)

    def event_time(self, x: Vector, v: Vector, exponential: Scalar) -> Scalar:
        """In closed form, for one coordinate."""
        return straight_event_time(x, v, exponential)

    def jump(self, x: Vector, v: Vector, *, key: Key) -> Vector:
        """The other direction, of one coordinate."""
        return reflected(x, v)

    def noised(self, x: Vector, time: Scalar, *, key: Key) -> tuple[Vector, Vector]:
        """Position and velocity of the forward process at a time, an exact draw: coordinates are independent."""
        key_velocity, key_run = jr.split(key)
        v = self.sample_velocity(x, key=key_velocity)
        keys = jr.split(key_run, x.size)
        x, v = jax.vmap(lambda x, v, key: self.follow(x, v, time, key=key))(x[:, None], v[:, None], keys)
        return x[:, 0], v[:, 0]

    def log_ratios(self, x: Vector, v: Vector, clock: Scalar, condition: Condition = None) -> Vector:
        """log s_i of all coordinates."""
        return self.network(jnp.concatenate([x, v]), clock, condition)

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """Ratio matching at one random time."""
        key_time, key_run, key_flips = jr.split(key, 3)
        time, clock = self.random_clock(key_time)
        x, v = self.noised(x, time, key=key_run)
        return ratio_matching(lambda v: self.log_ratios(x, v, clock, condition), v, key=key_flips)

    def turned(self, x: Vector, v: Vector, clock: Scalar, step: Scalar, condition: Condition, *, key: Key) -> Vector:
        """Coordinates turn round independently, each once at most."""
        rates = jnp.maximum(-v * x, 0) * bounded_exp(self.log_ratios(x, v, clock, condition))
        return jnp.where(happens(rates, step, key=key), -v, v)

    def num_evaluations(self, num_steps: int) -> int:
        """One each step."""
        return num_steps


def ratio_matching(log_ratios: Callable[[Vector], Vector], v: Vector, *, key: Key) -> Scalar:
    """sum_i [ G(s_i(v))^2 + G(s_i(R_i v))^2 - 2 G(s_i(v)) ], G(r) = 1 / (1 + r), the mean of which over v the ratios
    s_i(v) = p(R_i v) / p(v) make least.

    Args:
        log_ratios: log s, a function of v.
        v: A draw of p, of signs.
        key: Random key, for the coordinates that are looked at where there are many.

    References:
        Hyvärinen 2007, Computational Statistics & Data Analysis 51, 2499; Bertazzi et al. 2024, arXiv:2407.19448.
    """

    def flipped(i):
        return log_ratios(v.at[i].multiply(-1))[i]

    flips = jr.permutation(key, v.size)[:MOST_FLIPS]
    here = jax.nn.sigmoid(-log_ratios(v))
    there = jax.nn.sigmoid(-jax.vmap(flipped)(flips))
    return jnp.sum(here**2 - 2 * here) + (v.size / flips.size) * jnp.sum(there**2)
