"""Flow matching: straight paths from noise to data."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import Condition, time_grid
from ._guidance import Guidance
from ._probability_flow import AbstractProbabilityFlow, standard_normal


class FlowMatching(AbstractProbabilityFlow):
    """x_t = (1 - t) e + t x_1, e ~ N(0, I): the network learns E[x_1 - e | x_t]; data are at t = 1.

    Args:
        dim: Numbers of a datum.
        network: f(x, t, c); a `TimeNetwork`.
        solver: Of dx/dt = f(x, t).
        guidance: Of conditional models.

    Raises:
        ValueError: There is no such solver.

    References:
        Lipman et al. 2023, arXiv:2210.02747; Liu, Gong & Liu 2023, arXiv:2209.03003.
    """

    dim: int = eqx.field(static=True)
    network: Callable
    solver: str = eqx.field(static=True, default="heun", kw_only=True)
    guidance: Guidance | None = eqx.field(default=None, kw_only=True)

    def noised(self, x: Vector, noise: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """x_t, and the velocity of its path."""
        return (1 - time) * noise + time * x, x - noise

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """Mean square error of the velocity at one random time."""
        key_time, key_noise, key_condition = jr.split(key, 3)
        time = jr.uniform(key_time, (), x.dtype)
        y, velocity = self.noised(x, jr.normal(key_noise, x.shape, x.dtype), time)
        found = self.network(y, time, self.training_condition(condition, key=key_condition))
        return jnp.mean((found - velocity) ** 2)

    def velocity(self, x: Vector, s: Scalar, condition: Condition = None) -> Vector:
        """E[x_1 - e | x_t = x] at t = s."""
        return self.evaluate(x, s, condition)

    def grid(self, num_steps: int) -> Float[Array, " grid"]:
        """From 0 to 1."""
        return time_grid(num_steps)[::-1]

    def noise(self, z: Vector) -> Vector:
        """Itself."""
        return z

    def noise_log_prob(self, x: Vector) -> Scalar:
        """Of N(0, I)."""
        return jnp.sum(jax.scipy.stats.norm.logpdf(x))

    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw."""
        return self.transport(standard_normal(key, self.dim), num_steps=num_steps, condition=condition)

    def num_evaluations(self, num_steps: int) -> int:
        """As many per step as the solver takes; twice with a guidance that weighs."""
        return self.transport_evaluations(num_steps)
