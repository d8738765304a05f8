"""Piecewise deterministic processes that turn data into noise, simulated exactly, and their reversal by splitting."""

import math
from abc import abstractmethod

import jax
import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from jaxtyping import Array, Bool, Float

from .._types import Key, Scalar, Vector
from ._base import AbstractGenerativeModel, Condition, time_grid

LARGEST_LOG = 60.0
"""Logarithms of rates are cut there, where exp is still finite in single precision."""


class AbstractPiecewiseModel(AbstractGenerativeModel):
    """A process on (x, v) with the limit N(0, I) x nu, that starts from a datum and a velocity of its own law nu.

    Between events it moves deterministically; events and refreshments change v alone. Seen backwards it is such a
    process again: it moves with -v, and a change from v to w at x, of rate density q(x, v, w), becomes one from w to v
    of rate density

        p_t(v | x) / p_t(w | x) q(x, v, w),

    where p_t(. | x) is the law of v given x at time t of the forward process, the one thing that is learned.
    `sample` alternates half moves, and turns at fixed x and t between them, over the times T (1 - n / N)^2.
    Networks are told sqrt(t / T), which is even over those times, and uniform in training.

    References:
        Bertazzi, Shariatian, Simsekli, Moulines, Durmus 2024, arXiv:2407.19448.
    """

    horizon: AbstractVar[float]
    """T, the time at which data have become noise."""

    refreshment_rate: AbstractVar[float]
    """The rate at which whole velocities are drawn afresh."""

    def __check_init__(self):
        name = type(self).__name__
        if self.dim < 1:
            raise ValueError(f"{name}'s dim is {self.dim}, but data must have one number at least.")
        if not 0 < self.horizon < math.inf:
            raise ValueError(f"{name}'s horizon is {self.horizon}, but must be positive and finite.")
        if not 0 <= self.refreshment_rate < math.inf:
            raise ValueError(
                f"{name}'s refreshment_rate is {self.refreshment_rate}, but must be finite and not negative."
            )

    @abstractmethod
    def sample_velocity(self, like: Vector, *, key: Key) -> Vector:
        """A velocity from nu, of the shape of a vector."""

    @abstractmethod
    def move(self, x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """Follow the deterministic motion, backwards where the time is negative."""

    @abstractmethod
    def event_time(self, x: Vector, v: Vector, exponential: Scalar) -> Scalar:
        """When the integral of the event rate along the motion reaches a value."""

    @abstractmethod
    def jump(self, x: Vector, v: Vector, *, key: Key) -> Vector:
        """The velocity after an event."""

    @abstractmethod
    def noised(self, x: Vector, time: Scalar, *, key: Key) -> tuple[Vector, Vector]:
        """Position and velocity of the forward process at a time, an exact draw."""

    @abstractmethod
    def turned(self, x: Vector, v: Vector, clock: Scalar, step: Scalar, condition: Condition, *, key: Key) -> Vector:
        """The velocity after the changes of the reversed process during a step, with x and t = T clock^2 held fixed."""

    def follow(self, x: Vector, v: Vector, time: Scalar, *, key: Key) -> tuple[Vector, Vector]:
        """Follow the forward process for a time, event by event."""
        rate = self.refreshment_rate

        def unfinished(carry):
            return carry[2] > 0

        def body(carry):
            x, v, left, key = carry
            key, key_event, key_clock, key_turn = jr.split(key, 4)
            event = self.event_time(x, v, jr.exponential(key_event, (), x.dtype))
            refreshment = jr.exponential(key_clock, (), x.dtype) / rate if rate > 0 else jnp.full_like(left, jnp.inf)
            elapsed = jnp.minimum(jnp.minimum(event, refreshment), left)
            x, v = self.move(x, v, elapsed)
            fresh = self.sample_velocity(v, key=key_turn)
            turned = jnp.where(event < refreshment, self.jump(x, v, key=key_turn), fresh)
            return x, jnp.where(elapsed < left, turned, v), left - elapsed, key

        x, v, _, _ = jax.lax.while_loop(unfinished, body, (x, v, time.astype(x.dtype), key))
        return x, v

    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw, by so many steps of the reversed process.

        Args:
            key: Random key.
            num_steps: N, the number of steps.
            condition: What the law depends on.
        """
        key_x, key_v, key_run = jr.split(key, 3)
        x = jr.normal(key_x, (self.dim,))
        v = self.sample_velocity(x, key=key_v)
        times = self.horizon * time_grid(num_steps) ** 2

        def step(carry, interval):
            x, v = carry
            start, stop, key = interval
            half = (start - stop) / 2
            x, v = self.move(x, v, -half)
            clock = jnp.sqrt((start + stop) / (2 * self.horizon))
            v = self.turned(x, v, clock, 2 * half, condition, key=key)
            return self.move(x, v, -half), None

        (x, _), _ = jax.lax.scan(step, (x, v), (times[:-1], times[1:], jr.split(key_run, num_steps)))
        return x

    def random_clock(self, key: Key) -> tuple[Scalar, Scalar]:
        """A time of training, and its clock sqrt(t / T), which is uniform."""
        clock = jr.uniform(key)
        return self.horizon * clock**2, clock


def straight(x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
    """x(t) = x + v t."""
    return x + v * time, v


def straight_event_time(x: Vector, v: Vector, exponential: Scalar) -> Scalar:
    """Where int_0^t (v . (x + v s))_+ ds = E: t = ((-a)_+ + 2 E / (a_+ / c + sqrt(a_+^2 / c^2 + 2 E / c))) / c.

    Here a = v . x, c = |v|^2 and the second summand is written without the difference of near numbers.
    """
    square = v @ v
    a = (v @ x) / square
    energy = 2 * exponential / square
    uphill = jnp.maximum(a, 0)
    return jnp.maximum(-a, 0) + energy / (uphill + jnp.sqrt(uphill**2 + energy))


def reflected(x: Vector, v: Vector) -> Vector:
    """The velocity reflected off a sphere about the origin: v - 2 (v . n) n, n = x / |x|."""
    return v - 2 * (v @ x) / (x @ x) * x


def happens(rate: Float[Array, "..."], step: Scalar, *, key: Key) -> Bool[Array, "..."]:
    """Whether clocks of constant rates ring during a step."""
    return jr.uniform(key, rate.shape, rate.dtype) < -jnp.expm1(-step * rate)


def bounded_exp(log_rate: Array) -> Array:
    """exp, finite whatever a network answers."""
    return jnp.exp(jnp.minimum(log_rate, LARGEST_LOG))


def standard_normal_log_prob(v: Vector) -> Scalar:
    """log N(v; 0, I)."""
    return -0.5 * (v @ v) - 0.5 * v.size * math.log(2 * math.pi)
