"""The noise of an observed field."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from .._types import Key

LEAST_RATE = 0.02
"""Expected counts fall smoothly to zero below about this share of their mean, where a model predicts negative ones."""


class AbstractFieldNoise(eqx.Module):
    """The law of the data in each cell given the predicted contrast; cells are independent."""

    @abstractmethod
    def log_prob(self, data: Float[Array, "*grid"], contrast: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """Normalised log-probability of each cell."""

    @abstractmethod
    def sample(self, contrast: Float[Array, "*grid"], *, key: Key) -> Float[Array, "*grid"]:
        """Simulated data."""

    @abstractmethod
    def precision(self) -> Float[Array, "*cell"]:
        """Inverse variance of the data as a contrast, where the contrast is zero; a scalar, or one for each cell."""

    @abstractmethod
    def contrast(self, data: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """The data as a contrast."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what varies from cell to cell; () where nothing does."""
        return self.precision().shape

    @property
    def counts(self) -> bool:
        """Whether the data are numbers of objects."""
        return False


class GaussianNoise(AbstractFieldNoise):
    """data ~ N(contrast, sd^2).

    Args:
        sd: Standard deviation, a scalar or one for each cell.

    Raises:
        ValueError: It is not positive.
    """

    sd: Float[Array, "*cell"] = eqx.field(converter=lambda v: jnp.asarray(v, float))

    def __check_init__(self):
        if not jnp.all(self.sd > 0):
            raise ValueError(
                "The standard deviation of the noise is not positive everywhere; mask such cells and give any there."
            )

    @classmethod
    def of_shapes(
        cls, shape_noise: float, galaxies_per_arcmin2: float | Float[Array, "*cell"], cell_area: float
    ) -> "GaussianNoise":
        """Shape noise of a convergence map, sd = sigma_e / sqrt(2 n A).

        Args:
            shape_noise: sigma_e, of both components of the ellipticity together.
            galaxies_per_arcmin2: n, a number or one for each cell.
            cell_area: A [rad^2].

        References:
            Kaiser & Squires 1993, ApJ 404, 441; van Waerbeke 2000, arXiv:astro-ph/9909160.
        """
        arcmin = jnp.pi / 180 / 60
        number = jnp.asarray(galaxies_per_arcmin2, float) * (cell_area / arcmin**2)
        return cls(shape_noise / jnp.sqrt(2 * number))

    def log_prob(self, data: Float[Array, "*grid"], contrast: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """Normalised log-probability of each cell."""
        return -0.5 * ((data - contrast) / self.sd) ** 2 - jnp.log(self.sd) - 0.5 * jnp.log(2 * jnp.pi)

    def sample(self, contrast: Float[Array, "*grid"], *, key: Key) -> Float[Array, "*grid"]:
        """Simulated data."""
        return contrast + self.sd * jr.normal(key, contrast.shape, contrast.dtype)

    def precision(self) -> Float[Array, "*cell"]:
        """1 / sd^2."""
        return 1 / self.sd**2

    def contrast(self, data: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """The data."""
        return data


class PoissonNoise(AbstractFieldNoise):
    """Counts ~ Poisson(mean_count (1 + contrast)).

    Args:
        mean_count: Mean number of objects in a cell, a scalar or one for each cell.

    Raises:
        ValueError: It is not positive.
    """

    mean_count: Float[Array, "*cell"] = eqx.field(converter=lambda v: jnp.asarray(v, float))

    def __check_init__(self):
        _check_counts(self.mean_count)

    @property
    def counts(self) -> bool:
        """They are."""
        return True

    def log_prob(self, data: Float[Array, "*grid"], contrast: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """Normalised log-probability of each cell."""
        density = _positive(1 + contrast)
        log_rate = jnp.log(self.mean_count) + jnp.log(density)
        return data * log_rate - self.mean_count * density - gammaln(data + 1)

    def sample(self, contrast: Float[Array, "*grid"], *, key: Key) -> Float[Array, "*grid"]:
        """Simulated counts."""
        return jr.poisson(key, self.mean_count * _positive(1 + contrast)).astype(contrast.dtype)

    def precision(self) -> Float[Array, "*cell"]:
        """The mean count."""
        return self.mean_count

    def contrast(self, data: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """Counts over their mean, less one."""
        return data / self.mean_count - 1


class NegativeBinomialNoise(AbstractFieldNoise):
    """Counts of mean m = mean_count (1 + contrast) and variance m + m^2 / concentration.

    Args:
        mean_count: Mean number of objects in a cell, a scalar or one for each cell.
        concentration: The larger, the closer to a Poisson law.

    Raises:
        ValueError: One of them is not positive.
    """

    mean_count: Float[Array, "*cell"] = eqx.field(converter=lambda v: jnp.asarray(v, float))
    concentration: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float))

    def __check_init__(self):
        _check_counts(self.mean_count)
        if not self.concentration > 0:
            raise ValueError(
                f"The concentration of negative binomial counts is {self.concentration}; make it positive."
            )

    @property
    def counts(self) -> bool:
        """They are."""
        return True

    def log_prob(self, data: Float[Array, "*grid"], contrast: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """Normalised log-probability of each cell."""
        density, r = _positive(1 + contrast), self.concentration
        mean, log_mean = self.mean_count * density, jnp.log(self.mean_count) + jnp.log(density)
        log_choices = gammaln(data + r) - gammaln(r) - gammaln(data + 1)
        return log_choices + data * (log_mean - jnp.log(r + mean)) - r * jnp.log1p(mean / r)

    def sample(self, contrast: Float[Array, "*grid"], *, key: Key) -> Float[Array, "*grid"]:
        """Simulated counts."""
        key_rate, key_count = jr.split(key)
        mean = self.mean_count * _positive(1 + contrast)
        rate = jr.gamma(key_rate, self.concentration, contrast.shape, contrast.dtype) * mean / self.concentration
        return jr.poisson(key_count, rate).astype(contrast.dtype)

    def precision(self) -> Float[Array, "*cell"]:
        """Inverse variance of counts over their mean."""
        return 1 / (1 / self.mean_count + 1 / self.concentration)

    def contrast(self, data: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
        """Counts over their mean, less one."""
        return data / self.mean_count - 1


def _check_counts(mean_count: Float[Array, "*cell"]) -> None:
    if not jnp.all((mean_count > 0) & jnp.isfinite(mean_count)):
        raise ValueError(
            "The mean count is not positive and finite everywhere; mask such cells and give any positive one there."
        )


def _positive(density: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
    """The density where it is positive, and smoothly down to zero where it is not."""
    return LEAST_RATE * jax.nn.softplus(density / LEAST_RATE) + jnp.finfo(density.dtype).tiny
