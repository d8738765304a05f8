"""What all generative models have in common."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from equinox import AbstractVar
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector

Condition = Float[Array, " condition"] | None
"""What the law of the data depends on, or nothing."""


class AbstractGenerativeModel(eqx.Module):
    """A law of data, learned through a process that turns data into noise, and drawn from by running it backwards.

    Everything is written for one datum; `jax.vmap` batches. Models whose density is known have
    `log_prob(x, *, condition)` too.
    """

    dim: AbstractVar[int]
    """Numbers of a datum."""

    @abstractmethod
    def loss(self, x: Vector, *, key: Key, condition: Condition = None) -> Scalar:
        """What training makes small on average over data, estimated from one datum and one random time."""

    @abstractmethod
    def sample(self, key: Key, *, num_steps: int, condition: Condition = None) -> Vector:
        """One draw, by so many steps of the reversed process.

        Raises:
            ValueError: `num_steps` is not positive.
        """

    @abstractmethod
    def num_evaluations(self, num_steps: int) -> int:
        """How many times `sample` evaluates the network."""


def time_grid(num_steps: int, last: float = 0.0) -> Float[Array, " grid"]:
    """The num_steps + 1 equally spaced numbers from one, where there is noise, to the last.

    Raises:
        ValueError: There is no step.
    """
    if num_steps < 1:
        raise ValueError(f"`num_steps` is {num_steps}, but the way from noise to data takes at least one step.")
    return jnp.linspace(1.0, last, num_steps + 1)
