"""Moments of the targets that have no exact ones, from long runs of BlackJAX's NUTS with a dense metric.

python scripts/benchmarks/samplers_reference.py [TARGET...] writes docs/benchmarks/samplers/reference/; what is there is
not run again.
"""

import argparse
import json
import sys

import jax
import jax.random as jr
import numpy as np

jax.config.update("jax_enable_x64", True)

import samplers_outcome  # noqa: E402
from cells import circumstances  # noqa: E402
from samplers_cell import PACKAGES  # noqa: E402
from samplers_grid import TARGETS  # noqa: E402
from samplers_metrics import effective_size, rhat  # noqa: E402
from samplers_nuts import blackjax_nuts  # noqa: E402
from samplers_targets import LARGEST_COVARIANCE, Problem, problem, reference_path  # noqa: E402

GRADIENTS = 1_000_000
MAX_SECONDS = 600.0
CENTRED = "eight_schools_centred"


def draws_of(name: str) -> np.ndarray:
    """Draws of shape (chain, draw, dim)."""
    if name == CENTRED:  # its own neck is out of reach; the same posterior is easy in other coordinates
        draws = draws_of("eight_schools")
        draws[..., 2:] = draws[..., :1] + np.exp(draws[..., 1:2]) * draws[..., 2:]
        return draws
    what = problem(name)
    what = Problem(what.target, None, what.position, GRADIENTS)
    run = blackjax_nuts(what, dense=what.target.dim <= LARGEST_COVARIANCE // 2)
    positions = np.random.default_rng(1000).standard_normal((samplers_outcome.CHAINS, what.target.dim))
    return run(jr.key(1000), 0.3 * positions).draws


def moments(draws: np.ndarray) -> dict[str, list[float]]:
    """Means, standard deviations and errors of x and x^2, and the covariance where it is small."""
    found: dict[str, list[float]] = {}
    for prefix, values in (("", draws), ("square_", draws**2)):
        sizes = np.array([effective_size(values[..., i]) for i in range(draws.shape[2])])
        sd = values.std(axis=(0, 1))
        found |= {
            f"{prefix}mean": values.mean(axis=(0, 1)).tolist(),
            f"{prefix}sd": sd.tolist(),
            f"{prefix}mcse": (sd / np.sqrt(sizes)).tolist(),
        }
    if draws.shape[2] <= LARGEST_COVARIANCE // 2:
        found["covariance"] = np.cov(draws.reshape(-1, draws.shape[2]), rowvar=False).tolist()
    return found


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS])
    samplers_outcome.MAX_SECONDS = MAX_SECONDS
    for name in parser.parse_args().targets or TARGETS:
        path = reference_path(name)
        if path.exists() or problem(name).truth is not None:
            continue
        draws = draws_of(name)
        agreement = max(rhat(draws[..., i]) for i in range(draws.shape[2]))
        worst = min(effective_size(draws[..., i] ** power) for i in range(draws.shape[2]) for power in (1, 2))
        print(f"{name}: {draws.shape[1]} draws, worst ESS {worst:.0f}, R-hat {agreement:.4f}", file=sys.stderr)
        record = {"target": name, "draws": draws.shape[1], "ess": worst, "rhat": agreement, **circumstances(PACKAGES)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record | {"moments": moments(draws)}) + "\n")


if __name__ == "__main__":
    main()
