"""Models that know the velocity given the position by its density: refreshments, and training by likelihood."""

import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from flowjax.distributions import AbstractDistribution

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._piecewise import AbstractPiecewiseModel, bounded_exp, happens, standard_normal_log_prob
from ._velocity import AbstractVelocity


class AbstractVelocityModel(AbstractPiecewiseModel):
    """A process with nu = N(0, I), trained by the maximum likelihood of v given x: E[-log p(v_t | x_t)]."""

    velocity: AbstractVar[AbstractVelocity]

    def sample_velocity(self, like: Vector, *, key: Key) -> Vector:
        """From N(0, I)."""
        return jr.normal(key, like.shape, like.dtype)

    def noised(self, x: Vector, time: Scalar, *, key: Key) -> tuple[Vector, Vector]:
        """Position and velocity of the forward process at a time, an exact draw."""
        key_velocity, key_run = jr.split(key)
        return self.follow(x, self.sample_velocity(x, key=key_velocity), time, key=key_run)

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """-log p(v_t | x_t) at one random time."""
        key_time, key_run = jr.split(key)
        time, clock = self.random_clock(key_time)
        x, v = self.noised(x, time, key=key_run)
        return -self.velocity(x, clock, condition).log_prob(v)

    def refreshed(self, law: AbstractDistribution, v: Vector, step: Scalar, *, key: Key) -> Vector:
        """v, or with the rate lambda_r N(v; 0, I) / p(v | x) of a reversed refreshment a draw of p(. | x)."""
        key_time, key_draw = jr.split(key)
        rate = self.refreshment_rate * bounded_exp(-log_excess(law, v))
        return jnp.where(happens(rate, step, key=key_time), law.sample(key_draw), v)


def log_excess(law: AbstractDistribution, v: Vector) -> Scalar:
    """log of p(v | x) / N(v; 0, I)."""
    return law.log_prob(v) - standard_normal_log_prob(v)
