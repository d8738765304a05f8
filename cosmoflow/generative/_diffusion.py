"""Variance-preserving diffusion: data turned into normal noise by a schedule of angles."""

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
from ._schedule import AbstractSchedule, CosineSchedule

PREDICTIONS = ("v", "noise", "score", "energy")
SAMPLERS = ("ddim", "ancestral", "ode")
MIN_SIGNAL = 1e-6
"""Least cos(phi) at t = 1 where the network predicts noise or score, which are divided by it."""


class Diffusion(AbstractProbabilityFlow):
    """x = cos(phi) x_0 + sin(phi) e, e ~ N(0, I): the network learns E[v | x], v = dx/dphi, or what says the same.

    In the angle as time the probability flow is dx/dphi = E[v | x], whatever the schedule, which says where training
    looks and where samplers step. v = (e - sin(phi) x) / cos(phi) = -tan(phi) (score + x). As an energy, the network is
    a scalar u(x, t): v = sin(phi) grad u, log p_t = -|x|^2 / 2 - cos(phi) u + constant, finite at both ends; nothing
    constrains its tails.

    Args:
        dim: Numbers of a datum, of order one (standardise them).
        network: f(x, t, c), t in [0, 1]; a `TimeNetwork`, or an `EnergyNetwork` of one.
        schedule: phi(t).
        prediction: What the network is.
        sampler: "ddim" rotates by v, "ancestral" draws noise in each step, "ode" solves the probability flow.
        solver: Of the probability flow.
        guidance: Of conditional models.

    Raises:
        ValueError: An unknown name, or noise or score as prediction and a schedule whose signal ends at zero.

    References:
        Ho, Jain & Abbeel 2020, arXiv:2006.11239; Song, Meng & Ermon 2021, arXiv:2010.02502; Song et al. 2021,
        arXiv:2011.13456; Salimans & Ho 2022, arXiv:2202.00512 (v).
    """

    network: Callable
    schedule: AbstractSchedule
    guidance: Guidance | None
    dim: int = eqx.field(static=True)
    prediction: str = eqx.field(static=True)
    sampler: str = eqx.field(static=True)
    solver: str = eqx.field(static=True)

    def __init__(
        self,
        dim: int,
        network: Callable,
        *,
        schedule: AbstractSchedule | None = None,
        prediction: str = "v",
        sampler: str = "ddim",
        solver: str = "heun",
        guidance: Guidance | None = None,
    ):
        for name, value, known in (("prediction", prediction, PREDICTIONS), ("sampler", sampler, SAMPLERS)):
            if value not in known:
                raise ValueError(f"There is no {name} '{value}'; choose one of {', '.join(known)}.")
        schedule = CosineSchedule() if schedule is None else schedule
        with jax.ensure_compile_time_eval():
            signal = float(jnp.cos(schedule.angle(jnp.asarray(1.0))))
        if prediction in ("noise", "score") and signal < MIN_SIGNAL:
            raise ValueError(
                f"A network that predicts the {prediction} needs a schedule with some signal left at its end, for "
                "example CosineSchedule(margin=0.01)."
            )
        self.dim = dim
        self.network = network
        self.schedule = schedule
        self.prediction = prediction
        self.sampler = sampler
        self.solver = solver
        self.guidance = guidance

    def noised(self, x: Vector, noise: Vector, angle: Scalar) -> tuple[Vector, Vector]:
        """x at an angle phi, and v there."""
        return jnp.cos(angle) * x + jnp.sin(angle) * noise, jnp.cos(angle) * noise - jnp.sin(angle) * x

    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """Mean square error of v, or of the noise, at one random time; of a score, times sin(phi)^2."""
        key_time, key_noise, key_condition = jr.split(key, 3)
        angle = self.schedule.angle(jr.uniform(key_time, (), x.dtype))
        noise = jr.normal(key_noise, x.shape, x.dtype)
        y, v = self.noised(x, noise, angle)
        found = self._predicted(self.network, y, angle, self.training_condition(condition, key=key_condition))
        if self.prediction == "score":
            return jnp.mean((jnp.sin(angle) * found + noise) ** 2)
        return jnp.mean((found - (noise if self.prediction == "noise" else v)) ** 2)

    def velocity(self, x: Vector, s: Scalar, condition: Condition = None) -> Vector:
        """E[v | x] at an angle s."""
        found = self._predicted(self.evaluate, x, s, condition)
        if self.prediction == "noise":
            return (found - jnp.sin(s) * x) / jnp.cos(s)
        return -jnp.tan(s) * (found + x) if self.prediction == "score" else found

    def score(self, x: Vector, time: Scalar, condition: Condition = None) -> Vector:
        """The gradient of log p_t, at t > 0; of a score or an energy, at t = 0 too."""
        if self.prediction == "score":
            return self.evaluate(x, time, condition)
        angle = self.schedule.angle(time)
        if self.prediction == "energy":
            return -x - jnp.cos(angle) * jax.grad(self.evaluate)(x, time, condition)
        return -x - self.velocity(x, angle, condition) / jnp.tan(angle)

    def log_density(self, x: Vector, *, condition: Condition = None) -> Scalar:
        """Unnormalised log-density of a datum, for one evaluation of an energy.

        Raises:
            ValueError: The network is no energy.
        """
        if self.prediction != "energy":
            raise ValueError(
                f"A network that predicts the {self.prediction} is the gradient of no density; use log_prob, or "
                'prediction="energy".'
            )
        return -0.5 * jnp.sum(x**2) - self.evaluate(x, jnp.zeros((), x.dtype), condition)

    def grid(self, num_steps: int) -> Float[Array, " grid"]:
        """Angles at equally spaced times."""
        return jax.vmap(self.schedule.angle)(time_grid(num_steps))

    def noise(self, z: Vector) -> Vector:
        """Itself."""
        return z

    def noise_log_prob(self, x: Vector) -> Scalar:
        """Of N(0, I)."""
        return jnp.sum(jax.scipy.stats.norm.logpdf(x))

    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw."""
        key_noise, key_steps = jr.split(key)
        z = standard_normal(key_noise, self.dim)
        if self.sampler == "ode":
            return self.transport(z, num_steps=num_steps, condition=condition)
        ancestral = self.sampler == "ancestral"

        def step(x, inputs):
            angle, end, k = inputs
            v = self.velocity(x, angle, condition)
            turn = angle - end
            if not ancestral:
                return jnp.cos(turn) * x - jnp.sin(turn) * v, None
            datum, noise = jnp.cos(angle) * x - jnp.sin(angle) * v, jnp.sin(angle) * x + jnp.cos(angle) * v
            kept = jnp.sin(end) * jnp.tan(end) / jnp.tan(angle)
            fresh = jnp.sqrt(jnp.maximum(jnp.sin(end) ** 2 - kept**2, 0.0))
            return jnp.cos(end) * datum + kept * noise + fresh * jr.normal(k, x.shape, x.dtype), None

        angles = self.grid(num_steps)
        return jax.lax.scan(step, z, (angles[:-1], angles[1:], jr.split(key_steps, num_steps)))[0]

    def num_evaluations(self, num_steps: int) -> int:
        """One per step, or as many as the solver takes; twice with a guidance that weighs."""
        if self.sampler == "ode":
            return self.transport_evaluations(num_steps)
        return num_steps * self.evaluations_per_value

    def _predicted(self, network: Callable, x: Vector, angle: Scalar, condition: Condition) -> Vector:
        """The value of the network; of an energy, the v that follows from it."""
        time = self.schedule.time(angle)
        if self.prediction == "energy":
            return jnp.sin(angle) * jax.grad(network)(x, time, condition)
        return network(x, time, condition)
