"""Posteriors of statistical models like those of inference-gym, on published data or on data made from a fixed seed."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from cosmoflow.targets import AbstractTarget

EFFECTS = (28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0)
ERRORS = (15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0)
"""Effects of coaching in eight schools and their standard errors (Rubin 1981, J. Educational Statistics 6, 377)."""


class AbstractModel(AbstractTarget):
    """A posterior on unconstrained parameters, which are also what it reports."""

    @abstractmethod
    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""

    def constrain(self, x: Float[Array, " dim"]) -> dict[str, Array]:
        """The point itself."""
        return {"x": x}


def _school_priors(mean: Array, log_scale: Array) -> Array:
    """mean ~ N(0, 5^2) and scale ~ half-Cauchy(5), in its logarithm."""
    return -0.5 * (mean / 5) ** 2 - jnp.log1p(jnp.exp(2 * log_scale) / 25) + log_scale


class EightSchools(AbstractModel):
    """Eight schools, not centred: (mean, log scale, standardised effects)."""

    dim: int = eqx.field(default=10, static=True)

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""
        effects = x[0] + jnp.exp(x[1]) * x[2:]
        residual = (jnp.asarray(EFFECTS) - effects) / jnp.asarray(ERRORS)
        return _school_priors(x[0], x[1]) - 0.5 * (x[2:] @ x[2:]) - 0.5 * (residual @ residual)


class EightSchoolsCentred(AbstractModel):
    """Eight schools, centred: (mean, log scale, effects)."""

    dim: int = eqx.field(default=10, static=True)

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""
        white = (x[2:] - x[0]) * jnp.exp(-x[1])
        residual = (jnp.asarray(EFFECTS) - x[2:]) / jnp.asarray(ERRORS)
        return _school_priors(x[0], x[1]) - 8 * x[1] - 0.5 * (white @ white) - 0.5 * (residual @ residual)


class LogisticRegression(AbstractModel):
    """Logistic regression with N(0, 1) coefficients: an intercept, 24 correlated features, 1000 outcomes."""

    features: Float[Array, "row dim"]
    outcomes: Float[Array, " row"]

    def __init__(self):
        rng = np.random.default_rng(1)
        mixing = np.eye(24) + 0.3 * rng.standard_normal((24, 24))
        features = rng.standard_normal((1000, 24)) @ mixing
        features = np.column_stack([np.ones(1000), features / features.std(axis=0)])
        odds = features @ (0.5 * rng.standard_normal(25))
        self.features = jnp.asarray(features)
        self.outcomes = jnp.asarray(rng.uniform(size=1000) < 1 / (1 + np.exp(-odds)), float)

    @property
    def dim(self) -> int:
        """Number of coefficients."""
        return self.features.shape[1]

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""
        odds = self.features @ x
        return self.outcomes @ odds - jnp.sum(jax.nn.softplus(odds)) - 0.5 * (x @ x)


class StochasticVolatility(AbstractModel):
    """Returns y_t ~ N(0, e^h_t) whose log-variances are autoregressive, not centred, over a hundred days.

    h = mean + scale sum_s phi^(t-s) z_s, the first z divided by sqrt(1 - phi^2); mean ~ Student-t_1(5),
    scale ~ half-Cauchy(2), (phi + 1)/2 ~ Beta(20, 1.5). The point is (mean, log scale, artanh phi, z).
    """

    returns: Float[Array, " day"]

    def __init__(self):
        rng = np.random.default_rng(2)
        volatility = np.zeros(100)
        volatility[0] = 0.25 / np.sqrt(1 - 0.95**2) * rng.standard_normal()
        for day in range(1, 100):
            volatility[day] = 0.95 * volatility[day - 1] + 0.25 * rng.standard_normal()
        self.returns = jnp.asarray(np.exp(0.5 * (volatility - 1)) * rng.standard_normal(100))

    @property
    def dim(self) -> int:
        """Three parameters and an innovation a day."""
        return 3 + self.returns.size

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""
        mean, scale, phi, z = x[0], jnp.exp(x[1]), jnp.tanh(x[2]), x[3:]
        stationary = z.at[0].divide(jnp.sqrt(1 - phi**2))
        _, correlated = jax.lax.associative_scan(_after, (jnp.full_like(z, phi), stationary))
        h = mean + scale * correlated
        priors = -jnp.log1p((mean / 5) ** 2) - jnp.log1p((scale / 2) ** 2) + x[1]
        # the density of phi, and the derivative of tanh, which is (1 + phi)(1 - phi)
        priors += 20 * jnp.log1p(phi) + 1.5 * jnp.log1p(-phi)
        return priors - 0.5 * (z @ z) - 0.5 * jnp.sum(h + self.returns**2 * jnp.exp(-h))


def _after(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """Two linear maps x -> a x + b, one after the other."""
    return first[0] * second[0], first[1] * second[0] + second[1]


class ItemResponse(AbstractModel):
    """One-parameter item response: a hundred students, twenty items, N(0, 1) abilities and difficulties.

    The mean ability ~ N(0.75, 1) comes first; the answer to an item is right with log-odds ability - difficulty.
    """

    right: Float[Array, "student item"]

    def __init__(self):
        rng = np.random.default_rng(3)
        odds = 0.75 + rng.standard_normal((100, 1)) - rng.standard_normal(20)
        self.right = jnp.asarray(rng.uniform(size=odds.shape) < 1 / (1 + np.exp(-odds)), float)

    @property
    def dim(self) -> int:
        """The mean, every student and every item."""
        return 1 + sum(self.right.shape)

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""
        students = self.right.shape[0]
        odds = x[0] + x[1 : 1 + students, None] - x[1 + students :]
        priors = -0.5 * (x[0] - 0.75) ** 2 - 0.5 * (x[1:] @ x[1:])
        return priors + jnp.sum(self.right * odds - jax.nn.softplus(odds))


class CoxProcess(AbstractModel):
    """A log-Gaussian Cox process on 64 cells of a line whose amplitude and correlation length are inferred too.

    The point is (log amplitude, log length, white noise); amplitude ~ LogNormal(0, 0.5), length ~ LogNormal(log 0.1,
    0.5) in units of the line, exponential correlation. The counts have the mean 4 e^f.
    """

    counts: Float[Array, " cell"]

    def __init__(self):
        rng = np.random.default_rng(4)
        self.counts = jnp.zeros(64)
        intensity = self._log_intensity(jnp.asarray([0.0, np.log(0.15), *rng.standard_normal(64)]))
        self.counts = jnp.asarray(rng.poisson(4 * np.exp(np.asarray(intensity))), float)

    @property
    def dim(self) -> int:
        """Two parameters and the cells."""
        return 2 + self.counts.size

    def _log_intensity(self, x: Array) -> Array:
        cells = jnp.arange(self.counts.size)
        lags = cells[:, None] - cells
        decay = jnp.exp(-x[1]) / self.counts.size
        innovations = x[2:].at[1:].multiply(jnp.sqrt(-jnp.expm1(-2 * decay)))
        return jnp.exp(x[0]) * (jnp.where(lags >= 0, jnp.exp(-lags * decay), 0.0) @ innovations)

    def log_density(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """Unnormalised log-density at one point."""
        f = self._log_intensity(x)
        priors = -2 * x[0] ** 2 - 2 * (x[1] - jnp.log(0.1)) ** 2 - 0.5 * (x[2:] @ x[2:])
        return priors + jnp.sum(self.counts * f - 4 * jnp.exp(f))
