"""What draws are worth: effective sizes, agreement of the chains, errors of moments."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from arviz_stats.base import array_stats
from samplers_outcome import Outcome
from samplers_targets import Problem

RHAT_DRAWS = 1000
"""Draws per chain among which ranks are compared."""


def effective_size(values: np.ndarray) -> float:
    """Of the mean of draws of shape (chain, draw); none where a chain does not move."""
    if values.shape[1] < 8 or not np.all(np.isfinite(values)) or np.any(np.ptp(values, axis=1) == 0):
        return 0.0
    size = float(array_stats.ess(values, method="mean"))
    return size if np.isfinite(size) else 0.0


def rhat(values: np.ndarray) -> float:
    """Rank-normalised split R-hat of thinned draws; infinite where a chain does not move."""
    thinned = values[:, :: max(1, values.shape[1] // RHAT_DRAWS)]
    if thinned.shape[1] < 8 or not np.all(np.isfinite(thinned)) or np.any(np.ptp(thinned, axis=1) == 0):
        return float("inf")
    return float(array_stats.rhat(thinned, method="rank"))


@eqx.filter_jit
def _energies(target: Any, draws: jax.Array) -> jax.Array:
    return jax.lax.map(jax.vmap(lambda x: -target.log_density(x)), draws)


def metrics(problem: Problem, outcome: Outcome) -> dict[str, Any]:
    """All numbers of a cell; effective sizes of every coordinate, its square and the energy."""
    draws = outcome.draws
    names = [f"{kind}_{i}" for kind in ("x", "x2") for i in range(draws.shape[2])]
    values = [*np.moveaxis(draws, 2, 0), *np.moveaxis(draws**2, 2, 0)]
    sizes = [effective_size(value) for value in values]
    rhats = [rhat(value) for value in values]
    energies = np.asarray(_energies(problem.target, jnp.asarray(draws)))
    names, sizes, rhats = [*names, "energy"], [*sizes, effective_size(energies)], [*rhats, rhat(energies)]
    worst = int(np.argmin(sizes))
    ess, costs = sizes[worst], (outcome.sampling.cost, outcome.sampling.cost + outcome.warmup.cost)
    warm, run = outcome.warmup_clock, outcome.sampling_clock
    seconds = {"wall": (run.wall, run.wall + warm.wall), "cpu": (run.cpu, run.cpu + warm.cpu)}
    return {
        "chains": draws.shape[0],
        "draws": draws.shape[1],
        "cost": {"sampling": costs[0], "warmup": outcome.warmup.cost},
        "counts": {"sampling": outcome.sampling._asdict(), "warmup": outcome.warmup._asdict()},
        "seconds": {"sampling": _seconds(run), "warmup": _seconds(warm), "compiling": run.compiling + warm.compiling},
        "ess": ess,
        "ess_median": float(np.median(sizes)),
        "worst": names[worst],
        "per_1000": {"sampling": 1000 * ess / costs[0], "total": 1000 * ess / costs[1]},
        **{
            f"per_{kind}_second": {"sampling": ess / alone, "total": ess / together}
            for kind, (alone, together) in seconds.items()
        },
        "rhat": max(rhats),
        **_errors(problem, values, sizes),
        "notes": outcome.notes,
    }


def _seconds(clock: Any) -> dict[str, float]:
    return {"wall": clock.wall, "cpu": clock.cpu}


def _errors(problem: Problem, values: list[np.ndarray], sizes: list[float]) -> dict[str, float]:
    """The largest error of a first or second moment, in its Monte Carlo errors and in standard deviations."""
    truth = problem.truth
    if truth is None:
        return {}
    exact = np.concatenate([truth.mean, truth.square_mean])
    sd = np.concatenate([truth.sd, truth.square_sd])
    uncertainty = np.concatenate([truth.mcse, truth.square_mcse])
    difference = np.array([np.mean(value) for value in values]) - exact
    deviation = np.array([np.std(value) for value in values])
    mcse = np.sqrt(deviation**2 / np.maximum(sizes[: len(values)], 1e-9) + uncertainty**2)
    return {
        "error_mcse": float(np.max(np.abs(difference) / mcse)),
        "error_sd": float(np.max(np.abs(difference) / sd)),
    }
