"""How many independent draws a chain is worth, and whether its chains agree."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped


@dataclass(frozen=True)
class Convergence:
    """Convergence of one scalar.

    Attributes:
        ess_bulk: effective number of draws for the centre of the distribution.
        ess_tail: effective number of draws for its 5 % and 95 % quantiles.
        ess_mean: effective number of draws for the mean.
        ess_sd: effective number of draws for the standard deviation.
        rhat: rank-normalised split R-hat; infinite where it cannot be computed, which is a failure.
        mcse_mean: Monte Carlo standard error of the mean, in units of the scalar.
        mcse_sd: Monte Carlo standard error of the standard deviation, in units of the scalar.
    """

    ess_bulk: float
    ess_tail: float
    ess_mean: float
    ess_sd: float
    rhat: float
    mcse_mean: float
    mcse_sd: float


_FAILED = Convergence(
    ess_bulk=0.0, ess_tail=0.0, ess_mean=0.0, ess_sd=0.0, rhat=math.inf, mcse_mean=math.inf, mcse_sd=math.inf
)


def convergence(draws: Shaped[np.ndarray, "chain draw"]) -> Convergence:
    """Effective sample sizes, R-hat and Monte Carlo errors of one scalar, by ArviZ.

    A single chain is compared with itself, first half against second. Chains of fewer than eight draws, with
    non-finite draws, or of which one never moved, have no effective draws and an infinite R-hat.

    Args:
        draws: one scalar of every chain.

    References:
        Vehtari et al. 2021, arXiv:1903.08008.
    """
    draws = draws.astype(float)
    if draws.shape[1] < 8 or not np.all(np.isfinite(draws)) or np.any(np.ptp(draws, axis=1) == 0):
        return _FAILED
    if draws.shape[0] == 1:
        draws = draws[0, draws.shape[1] % 2 :].reshape(2, -1)
        if np.any(np.ptp(draws, axis=1) == 0):
            return _FAILED

    from arviz_stats.base import array_stats  # a second of import

    return Convergence(
        **{f"ess_{method}": _finite(array_stats.ess(draws, method=method), 0.0) for method in ("bulk", "mean", "sd")},
        ess_tail=_finite(array_stats.ess(draws, method="tail", prob=(0.05, 0.95)), 0.0),
        rhat=_finite(array_stats.rhat(draws, method="rank"), math.inf),
        mcse_mean=_finite(array_stats.mcse(draws, method="mean"), math.inf),
        mcse_sd=_finite(array_stats.mcse(draws, method="sd"), math.inf),
    )


def nested_rhat(draws: Shaped[np.ndarray, "chain draw"], num_superchains: int) -> float:
    """Nested R-hat of one scalar, for many chains that are too short to be judged one by one.

    The chains of a superchain start from one point. With B the variance of the superchains' means and W the mean of
    the variances within superchains (between their chains, plus within chains), it is sqrt(1 + B / W).

    Args:
        draws: one scalar of every chain; those of a superchain stand one after another.
        num_superchains: how many superchains of equal size there are.

    Returns:
        The ratio, near one where the chains have forgotten their starts; infinite where nothing moved.

    Raises:
        ValueError: there are fewer than two superchains, or they do not divide the chains evenly.

    References:
        Margossian et al. 2024, arXiv:2110.13017.
    """
    num_chains, num_draws = draws.shape
    if num_superchains < 2 or num_chains % num_superchains:
        raise ValueError(
            f"{num_chains} chains cannot be parted into num_superchains = {num_superchains}; take two or more of equal "
            "size."
        )
    chains = draws.astype(float).reshape(num_superchains, -1, num_draws)
    means = chains.mean(axis=2)
    within = chains.var(axis=2, ddof=1).mean(axis=1) if num_draws > 1 else np.zeros(num_superchains)
    within = within + (means.var(axis=1, ddof=1) if means.shape[1] > 1 else 0.0)
    between, within = means.mean(axis=1).var(ddof=1), within.mean()
    return math.sqrt(1 + between / within) if within > 0 else math.inf


def _finite(value: Any, otherwise: float) -> float:
    return float(value) if np.isfinite(value) else otherwise
