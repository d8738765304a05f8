"""Densities with exact draws and exact moments, on which samplers are tried."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import digamma, gammaln, logsumexp, polygamma
from jaxtyping import Array, ArrayLike, Float

from .._types import Key, Parameters, Scalar, Vector
from ._base import AbstractTarget
from ._normal import floats


class AbstractAnalyticTarget(AbstractTarget):
    """A normalised density whose draws and moments are known exactly."""

    @abstractmethod
    def mean(self) -> Vector:
        """E[x_i]."""

    @abstractmethod
    def variance(self) -> Vector:
        """Var[x_i]."""

    @abstractmethod
    def square_variance(self) -> Vector:
        """Var[x_i^2], the unit in which errors of E[x_i^2] are measured."""

    @abstractmethod
    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""

    def constrain(self, x: Vector) -> Parameters:
        """The point itself, as the vector-valued parameter "x"."""
        return {"x": x}


class CorrelatedGaussian(AbstractAnalyticTarget):
    """N(mean, covariance).

    Args:
        mean: Shape (dim,).
        covariance: Positive definite, shape (dim, dim).

    Raises:
        ValueError: If the shapes disagree or the covariance is not positive definite.
    """

    location: Float[Array, " dim"]
    cholesky: Float[Array, "dim dim"]
    whitening: Float[Array, "dim dim"]

    def __init__(self, mean: ArrayLike | list, covariance: ArrayLike | list):
        self.location, covariance = floats(mean), floats(covariance)
        (dim,) = self.location.shape
        if covariance.shape != (dim, dim):
            raise ValueError(
                f"CorrelatedGaussian needs a covariance of shape {(dim, dim)}, but it has {covariance.shape}."
            )
        self.cholesky = jnp.linalg.cholesky(covariance)
        self.whitening = solve_triangular(self.cholesky, jnp.eye(dim), lower=True)

    def __check_init__(self):
        if not jnp.all(jnp.isfinite(self.whitening)):
            raise ValueError("CorrelatedGaussian needs a positive definite covariance.")

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.location.size

    def log_density(self, x: Vector) -> Scalar:
        """Normalised log-density at one point."""
        white = self.whitening @ (x - self.location)
        log_norm = jnp.sum(jnp.log(jnp.diagonal(self.whitening))) - 0.5 * self.dim * jnp.log(2 * jnp.pi)
        return log_norm - 0.5 * (white @ white)

    def mean(self) -> Vector:
        """E[x_i]."""
        return self.location

    def variance(self) -> Vector:
        """Var[x_i]."""
        return jnp.sum(self.cholesky**2, axis=1)

    def square_variance(self) -> Vector:
        """Var[x_i^2]."""
        variance = self.variance()
        return 2 * variance**2 + 4 * self.location**2 * variance

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""
        return self.location + jr.normal(key, (*shape, self.dim), self.location.dtype) @ self.cholesky.T


class Banana(AbstractAnalyticTarget):
    """The bent Gaussian x_1 ~ N(0, 10^2), x_2 | x_1 ~ N(0.03 (x_1^2 - 100), 1).

    References:
        Haario, Saksman and Tamminen 1999, Computational Statistics 14, 375.
    """

    @property
    def dim(self) -> int:
        """Two."""
        return 2

    def log_density(self, x: Vector) -> Scalar:
        """Normalised log-density at one point."""
        residual = x[1] - 0.03 * (x[0] ** 2 - 100)
        return -0.5 * (x[0] / 10) ** 2 - 0.5 * residual**2 - jnp.log(20 * jnp.pi)

    def mean(self) -> Vector:
        """E[x_i]."""
        return jnp.zeros(2)

    def variance(self) -> Vector:
        """Var[x_i]: x_2 = 3 (chi^2_1 - 1) + N(0, 1)."""
        return jnp.array([100.0, 19.0])

    def square_variance(self) -> Vector:
        """Var[x_i^2]: the fourth central moment of chi^2_1 is 60."""
        return jnp.array([2e4, 3.0**4 * 60 + 6 * 18 + 3 - 19.0**2])

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""
        z = jr.normal(key, (*shape, 2))
        x = 10 * z[..., 0]
        return jnp.stack([x, 0.03 * (x**2 - 100) + z[..., 1]], axis=-1)


class Funnel(AbstractAnalyticTarget):
    """Neal's funnel: z ~ N(0, 9), x_i | z ~ N(0, e^z); the point is (z, x_1, ..., x_dim-1).

    Args:
        dim: Number of coordinates, z included.

    References:
        Neal 2003, Annals of Statistics 31, 705.
    """

    dim: int = eqx.field(default=10, static=True)

    def log_density(self, x: Vector) -> Scalar:
        """Normalised log-density at one point."""
        z, rest = x[0], x[1:]
        log_norm = -jnp.log(3.0) - 0.5 * self.dim * jnp.log(2 * jnp.pi)
        return log_norm - z**2 / 18 - 0.5 * (self.dim - 1) * z - 0.5 * jnp.exp(-z) * (rest @ rest)

    def mean(self) -> Vector:
        """E[x_i]."""
        return jnp.zeros(self.dim)

    def variance(self) -> Vector:
        """Var[x_i]: E[e^z] = e^4.5."""
        return jnp.exp(jnp.full(self.dim, 4.5)).at[0].set(9)

    def square_variance(self) -> Vector:
        """Var[x_i^2]: 3 E[e^2z] - E[e^z]^2 = 3 e^18 - e^9."""
        return jnp.full(self.dim, 3 * jnp.exp(18.0) - jnp.exp(9.0)).at[0].set(162)

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""
        x = jr.normal(key, (*shape, self.dim))
        z = 3 * x[..., :1]
        return jnp.concatenate([z, jnp.exp(0.5 * z) * x[..., 1:]], axis=-1)


class Skewed(AbstractAnalyticTarget):
    """Independent log-gamma coordinates: e^x_i ~ Gamma(concentration_i), with a long left tail and a short right one.

        log_density(x) = sum_i concentration_i x_i - e^x_i - log Gamma(concentration_i)

    Args:
        concentration: Positive, shape (dim,); the smaller, the more skewed (at 1 the skewness is -1.14).

    Raises:
        ValueError: If not concentration > 0.
    """

    concentration: Float[Array, " dim"] = eqx.field(converter=floats)

    def __check_init__(self):
        if not jnp.all(self.concentration > 0):
            raise ValueError(f"Skewed needs concentration > 0, but it is {self.concentration}.")

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.concentration.size

    def log_density(self, x: Vector) -> Scalar:
        """Normalised log-density at one point."""
        return jnp.sum(self.concentration * x - jnp.exp(x) - gammaln(self.concentration))

    def mean(self) -> Vector:
        """E[x_i], the digamma function."""
        return digamma(self.concentration)

    def variance(self) -> Vector:
        """Var[x_i], the trigamma function."""
        return polygamma(1, self.concentration)

    def square_variance(self) -> Vector:
        """Var[x_i^2], by the cumulants psi^(n-1)."""
        mean, variance = self.mean(), self.variance()
        third, fourth = polygamma(2, self.concentration), polygamma(3, self.concentration)
        return fourth + 2 * variance**2 + 4 * mean * third + 4 * mean**2 * variance

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""
        return jr.loggamma(key, self.concentration, (*shape, self.dim), self.concentration.dtype)


class StudentT(AbstractAnalyticTarget):
    """The isotropic multivariate t distribution, whose tails fall as a power of |x|.

    Args:
        degrees_of_freedom: Above four, so that squares have a variance.
        dim: Number of coordinates.

    Raises:
        ValueError: If not degrees_of_freedom > 4.
    """

    degrees_of_freedom: Float[Array, ""] = eqx.field(converter=floats, default=8.0)
    dim: int = eqx.field(default=2, static=True)

    def __check_init__(self):
        if not self.degrees_of_freedom > 4:
            raise ValueError(f"StudentT needs degrees_of_freedom > 4, but it is {self.degrees_of_freedom}.")

    def log_density(self, x: Vector) -> Scalar:
        """Normalised log-density at one point."""
        nu = self.degrees_of_freedom
        half = 0.5 * (nu + self.dim)
        log_norm = gammaln(half) - gammaln(0.5 * nu) - 0.5 * self.dim * jnp.log(nu * jnp.pi)
        return log_norm - half * jnp.log1p((x @ x) / nu)

    def mean(self) -> Vector:
        """E[x_i]."""
        return jnp.zeros(self.dim, self.degrees_of_freedom.dtype)

    def variance(self) -> Vector:
        """Var[x_i]."""
        nu = self.degrees_of_freedom
        return jnp.full(self.dim, nu / (nu - 2))

    def square_variance(self) -> Vector:
        """Var[x_i^2]: E[x_i^4] = 3 nu^2 / ((nu - 2) (nu - 4))."""
        nu = self.degrees_of_freedom
        return jnp.full(self.dim, 3 * nu**2 / ((nu - 2) * (nu - 4))) - self.variance() ** 2

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""
        key_normal, key_gamma = jr.split(key)
        nu = self.degrees_of_freedom
        noise = jr.normal(key_normal, (*shape, self.dim), nu.dtype)
        return noise * jnp.sqrt(0.5 * nu / jr.gamma(key_gamma, 0.5 * nu, (*shape, 1), nu.dtype))


class GaussianMixture(AbstractAnalyticTarget):
    """A mixture of Gaussians with diagonal covariances.

    Args:
        weights: Positive, normalised here, shape (components,).
        means: Shape (components, dim).
        sd: Standard deviations, broadcast against `means`.

    Raises:
        ValueError: If not weights > 0 and sd > 0, or if there is not one weight per component.
    """

    weights: Float[Array, " components"]
    means: Float[Array, "components dim"]
    sd: Float[Array, "components dim"]

    def __init__(self, weights: ArrayLike | list, means: ArrayLike | list, sd: ArrayLike | list = 1.0):
        weights, self.means = floats(weights), floats(means)
        self.weights = weights / jnp.sum(weights)
        self.sd = jnp.broadcast_to(floats(sd), self.means.shape)
        if weights.shape != self.means.shape[:1]:
            raise ValueError(f"GaussianMixture has {weights.size} weights for {self.means.shape[0]} components.")
        if not (jnp.all(weights > 0) and jnp.all(self.sd > 0)):
            raise ValueError(f"GaussianMixture needs positive weights and sd, but they are {weights} and {sd}.")

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.means.shape[1]

    def log_density(self, x: Vector) -> Scalar:
        """Normalised log-density at one point."""
        white = (x - self.means) / self.sd
        log_norms = jnp.log(self.weights) - jnp.sum(jnp.log(self.sd), axis=1) - 0.5 * self.dim * jnp.log(2 * jnp.pi)
        return logsumexp(log_norms - 0.5 * jnp.sum(white**2, axis=1))

    def mean(self) -> Vector:
        """E[x_i]."""
        return self.weights @ self.means

    def variance(self) -> Vector:
        """Var[x_i]."""
        return self.weights @ (self.means**2 + self.sd**2) - self.mean() ** 2

    def square_variance(self) -> Vector:
        """Var[x_i^2]."""
        fourth = self.means**4 + 6 * self.means**2 * self.sd**2 + 3 * self.sd**4
        return self.weights @ fourth - (self.weights @ (self.means**2 + self.sd**2)) ** 2

    def sample(self, key: Key, shape: tuple[int, ...] = ()) -> Float[Array, "*shape dim"]:
        """Independent exact draws, shape (*shape, dim)."""
        key_component, key_noise = jr.split(key)
        component = jr.categorical(key_component, jnp.log(self.weights), shape=shape)
        noise = jr.normal(key_noise, (*shape, self.dim), self.means.dtype)
        return self.means[component] + self.sd[component] * noise
