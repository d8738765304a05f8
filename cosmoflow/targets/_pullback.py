"""A target seen through a change of coordinates."""

from flowjax.bijections import AbstractBijection

from .._types import Parameters, Scalar, Vector
from ._base import AbstractTarget


class Pullback(AbstractTarget):
    """The target in the coordinates z of x = T(z).

        log_density(z) = target.log_density(T(z)) + log |det dT/dz|

    Args:
        target: The target, a density of x.
        bijection: The unconditional map T from z to x, of shape (target.dim,).

    Raises:
        ValueError: If the bijection has another shape or is conditional.
    """

    target: AbstractTarget
    bijection: AbstractBijection

    def __check_init__(self):
        if self.bijection.shape != (self.target.dim,) or self.bijection.cond_shape is not None:
            raise ValueError(
                f"Pullback needs an unconditional bijection of shape ({self.target.dim},), "
                f"but its shape is {self.bijection.shape} and its cond_shape {self.bijection.cond_shape}."
            )

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.target.dim

    def log_density(self, x: Vector) -> Scalar:
        """Unnormalised log-density at one point of the new coordinates."""
        y, log_det = self.bijection.transform_and_log_det(x)
        return self.target.log_density(y) + log_det

    def constrain(self, x: Vector) -> Parameters:
        """The named parameters of one point, in their own units."""
        return self.target.constrain(self.bijection.transform(x))
