"""How far draws of a generative model are from the data, and what they cost."""

import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flows_metrics import sliced_wasserstein
from flows_targets import Problem
from generative_costs import operations
from generative_fields import differences
from generative_models import Point, network
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

NUM_OF_MMD, NUM_OF_W2 = 2000, 1000
"""Points, at most, of what looks at all pairs: MMD and coverage, and the exact distance."""
NEIGHBOURS = 5
BANDWIDTHS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Of the kernel exp(-|x - y|^2 / 2 h^2), a sum over h in units of the root of the number of coordinates."""


def metrics(
    what: Problem, model: Any, point: Point, mean: np.ndarray, scale: float, reference: np.ndarray, key: jax.Array
) -> dict[str, float]:
    """Distances of draws made in one way, scaled back to those of the target, and the costs of a draw."""
    arrays, static = eqx.partition(model, eqx.is_array)
    keys = jr.split(key, len(reference))
    many = jax.jit(lambda arrays, keys: jax.vmap(lambda k: point.draw(eqx.combine(arrays, static), k))(keys))
    compiled = many.lower(arrays, keys).compile()
    began = time.process_time()
    draws = mean + scale * np.asarray(compiled(arrays, keys), np.float64)
    seconds = time.process_time() - began
    unit = operations(network(what, key), jnp.zeros(what.dim), jnp.zeros(()))
    return {
        "seconds_of_draws": seconds,
        "forward_equivalents": operations(lambda k: point.draw(model, k), key) / unit,
        **distances(what, draws, reference),
    }


def distances(what: Problem, draws: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Between draws and draws of the target; whatever is not finite is infinitely far."""
    if not np.all(np.isfinite(draws)):
        return dict.fromkeys(INFINITELY_FAR, np.inf) | {"coverage": 0.0}
    rng = np.random.default_rng(0)
    result = {
        "sliced_wasserstein": sliced_wasserstein(draws, reference, rng),
        "mmd": float(np.sqrt(max(squared_mmd(draws[:NUM_OF_MMD], reference[:NUM_OF_MMD]), 0))),
        "wasserstein": wasserstein(draws[:NUM_OF_W2], reference[:NUM_OF_W2]),
        "coverage": coverage(draws[:NUM_OF_MMD], reference[:NUM_OF_MMD]),
    }
    if what.mode_of is not None and what.weights is not None:
        modes = what.mode_of(draws)
        found = np.stack([(modes == mode).mean(axis=0) for mode in range(len(what.weights))])
        result["mode_distance"] = float(np.mean(0.5 * np.abs(found - what.weights[:, None]).sum(axis=0)))
    if what.grid is not None:
        result |= differences(draws, reference, what.grid)
    return result


INFINITELY_FAR = ("sliced_wasserstein", "mmd", "wasserstein", "mode_distance", "power", "one_point", "peaks")


def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13, 723)."""

    def mean_kernel(a: np.ndarray, b: np.ndarray) -> float:
        square = (cdist(a, b, "sqeuclidean") / a.shape[1]).astype(np.float32)
        return float(np.mean([np.exp(-0.5 / h**2 * square).mean(dtype=float) for h in BANDWIDTHS]))

    n = len(x)
    within = sum((n * mean_kernel(a, a) - 1) / (n - 1) for a in (x, y))
    return within - 2 * mean_kernel(x, y)


def wasserstein(x: np.ndarray, y: np.ndarray) -> float:
    """The exact 2-Wasserstein distance of two sets of as many points."""
    costs = cdist(x, y, "sqeuclidean")
    return float(np.sqrt(costs[linear_sum_assignment(costs)].mean()))


def coverage(draws: np.ndarray, reference: np.ndarray) -> float:
    """Share of draws of the target that have a draw nearer than their fifth nearest neighbour among themselves.

    Of as many independent draws of the same law, 1 - 2^-5 = 0.969 (Naeem et al. 2020, arXiv:2002.09797).
    """
    radius = np.partition(cdist(reference, reference), NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    return float(np.mean(cdist(reference, draws).min(axis=1) <= radius))
