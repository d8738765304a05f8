"""Critically damped Langevin diffusion: noise enters through a velocity alone."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import AbstractGenerativeModel, Condition, time_grid
from ._probability_flow import standard_normal

START = 1e-3
"""First time of training and last one of samplers, in units of the duration."""


class CriticallyDamped(AbstractGenerativeModel):
    """dx = u dt, du = -(x + 2 u) dt + 2 dW with limit N(0, I) on (x, u), u of variance g at t = 0.

    In the notation of the paper u = v / sqrt(M) and t = beta t' / sqrt(M), Gamma = 2 sqrt(M): its beta = 4, M = 1/4 and
    t' <= 1 are a duration of 8. Given x_0 alone (x, u) is normal, with closed moments; l u + N learns the noise of u,
    whose deviation is l given x and x_0 (hybrid score matching), so that grad_u log p(x, u) = -u - N(x, u, t) / l. The
    sampler splits the reversed equation symmetrically into its linear part, which is exact, and N.

    Args:
        dim: Numbers of a datum, of order one.
        network: N(concatenate(x, u), t / duration, c) with `dim` outputs; a `TimeNetwork(2 * dim, dim)`.
        duration: Of the process.
        velocity_variance: g.

    Raises:
        ValueError: A setting is not positive.

    References:
        Dockhorn, Vahdat & Kreis 2022, arXiv:2112.07068.
    """

    dim: int = eqx.field(static=True)
    network: Callable
    duration: float = eqx.field(static=True, default=8.0, kw_only=True)
    velocity_variance: float = eqx.field(static=True, default=0.04, kw_only=True)

    def __check_init__(self):
        for name in ("dim", "duration", "velocity_variance"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` is {getattr(self, name)}, but must be positive.")

    def moments(self, time: Scalar) -> tuple[Float[Array, "2"], Float[Array, "2 2"]]:
        """Mean of (x, u) per unit of x_0, and covariance of each pair of coordinates, at t."""
        decay, covariance = _motion(time)
        return decay[:, 0], covariance + self.velocity_variance * jnp.outer(decay[:, 1], decay[:, 1])

    def noised(self, x: Vector, noise: Float[Array, "2 dim"], time: Scalar) -> tuple[Vector, Vector]:
        """x and u at t, from x_0 and standard normal noise."""
        mean, covariance = self.moments(time)
        y, u = mean[:, None] * x + _cholesky(covariance) @ noise
        return y, u

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """Mean square error of the noise of u, at one random time."""
        key_time, key_noise = jr.split(key)
        time = self.duration * jr.uniform(key_time, (), x.dtype, START, 1.0)
        noise = jr.normal(key_noise, (2, self.dim), x.dtype)
        y, u = self.noised(x, noise, time)
        found = self.deviation(time) * u + self._network(y, u, time, condition)
        return jnp.mean((found - noise[1]) ** 2)

    def deviation(self, time: Scalar) -> Scalar:
        """l: standard deviation of u at t given x at t and x_0."""
        return _cholesky(self.moments(time)[1])[1, 1]

    def score(self, x: Vector, u: Vector, time: Scalar, condition: Condition = None) -> Vector:
        """The gradient of log p_t(x, u) in u."""
        return -u - self._network(x, u, time, condition) / self.deviation(time)

    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw of x, by steps that shorten quadratically."""
        key_x, key_u, key_steps = jr.split(key, 3)
        times = self.duration * time_grid(num_steps, START**0.5) ** 2

        def half_turn(x, u, h, k):
            decay, covariance = _motion(h)
            x, u = decay @ jnp.stack([-x, u]) + _cholesky(covariance) @ jr.normal(k, (2, self.dim), x.dtype)
            return -x, u

        def step(state, inputs):
            time, end, k = inputs
            first, second = jr.split(k)
            h = time - end
            x, u = half_turn(*state, 0.5 * h, first)
            u = u - 4 * h * self._network(x, u, time, condition) / self.deviation(time)
            return half_turn(x, u, 0.5 * h, second), None

        start = (standard_normal(key_x, self.dim), standard_normal(key_u, self.dim))
        keys = jr.split(key_steps, num_steps)
        (x, u), _ = jax.lax.scan(step, start, (times[:-1], times[1:], keys))
        return x - times[-1] * u

    def num_evaluations(self, num_steps: int) -> int:
        """One per step."""
        return num_steps

    def _network(self, x: Vector, u: Vector, time: Scalar, condition: Condition) -> Vector:
        return self.network(jnp.concatenate([x, u]), time / self.duration, condition)


def _motion(time: Scalar) -> tuple[Float[Array, "2 2"], Float[Array, "2 2"]]:
    """Of the forward process over some time: the matrix of the mean of (x, u), and the covariance of a fixed start.

    1 - exp(-y) (1 + y + y^2 / 2) = P(3, y), y = 2 t, keeps its digits at short times.
    """
    y, fallen = 2 * time, jnp.exp(-2 * time)
    gained = jax.scipy.special.gammainc(jnp.full_like(y, 3.0), y)
    decay = jnp.exp(-time) * jnp.stack([jnp.stack([1 + time, time]), jnp.stack([-time, 1 - time])])
    cross = 0.5 * y**2 * fallen
    return decay, jnp.stack([jnp.stack([gained, cross]), jnp.stack([cross, gained + 2 * y * fallen])])


def _cholesky(covariance: Float[Array, "2 2"]) -> Float[Array, "2 2"]:
    first = jnp.sqrt(covariance[0, 0])
    cross = covariance[0, 1] / first
    rest = jnp.sqrt(covariance[1, 1] - cross**2)
    return jnp.stack([jnp.stack([first, jnp.zeros_like(first)]), jnp.stack([cross, rest])])
