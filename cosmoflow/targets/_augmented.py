"""A target on phase space."""

import jax.numpy as jnp
from flowjax.distributions import AbstractDistribution

from .._types import Parameters, Scalar, Vector
from ._base import AbstractTarget


class Augmented(AbstractTarget):
    """The target joined by momenta: pi(q) f(p | q) on x = concatenate(q, p), whose marginal of q is the target.

    Args:
        target: The target pi, on R^d.
        momentum: The normalised distribution f of p given q, of shape (d,) and cond_shape (d,).

    Raises:
        ValueError: If the momentum has another shape.
    """

    target: AbstractTarget
    momentum: AbstractDistribution

    def __check_init__(self):
        shape = (self.target.dim,)
        if self.momentum.shape != shape or self.momentum.cond_shape != shape:
            raise ValueError(
                f"Augmented needs a momentum of shape and cond_shape {shape}, "
                f"but they are {self.momentum.shape} and {self.momentum.cond_shape}."
            )

    @property
    def dim(self) -> int:
        """Dimension of phase space, twice that of the target."""
        return 2 * self.target.dim

    def log_density(self, x: Vector) -> Scalar:
        """Unnormalised log-density at one point of phase space."""
        q, p = jnp.split(x, 2)
        return self.target.log_density(q) + self.momentum.log_prob(p, condition=q)

    def constrain(self, x: Vector) -> Parameters:
        """The named parameters of the position; the momentum is dropped."""
        return self.target.constrain(x[: self.target.dim])
