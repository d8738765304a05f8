"""How much noise there is at which time: variance-preserving schedules as angles."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from .._types import Scalar


class AbstractSchedule(eqx.Module):
    """x_t = cos(phi) x + sin(phi) noise with an angle phi(t) that rises from 0 at t = 0, where there is no noise."""

    @abstractmethod
    def angle(self, time: Scalar) -> Scalar:
        """phi(t) [radians], t in [0, 1]."""

    @abstractmethod
    def time(self, angle: Scalar) -> Scalar:
        """The inverse, t(phi)."""


class CosineSchedule(AbstractSchedule):
    """phi = (pi/2 - m) t.

    Args:
        margin: m [radians], at which some of the data is left at t = 1, about m in units of the noise. Networks that
            predict noise or score need one; 0.01 is usual.

    Raises:
        ValueError: The margin is not in [0, pi/2).

    References:
        Nichol & Dhariwal 2021, arXiv:2102.09672.
    """

    margin: float = eqx.field(static=True, default=0.0)

    def __check_init__(self):
        if not 0 <= self.margin < 1.57:
            raise ValueError(f"`margin` is {self.margin}, but must lie between 0 and pi/2.")

    def angle(self, time: Scalar) -> Scalar:
        """phi(t) [radians]."""
        return (0.5 * jnp.pi - self.margin) * time

    def time(self, angle: Scalar) -> Scalar:
        """t(phi)."""
        return angle / (0.5 * jnp.pi - self.margin)


class LinearSchedule(AbstractSchedule):
    """cos(phi) = exp(-B / 2), B(t) = b0 t + (b1 - b0) t^2 / 2: the rate of noise rises from b0 to b1.

    Args:
        beta_min: b0.
        beta_max: b1.

    Raises:
        ValueError: The rates are not 0 < b0 < b1.

    References:
        Ho, Jain & Abbeel 2020, arXiv:2006.11239; Song et al. 2021, arXiv:2011.13456.
    """

    beta_min: float = eqx.field(static=True, default=0.1)
    beta_max: float = eqx.field(static=True, default=20.0)

    def __check_init__(self):
        if not 0 < self.beta_min < self.beta_max:
            raise ValueError(f"Rates of noise must rise from above zero, not from {self.beta_min} to {self.beta_max}.")

    def angle(self, time: Scalar) -> Scalar:
        """phi(t) [radians]."""
        lost = self.beta_min * time + 0.5 * (self.beta_max - self.beta_min) * time**2
        return jnp.arctan2(jnp.sqrt(-jnp.expm1(-lost)), jnp.exp(-0.5 * lost))

    def time(self, angle: Scalar) -> Scalar:
        """t(phi)."""
        lost = -jnp.log1p(-(jnp.sin(angle) ** 2))
        root = jnp.sqrt(self.beta_min**2 + 2 * (self.beta_max - self.beta_min) * lost)
        return 2 * lost / (self.beta_min + root)
