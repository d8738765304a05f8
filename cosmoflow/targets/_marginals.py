"""One-parameter priors as transports of N(0, 1): x = F^-1(Phi(z))."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from equinox import AbstractVar
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from .._types import Parameters
from ._normal import between, floats, from_between, from_tails, positive_tail


class AbstractTransport(eqx.Module):
    """A map of independent N(0, 1) coordinates, of shape `shape`, to the values of one or more parameters.

    It may depend on parameters that stand before it in the prior: `conditions` names them, `given` binds it to them.
    """

    shape: AbstractVar[tuple[int, ...]]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the parameters on which the map depends; most depend on none."""
        return ()

    def given(self, parameters: Parameters) -> "AbstractTransport":
        """The map for values of these parameters."""
        return self

    @abstractmethod
    def forward(self, z: Float[Array, "..."]) -> Array:
        """From standard-normal coordinates to parameter values."""

    @abstractmethod
    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """From parameter values to standard-normal coordinates; not finite outside the support."""


class Uniform(AbstractTransport):
    """The uniform distribution on [low, high]: x = low + (high - low) Phi(z).

    Args:
        low: Lower end. An array makes a vector-valued parameter of independent entries, here and in every marginal.
        high: Upper end.

    Raises:
        ValueError: If not low < high, or if an end is infinite.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> float(cf.Uniform(0.0, 10.0).forward(jnp.array(0.0)))
        5.0
    """

    low: Float[Array, "..."] = eqx.field(converter=floats)
    high: Float[Array, "..."] = eqx.field(converter=floats)

    def __check_init__(self):
        if not jnp.all((self.low < self.high) & jnp.isfinite(self.high - self.low)):
            raise ValueError(f"Uniform needs finite low < high, but low is {self.low} and high is {self.high}.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the standard-normal coordinates."""
        return jnp.broadcast_shapes(self.low.shape, self.high.shape)

    def forward(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """From standard-normal coordinates to parameter values."""
        return between(z, self.low, self.high)

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """From parameter values to standard-normal coordinates; not finite outside the support."""
        return from_between(x, self.low, self.high)


class Normal(AbstractTransport):
    """The normal distribution: x = mean + sd z.

    Args:
        mean: Mean.
        sd: Standard deviation.

    Raises:
        ValueError: If not sd > 0.

    Examples:
        >>> import cosmoflow as cf, jax.numpy as jnp
        >>> float(cf.Normal(1.0, 0.5).forward(jnp.array(2.0)))
        2.0
    """

    mean: Float[Array, "..."] = eqx.field(converter=floats)
    sd: Float[Array, "..."] = eqx.field(converter=floats)

    def __check_init__(self):
        if not jnp.all(self.sd > 0):
            raise ValueError(f"Normal needs sd > 0, but sd is {self.sd}.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the standard-normal coordinates."""
        return jnp.broadcast_shapes(self.mean.shape, self.sd.shape)

    def forward(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """From standard-normal coordinates to parameter values."""
        return self.mean + self.sd * z

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """From parameter values to standard-normal coordinates."""
        return (x - self.mean) / self.sd


class LogNormal(AbstractTransport):
    """The log-normal distribution: log x ~ N(mu, sigma^2), x = exp(mu + sigma z).

    Args:
        mu: Mean of log x (not of x).
        sigma: Standard deviation of log x (not of x).

    Raises:
        ValueError: If not sigma > 0.
    """

    mu: Float[Array, "..."] = eqx.field(converter=floats)
    sigma: Float[Array, "..."] = eqx.field(converter=floats)

    def __check_init__(self):
        if not jnp.all(self.sigma > 0):
            raise ValueError(f"LogNormal needs sigma > 0, but sigma is {self.sigma}.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the standard-normal coordinates."""
        return jnp.broadcast_shapes(self.mu.shape, self.sigma.shape)

    def forward(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """From standard-normal coordinates to parameter values."""
        return jnp.exp(self.mu + self.sigma * z)

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """From parameter values to standard-normal coordinates; not finite outside the support."""
        return (jnp.log(x) - self.mu) / self.sigma


class TruncatedNormal(AbstractTransport):
    """N(mean, sd^2) restricted to [low, high]: Phi(y) = Phi(a) + (Phi(b) - Phi(a)) Phi(z), x = mean + sd y.

    Here a = (low - mean) / sd and b = (high - mean) / sd. The smaller of the masses on either side of y is the one
    computed and inverted, so that both tails keep their digits.

    Args:
        mean: Mean before truncation.
        sd: Standard deviation before truncation.
        low: Lower end, possibly -inf.
        high: Upper end, possibly inf.

    Raises:
        ValueError: If not sd > 0 and low < high, or if the mass between the ends underflows.
    """

    mean: Float[Array, "..."] = eqx.field(converter=floats)
    sd: Float[Array, "..."] = eqx.field(converter=floats)
    low: Float[Array, "..."] = eqx.field(converter=floats)
    high: Float[Array, "..."] = eqx.field(converter=floats)

    def __check_init__(self):
        if not jnp.all((self.sd > 0) & (self.low < self.high)):
            raise ValueError(
                f"TruncatedNormal needs sd > 0 and low < high, "
                f"but sd is {self.sd}, low is {self.low} and high is {self.high}."
            )
        if not jnp.all(_mass(*self._ends()) > 0):
            raise ValueError(
                f"TruncatedNormal has no mass left between low = {self.low} and high = {self.high} "
                f"with mean {self.mean} and sd {self.sd}."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the standard-normal coordinates."""
        return jnp.broadcast_shapes(self.mean.shape, self.sd.shape, self.low.shape, self.high.shape)

    def forward(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """From standard-normal coordinates to parameter values."""
        a, b = self._ends()
        mass, smaller = _mass(a, b), positive_tail(z)
        left = ndtr(a) + mass * jnp.where(z < 0, smaller, 1 - smaller)
        right = ndtr(-b) + mass * jnp.where(z < 0, 1 - smaller, smaller)
        return jnp.clip(self.mean + self.sd * from_tails(left, right), self.low, self.high)

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """From parameter values to standard-normal coordinates; not finite outside the support."""
        a, b = self._ends()
        y, mass = (x - self.mean) / self.sd, _mass(a, b)
        return from_tails(_mass(a, y) / mass, _mass(y, b) / mass)

    def _ends(self) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        return (self.low - self.mean) / self.sd, (self.high - self.mean) / self.sd


class WhiteNoise(AbstractTransport):
    """Independent N(0, 1) numbers: the latents of a field, which are their own coordinates.

    Args:
        shape: Of the parameter.
    """

    shape: tuple[int, ...] = eqx.field(static=True)

    def forward(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """The coordinates."""
        return z

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The coordinates."""
        return x


class Delta(AbstractTransport):
    """A parameter held at one value; it consumes no coordinate.

    Args:
        value: The value, a scalar or an array.
    """

    value: Float[Array, "..."] = eqx.field(converter=floats)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the standard-normal coordinates: none."""
        return (0,)

    def forward(self, z: Float[Array, " 0"]) -> Float[Array, "..."]:
        """The value."""
        return self.value

    def inverse(self, x: Float[Array, "..."]) -> Float[Array, " 0"]:
        """No coordinate."""
        return jnp.zeros((0,), self.value.dtype)


def _mass(a: Float[Array, "..."], b: Float[Array, "..."]) -> Float[Array, "..."]:
    """Phi(b) - Phi(a), by the tail in which both are small."""
    return jnp.where(a > 0, ndtr(-a) - ndtr(-b), ndtr(b) - ndtr(a))
