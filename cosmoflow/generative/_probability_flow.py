"""What models have in common whose draws are carried from noise to data by an ordinary differential equation."""

from abc import abstractmethod
from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
from equinox import AbstractVar
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import AbstractGenerativeModel, Condition
from ._guidance import Guidance

SOLVERS = {"euler": 1, "heun": 2, "rk4": 4}
"""Solvers by name, and their evaluations per step."""


class AbstractProbabilityFlow(AbstractGenerativeModel):
    """dx/ds = u(x, s) carries the law of the data to noise and back, so that its density is known.

    log p(x) = log p_noise(x_noise) + integral of div u(x_s, s) ds from data to noise, with the exact divergence.
    Steps are fixed, so that everything can be differentiated in both modes.

    References:
        Chen et al. 2018, arXiv:1806.07366; Song et al. 2021, arXiv:2011.13456.
    """

    network: AbstractVar[Callable]
    guidance: AbstractVar[Guidance | None]
    solver: AbstractVar[str]

    def __check_init__(self):
        if self.dim < 1:
            raise ValueError(f"`dim` is {self.dim}, but a datum has at least one number.")
        if self.solver not in SOLVERS:
            raise ValueError(f"There is no solver '{self.solver}'; choose one of {', '.join(SOLVERS)}.")

    @abstractmethod
    def grid(self, num_steps: int) -> Float[Array, " grid"]:
        """The num_steps + 1 values of s, from noise to data."""

    @abstractmethod
    def velocity(self, x: Vector, s: Scalar, condition: Condition = None) -> Vector:
        """u(x, s)."""

    @abstractmethod
    def noise(self, z: Vector) -> Vector:
        """The noise for which a standard normal z stands."""

    @abstractmethod
    def noise_log_prob(self, x: Vector) -> Scalar:
        """Log-density of the noise."""

    def evaluate(self, x: Vector, time: Scalar, condition: Condition = None) -> Float[Array, "..."]:
        """The network, guided where the model has a guidance."""
        if self.guidance is None:
            return self.network(x, time, condition)
        return self.guidance(self.network, x, time, condition)

    def training_condition(self, condition: Condition, *, key: Key) -> Condition:
        """The condition that the network sees in training."""
        return condition if self.guidance is None else self.guidance.dropped(condition, key=key)

    def transport(self, z: Vector, *, num_steps: int, condition: Condition = None) -> Vector:
        """The datum to which a standard normal z is carried."""
        return integrate(lambda x, s: self.velocity(x, s, condition), self.noise(z), self.grid(num_steps), self.solver)

    def transport_evaluations(self, num_steps: int) -> int:
        """How many times `transport` evaluates the network."""
        return num_steps * SOLVERS[self.solver] * self.evaluations_per_value

    def log_prob(self, x: Vector, *, condition: Condition = None, num_steps: int = 100) -> Scalar:
        """Log-density of a datum.

        Args:
            x: The datum.
            condition: What its law depends on.
            num_steps: Steps of the classical Runge-Kutta method of fourth order, each for 4 d derivatives of the
                network. Check a result against twice as many.
        """

        def derivative(state, s):
            def velocity(y):
                return self.velocity(y, s, condition)

            divergence = jnp.trace(jax.jacfwd(velocity)(state[:-1]))
            return jnp.append(velocity(state[:-1]), divergence)

        end = integrate(derivative, jnp.append(x, jnp.zeros((), x.dtype)), self.grid(num_steps)[::-1], "rk4")
        return self.noise_log_prob(end[:-1]) + end[-1]

    @property
    def evaluations_per_value(self) -> int:
        """Evaluations of the network for each velocity."""
        return 1 if self.guidance is None else self.guidance.num_evaluations


def integrate(
    derivative: Callable[[Float[Array, " state"], Scalar], Float[Array, " state"]],
    state: Float[Array, " state"],
    grid: Float[Array, " grid"],
    solver: str,
) -> Float[Array, " state"]:
    """Carry a state along a grid of times, one step of the solver for each interval."""

    def step(y, interval):
        s, end = interval
        h = end - s
        slope = derivative(y, s)
        if solver == "euler":
            return y + h * slope, None
        if solver == "heun":
            return y + 0.5 * h * (slope + derivative(y + h * slope, end)), None
        second = derivative(y + 0.5 * h * slope, s + 0.5 * h)
        third = derivative(y + 0.5 * h * second, s + 0.5 * h)
        last = derivative(y + h * third, end)
        return y + h / 6 * (slope + 2 * second + 2 * third + last), None

    return jax.lax.scan(step, state, (grid[:-1], grid[1:]))[0]


def standard_normal(key: Key, dim: int) -> Vector:
    """Noise in the default precision."""
    return jr.normal(key, (dim,), jnp.result_type(float))
