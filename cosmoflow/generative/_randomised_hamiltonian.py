"""Randomised Hamiltonian dynamics as a generative model."""

import equinox as eqx
import jax.numpy as jnp

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._velocity import AbstractVelocity
from ._velocity_model import AbstractVelocityModel


class RandomisedHamiltonianModel(AbstractVelocityModel):
    """Rotations x' = v, v' = -x, exact for N(0, I), whose velocity is drawn afresh at a constant rate.

    Reversed refreshments have the rate lambda_r N(v; 0, I) / p(v | x) and draw from p(. | x).

    Args:
        dim: Numbers of a datum.
        velocity: The law p_t(v | x).
        horizon: T; at 5 the mean of the data has decayed to a tenth.
        refreshment_rate: lambda_r.

    References:
        Bou-Rabee & Sanz-Serna 2017, arXiv:1511.09382; Bertazzi et al. 2024, arXiv:2407.19448.
    """

    dim: int = eqx.field(static=True)
    velocity: AbstractVelocity
    horizon: float = eqx.field(static=True, default=5.0)
    refreshment_rate: float = eqx.field(static=True, default=1.0)

    def __check_init__(self):
        if not self.refreshment_rate > 0:
            raise ValueError(
                f"RandomisedHamiltonianModel's refreshment_rate is {self.refreshment_rate}, but must be positive: "
                "rotations alone never forget where they started."
            )

    def move(self, x: Vector, v: Vector, time: Scalar) -> tuple[Vector, Vector]:
        """A rotation of phase space."""
        cos, sin = jnp.cos(time), jnp.sin(time)
        return x * cos + v * sin, v * cos - x * sin

    def event_time(self, x: Vector, v: Vector, exponential: Scalar) -> Scalar:
        """Never."""
        return jnp.full_like(exponential, jnp.inf)

    def jump(self, x: Vector, v: Vector, *, key: Key) -> Vector:
        """None."""
        return v

    def turned(self, x: Vector, v: Vector, clock: Scalar, step: Scalar, condition: Condition, *, key: Key) -> Vector:
        """A refreshment, at most one."""
        return self.refreshed(self.velocity(x, clock, condition), v, step, key=key)

    def num_evaluations(self, num_steps: int) -> int:
        """A log-density and a draw each step."""
        return num_steps * self.velocity.num_evaluations(2)
