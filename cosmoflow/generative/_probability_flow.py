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

TOLERANCE = 1e-5
"""Relative and absolute error of each step of an adaptive solution, of every coordinate and of the log-density."""

MAX_STEPS = 4096
"""Of an adaptive solution, the rejected ones included."""


class AbstractProbabilityFlow(AbstractGenerativeModel):
    """dx/ds = u(x, s) carries the law of the data to noise and back, so that its density is known.

    log p(x) = log p_noise(x_noise) + integral of div u(x_s, s) ds from data to noise, with the exact divergence.
    `transport` takes fixed steps and is a smooth map; `log_prob` takes steps of a given error. Both can be
    differentiated in both modes.

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

    def log_prob(
        self, x: Vector, *, condition: Condition = None, rtol: float = TOLERANCE, atol: float = TOLERANCE
    ) -> Scalar:
        """Log-density of a datum, NaN where 4096 steps do not lead from data to noise at the tolerances.

        Steps are those of Tsitouras' method of fifth order, of six evaluations of the velocity and its d derivatives
        each, and as long as the tolerances allow. They are differentiated as they were taken (diffrax's
        `DirectAdjoint`), in forward and in reverse mode, the length of the steps held fixed.

        Args:
            x: The datum.
            condition: What its law depends on.
            rtol: Relative error of a step, of every coordinate and of the log-density.
            atol: Absolute error of a step.

        References:
            Tsitouras 2011, Computers & Mathematics with Applications 62, 770; Kidger 2021, arXiv:2202.02435 (diffrax).
        """
        noise, data = self.grid(1)
        start = jnp.append(x, jnp.zeros((), x.dtype))
        end = solve(self.with_divergence(condition), start, data, noise, rtol=rtol, atol=atol)
        return self.noise_log_prob(end[:-1]) + end[-1]

    def with_divergence(self, condition: Condition = None) -> Callable[[Float[Array, " state"], Scalar], Array]:
        """What is integrated for a density: the derivatives of x and, behind it, of the integral of div u."""

        def derivative(state, s):
            def velocity(y):
                return self.velocity(y, s, condition)

            divergence = jnp.trace(jax.jacfwd(velocity)(state[:-1]))
            return jnp.append(velocity(state[:-1]), divergence)

        return derivative

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


def solve(
    derivative: Callable[[Float[Array, " state"], Scalar], Float[Array, " state"]],
    state: Float[Array, " state"],
    start: Scalar,
    end: Scalar,
    *,
    rtol: float,
    atol: float,
) -> Float[Array, " state"]:
    """Carry a state from one time to another by steps of a given error; NaN where they are too many."""
    import diffrax
    from optimistix import max_norm

    found = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda s, y, _: derivative(y, jnp.asarray(s))),
        diffrax.Tsit5(),
        start.astype(state.dtype),
        end.astype(state.dtype),
        None,
        state,
        stepsize_controller=diffrax.PIDController(rtol, atol, norm=max_norm),
        adjoint=diffrax.DirectAdjoint(),
        max_steps=MAX_STEPS,
        throw=False,
    )
    last = jax.tree.leaves(found.ys)[0][0]
    return jnp.where(found.result == diffrax.RESULTS.successful, last, jnp.nan)


def standard_normal(key: Key, dim: int) -> Vector:
    """Noise in the default precision."""
    return jr.normal(key, (dim,), jnp.result_type(float))
