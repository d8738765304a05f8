"""Between N(0, I) and a target."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Parameters, Scalar, Vector
from ._base import AbstractTarget


def log_standard_normal(x: Vector) -> Scalar:
    """log N(x; 0, I), normalised."""
    return -0.5 * (x @ x) - 0.5 * x.size * jnp.log(2 * jnp.pi).astype(x.dtype)


class Tempered(AbstractTarget):
    """The geometric path from N(0, I) to a target.

        log_density(x) = (1 - b) log N(x; 0, I) + b target.log_density(x)

    Of a posterior in the coordinates of its prior this is the prior times L^b. The reference is normalised, so the
    integral runs from one at b = 0 to the evidence at b = 1.

    Args:
        target: The density at the end of the path.
        inverse_temperature: b, in [0, 1].
    """

    target: AbstractTarget
    inverse_temperature: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float))

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.target.dim

    def log_density(self, x: Vector) -> Scalar:
        """Unnormalised log-density at one point; at b = 0 the target does not count, wherever it ends."""
        b = self.inverse_temperature.astype(x.dtype)
        return (1 - b) * log_standard_normal(x) + jnp.where(b > 0, b * self.target.log_density(x), 0)

    def constrain(self, x: Vector) -> Parameters:
        """The named parameters of one point, in their own units."""
        return self.target.constrain(x)
