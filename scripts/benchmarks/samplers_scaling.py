"""Gradients per effective sample against the dimension, on N(0, I) and on a log-normal field seen through counts.

python scripts/benchmarks/samplers_scaling.py [--only TARGET SAMPLER] adds the points that are not there yet to
docs/benchmarks/samplers/scaling/scaling.json, then draws docs/images/samplers_scaling.png. Chains start from exact
draws: on the field these are the white noise that the data were made from.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

jax.config.update("jax_enable_x64", True)

from cells import circumstances  # noqa: E402
from samplers_cell import PACKAGES  # noqa: E402
from samplers_clock import Clock  # noqa: E402
from samplers_fields import poisson_field  # noqa: E402
from samplers_grid import FOLDER  # noqa: E402
from samplers_metrics import effective_size  # noqa: E402
from samplers_ours import MissingSampler, constructed  # noqa: E402
from samplers_outcome import Counts  # noqa: E402
from samplers_scaling_figure import THEORY, figure, slope  # noqa: E402

from cosmoflow.targets import AbstractTarget, GaussianMixture  # noqa: E402

PATH = FOLDER / "scaling" / "scaling.json"
FIGURE = Path(__file__).parents[2] / "docs" / "images" / "samplers_scaling.png"
TARGETS = {"normal": (10, 32, 100, 316, 1000, 3162, 10_000, 31_623, 100_000), "field": (4, 6, 10, 18, 32, 56, 100, 178)}
"""Dimensions, and sides of square grids."""

CHAINS = 2
CAPACITY = 25
TUNING_WINDOWS = 20
POINT_SECONDS = 60.0
ENOUGH = 400.0
"""Effective samples after which a point is done."""

TOO_FEW = 20.0
FOLLOWED = 8
"""Coordinates whose draws are kept, with their squares, beside the energy."""


def target_of(name: str, size: int) -> tuple[AbstractTarget, np.ndarray]:
    """A target and exact draws, shape (chain, dim)."""
    if name == "field":
        target, truth = poisson_field(size)
        return target, np.stack([truth] * CHAINS)
    target = GaussianMixture([1.0], np.zeros((1, size)))
    return target, np.random.default_rng(size).standard_normal((CHAINS, size))


@eqx.filter_jit
def _init(target: AbstractTarget, sampler: Any, positions: jax.Array, key: jax.Array) -> Any:
    return jax.vmap(lambda x, k: sampler.init(target, x, key=k))(positions, jr.split(key, len(positions)))


@eqx.filter_jit
def _chunk(target: AbstractTarget, sampler: Any, states: Any, num_draws: jax.Array) -> Any:
    return sampler.run_chunk(target, states, num_draws, capacity=CAPACITY)


def _counts(infos: Any) -> Counts:
    names = ("num_gradients", "num_densities", "num_directional_derivatives")
    return Counts(*(float(np.sum(getattr(infos, name))) if hasattr(infos, name) else 0.0 for name in names))


def _tuned(target: AbstractTarget, sampler: Any, states: Any, positions: jax.Array, clock: Clock) -> tuple[Any, Any]:
    """Stochastic approximation over windows of draws, as in a warm-up, in the coordinates as they are."""
    for window in range(TUNING_WINDOWS if sampler.tunable else 0):
        if clock.running() > POINT_SECONDS / 2:
            break
        states, draws, infos = _chunk(target, sampler, states, jnp.asarray(CAPACITY))
        stats = {name: np.asarray(value) for name, value in vars(infos).items()} | {"lp": np.asarray(draws.log_density)}
        sampler = sampler.retuned(np.asarray(draws.position), stats, 2.0 / (1 + window) ** 0.6)
    return sampler, states


def point(name: str, size: int, kind: str) -> dict[str, Any]:
    """The cost per effective sample of the worst of the followed functionals, at one dimension."""
    target, positions = target_of(name, size)
    sampler = constructed(kind)
    followed = np.linspace(0, target.dim - 1, FOLLOWED).astype(int)
    pieces: list[np.ndarray] = []
    counts, size_now = Counts(), 0.0
    with Clock() as clock:
        states = _init(target, sampler, jnp.asarray(positions), jr.key(1))
        sampler, states = _tuned(target, sampler, states, jnp.asarray(positions), clock)
        while size_now < ENOUGH and clock.running() < POINT_SECONDS:
            states, draws, infos = _chunk(target, sampler, states, jnp.asarray(CAPACITY))
            x = np.asarray(draws.position)[..., followed]
            pieces.append(np.concatenate([x, x**2, np.asarray(draws.log_density)[..., None]], axis=2))
            counts = counts.plus(_counts(infos))
            if len(pieces) % 8 == 0 or clock.running() > POINT_SECONDS:
                values = np.concatenate(pieces, axis=1)
                size_now = min(effective_size(values[..., i]) for i in range(values.shape[2]))
    return {
        "dim": target.dim,
        "draws": CAPACITY * len(pieces),
        "ess": size_now,
        "cost": counts.cost,
        "cost_per_ess": counts.cost / size_now if size_now > 0 else None,
        "seconds": clock.wall,
        **{field: float(getattr(sampler, field)) for field in sampler.tunable},
    }


def main() -> None:
    """Add what is missing, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs=2, metavar=("TARGET", "SAMPLER"))
    only = parser.parse_args().only
    record = json.loads(PATH.read_text()) if PATH.exists() else {"points": {}}
    for name, sizes in TARGETS.items():
        for kind in THEORY:
            if only is not None and only != [name, kind]:
                continue
            points = record["points"].setdefault(name, {}).setdefault(kind, {})
            for size in sizes:
                if any(found["ess"] < TOO_FEW for found in points.values()):
                    break  # beyond this dimension a minute does not suffice
                if str(size) in points:
                    continue
                try:
                    points[str(size)] = point(name, size, kind)
                except MissingSampler as error:
                    print(f"{kind}: left out, {error}", file=sys.stderr)
                    break
                record |= circumstances(PACKAGES)
                PATH.parent.mkdir(parents=True, exist_ok=True)
                PATH.write_text(json.dumps(record, indent=1) + "\n")
                print(name, kind, points[str(size)], flush=True)
    fits = {name: {kind: slope(points) for kind, points in kinds.items()} for name, kinds in record["points"].items()}
    PATH.write_text(json.dumps(record | {"slopes": fits}, indent=1) + "\n")
    figure(record["points"], FIGURE)


if __name__ == "__main__":
    main()
