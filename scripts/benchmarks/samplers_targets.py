"""What the samplers are tried on: densities with known moments, and posteriors with reference runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flowjax.bijections import Permute
from samplers_fields import poisson_field
from samplers_grid import FOLDER
from samplers_posteriors import (
    CoxProcess,
    EightSchools,
    EightSchoolsCentred,
    ItemResponse,
    LogisticRegression,
    StochasticVolatility,
)
from samplers_two_point import two_point
from scipy.stats import ortho_group

from cosmoflow.config import build_posterior, load
from cosmoflow.targets import (
    AbstractTarget,
    Banana,
    CorrelatedGaussian,
    Funnel,
    GaussianMixture,
    Posterior,
    Pullback,
)

DEMO = Path(__file__).parents[1] / "configs" / "demo.toml"
BUDGET = 200_000
"""Gradients of all chains together, after the warm-up."""

LARGEST_COVARIANCE = 256


@dataclass(frozen=True)
class Truth:
    """Moments of x_i and x_i^2, with the Monte Carlo errors of the means, and the covariance where it is small."""

    mean: np.ndarray
    sd: np.ndarray
    mcse: np.ndarray
    square_mean: np.ndarray
    square_sd: np.ndarray
    square_mcse: np.ndarray
    covariance: np.ndarray | None


@dataclass(frozen=True)
class Problem:
    """A target with what is known of it.

    Attributes:
        target: The density, in the coordinates that every sampler is given.
        truth: Its moments; None where no reference run has been made yet.
        position: From what the target's `constrain` returns back to a point.
        budget: Gradients of all chains after the warm-up.
    """

    target: AbstractTarget
    truth: Truth | None
    position: Callable[[dict[str, Any]], Any] = lambda parameters: parameters["x"]
    budget: int = BUDGET


def reference_path(name: str) -> Path:
    """Where the moments of a reference run are kept."""
    return FOLDER / "reference" / f"{name}.json"


def problem(name: str) -> Problem:
    """A target by its name."""
    made = TARGETS[name]()
    path = reference_path(name)
    if isinstance(made, Problem) or not path.exists():
        return made if isinstance(made, Problem) else _posterior(made, None)
    moments = {key: np.array(value) for key, value in json.loads(path.read_text())["moments"].items()}
    return _posterior(made, Truth(**{"covariance": None} | moments))


def _posterior(target: AbstractTarget, truth: Truth | None) -> Problem:
    budget = BUDGET if target.dim < 500 else BUDGET // 2
    if isinstance(target, Posterior):
        return Problem(target, truth, target.prior.inverse, budget)
    return Problem(target, truth, budget=budget)


def _analytic(target: Any, covariance: Any, budget: int = BUDGET) -> Problem:
    mean, variance = np.asarray(target.mean()), np.asarray(target.variance())
    none = np.zeros(target.dim)
    return Problem(
        target,
        Truth(
            mean,
            np.sqrt(variance),
            none,
            variance + mean**2,
            np.sqrt(np.asarray(target.square_variance())),
            none,
            np.asarray(covariance) if target.dim <= LARGEST_COVARIANCE else None,
        ),
        budget=budget,
    )


def two_modes() -> Problem:
    """Weights 0.3 and 0.7 at -2.5 and 2.5 on the first of ten axes, with unit covariances."""
    means = np.zeros((2, 10))
    means[:, 0] = [-2.5, 2.5]
    target = GaussianMixture([0.3, 0.7], means)
    return _analytic(target, np.diag(target.variance()))


def funnel() -> Problem:
    """Neal's funnel in ten dimensions."""
    return _analytic(Funnel(10), np.diag(Funnel(10).variance()))


def funnel_permuted() -> Problem:
    """The same with its coordinates in reverse order, so that z comes last."""
    plain, order = funnel(), np.arange(10)[::-1]
    assert plain.truth is not None
    known = {name: value[order] for name, value in vars(plain.truth).items() if name != "covariance"}
    covariance = plain.truth.covariance[np.ix_(order, order)]
    target = Pullback(plain.target, Permute(jnp.asarray(order.copy())))
    return Problem(target, Truth(**known, covariance=covariance), lambda parameters: parameters["x"][order.copy()])


def gaussian(*, rotated: bool) -> Problem:
    """A hundred dimensions, variances log-spaced from 10^-1.5 to 10^1.5, in a random basis or along the axes."""
    basis = ortho_group.rvs(100, random_state=1) if rotated else np.eye(100)
    covariance = (basis * np.logspace(-1.5, 1.5, 100)) @ basis.T
    return _analytic(CorrelatedGaussian(np.zeros(100), covariance), covariance)


def normal(dim: int) -> Problem:
    """N(0, I)."""
    target = GaussianMixture([1.0], np.zeros((1, dim)))
    return _analytic(target, np.eye(dim), BUDGET if dim < 500 else BUDGET // 2)


TARGETS: dict[str, Callable[[], Problem | AbstractTarget]] = {
    "banana": lambda: _analytic(Banana(), np.diag(Banana().variance())),
    "two_modes": two_modes,
    "funnel": funnel,
    "funnel_permuted": funnel_permuted,
    "gaussian_rotated": lambda: gaussian(rotated=True),
    "gaussian_aligned": lambda: gaussian(rotated=False),
    "normal_10": lambda: normal(10),
    "normal_100": lambda: normal(100),
    "normal_1000": lambda: normal(1000),
    "field_16": lambda: poisson_field(16)[0],
    "field_32": lambda: poisson_field(32)[0],
    "eight_schools": EightSchools,
    "eight_schools_centred": EightSchoolsCentred,
    "logistic": LogisticRegression,
    "stochastic_volatility": StochasticVolatility,
    "item_response": ItemResponse,
    "cox_process": CoxProcess,
    "demo": lambda: build_posterior(load(DEMO)),
    "two_point": two_point,
}
