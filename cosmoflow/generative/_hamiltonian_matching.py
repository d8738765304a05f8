"""Hamiltonian generative flows: data set in motion with random velocities, of which the mean at each place is learned.

References:
    Holderrieth, Xu & Jaakkola 2024, arXiv:2410.20470.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from jaxtyping import Array, ArrayLike, Float

from .._types import Key, Scalar, Vector
from ._base import Condition, time_grid
from ._guidance import Guidance
from ._probability_flow import AbstractProbabilityFlow, standard_normal


def oscillation_scale(data: Float[Array, "sample dim"], *, diagonal: bool = False) -> Float[Array, " dim"]:
    """s = 1/a = sqrt(E|x|^2 / d), at which positions and velocities share the energy; or one for each coordinate."""
    second = jnp.mean(data**2, axis=0)
    return jnp.sqrt(second if diagonal else jnp.full_like(second, jnp.mean(second)))


class OscillationMatching(AbstractProbabilityFlow):
    """x = cos(phi) x_0 + sin(phi) s v, v ~ N(0, I): the network learns E[dx/dphi | x] / s over a quarter turn.

    With one s the force is that of the oscillation flow with a = 1/s, at phi = a t. Where each coordinate has its own,
    masses make the periods equal. For s = 1 this is `Diffusion` with v-prediction and the cosine schedule.

    Args:
        dim: Numbers of a datum.
        network: f(x, t, c), t = 2 phi / pi; a `TimeNetwork`.
        scale: s, one number or one for each coordinate, from `oscillation_scale`; it is not trained.
        solver: Of dx/dphi = s f(x, t).
        guidance: Of conditional models.

    Raises:
        ValueError: There is no such solver, or a scale is not positive.
    """

    network: Callable
    scale: paramax.AbstractUnwrappable
    guidance: Guidance | None
    dim: int = eqx.field(static=True)
    solver: str = eqx.field(static=True)

    def __init__(
        self,
        dim: int,
        network: Callable,
        *,
        scale: ArrayLike | list = 1.0,
        solver: str = "heun",
        guidance: Guidance | None = None,
    ):
        scales = np.asarray(scale)
        if scales.shape not in ((), (dim,)) or not np.all(scales > 0):
            raise ValueError(f"`scale` must be one positive number, or {dim} of them; found {scale}.")
        self.dim = dim
        self.network = network
        self.scale = paramax.non_trainable(jnp.full(dim, scales, jnp.result_type(float)))
        self.solver = solver
        self.guidance = guidance

    def noised(self, x: Vector, v: Vector, angle: Scalar) -> tuple[Vector, Vector]:
        """x at an angle phi, and (dx/dphi) / s there."""
        scale = paramax.unwrap(self.scale)
        return jnp.cos(angle) * x + jnp.sin(angle) * scale * v, jnp.cos(angle) * v - jnp.sin(angle) * x / scale

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """Mean square error of the velocity at one random time."""
        key_time, key_noise, key_condition = jr.split(key, 3)
        time = jr.uniform(key_time, (), x.dtype)
        y, velocity = self.noised(x, jr.normal(key_noise, x.shape, x.dtype), 0.5 * jnp.pi * time)
        found = self.network(y, time, self.training_condition(condition, key=key_condition))
        return jnp.mean((found - velocity) ** 2)

    def velocity(self, x: Vector, s: Scalar, condition: Condition = None) -> Vector:
        """E[dx/dphi | x] at an angle s."""
        return paramax.unwrap(self.scale) * self.evaluate(x, s / (0.5 * jnp.pi), condition)

    def grid(self, num_steps: int) -> Float[Array, " grid"]:
        """Equally spaced angles from pi/2 to 0."""
        return 0.5 * jnp.pi * time_grid(num_steps)

    def noise(self, z: Vector) -> Vector:
        """s z."""
        return paramax.unwrap(self.scale) * z

    def noise_log_prob(self, x: Vector) -> Scalar:
        """Of N(0, s^2)."""
        return jnp.sum(jax.scipy.stats.norm.logpdf(x, scale=paramax.unwrap(self.scale)))

    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw."""
        return self.transport(standard_normal(key, self.dim), num_steps=num_steps, condition=condition)

    def num_evaluations(self, num_steps: int) -> int:
        """As many per step as the solver takes; twice with a guidance that weighs."""
        return self.transport_evaluations(num_steps)


class ReflectionMatching(AbstractProbabilityFlow):
    """x_t = x_0 + t T v, v ~ N(0, I), reflected by the walls of the box [-h, h]^d; the network learns E[v_t | x_t].

    At t = 1 positions are uniform in the box up to 2 exp(-(pi T / 2h)^2 / 2). Beyond the walls the velocity is that of
    the mirror image, so that steps of a solver may cross them; `sample` folds back what `transport` leaves outside.

    Args:
        dim: Numbers of a datum, all in [-h, h].
        network: f(x, t, c), t in [0, 1]; a `TimeNetwork`.
        half_width: h.
        duration: T in units of 2h.
        solver: Of dx/dt = T f(x, t).
        guidance: Of conditional models.

    Raises:
        ValueError: There is no such solver, or a length is not positive.
    """

    dim: int = eqx.field(static=True)
    network: Callable
    half_width: float = eqx.field(static=True, default=1.0, kw_only=True)
    duration: float = eqx.field(static=True, default=1.5, kw_only=True)
    solver: str = eqx.field(static=True, default="heun", kw_only=True)
    guidance: Guidance | None = eqx.field(default=None, kw_only=True)

    def __check_init__(self):
        for name in ("half_width", "duration"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` is {getattr(self, name)}, but must be positive.")

    @property
    def time_scale(self) -> float:
        """T."""
        return 2 * self.half_width * self.duration

    def folded(self, x: Vector) -> tuple[Vector, Vector]:
        """The point of the box on which x falls by reflection, and the sign of velocities there."""
        h = self.half_width
        unfolded = jnp.mod(x + h, 4 * h)
        sign = jnp.where(unfolded < 2 * h, 1.0, -1.0).astype(x.dtype)
        return h - jnp.abs(unfolded - 2 * h), sign

    def noised(self, x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """x_t and v_t."""
        y, sign = self.folded(x + time * self.time_scale * v)
        return y, sign * v

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """Mean square error of the velocity at one random time."""
        key_time, key_noise, key_condition = jr.split(key, 3)
        time = jr.uniform(key_time, (), x.dtype)
        y, velocity = self.noised(x, jr.normal(key_noise, x.shape, x.dtype), time)
        found = self.network(y, time, self.training_condition(condition, key=key_condition))
        return jnp.mean((found - velocity) ** 2)

    def velocity(self, x: Vector, s: Scalar, condition: Condition = None) -> Vector:
        """dx/dt at t = s."""
        y, sign = self.folded(x)
        return self.time_scale * sign * self.evaluate(y, s, condition)

    def grid(self, num_steps: int) -> Float[Array, " grid"]:
        """From 1 to 0."""
        return time_grid(num_steps)

    def noise(self, z: Vector) -> Vector:
        """Uniform in the box."""
        return self.half_width * (2 * jax.scipy.stats.norm.cdf(z) - 1)

    def noise_log_prob(self, x: Vector) -> Scalar:
        """Of the uniform law, wherever the flow ends."""
        return jnp.full((), -self.dim * jnp.log(2 * self.half_width), x.dtype)

    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw, in the box."""
        return self.folded(self.transport(standard_normal(key, self.dim), num_steps=num_steps, condition=condition))[0]

    def num_evaluations(self, num_steps: int) -> int:
        """As many per step as the solver takes; twice with a guidance that weighs."""
        return self.transport_evaluations(num_steps)
