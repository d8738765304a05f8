"""The samplers of this package: behind its warm-up, or as they come for the duels of exact processes."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
from flowjax.bijections import AbstractBijection, Identity
from samplers_clock import Clock
from samplers_grid import COORDINATES, OURS
from samplers_outcome import CHAINS, Counts, Outcome, Sampler, joined, spend
from samplers_targets import Problem

import cosmoflow as cf
from cosmoflow.targets import AbstractTarget, Pullback
from cosmoflow.warmup import Affine

CLASSES = {
    "zig_zag": "ZigZag",
    "bouncy_particle": "BouncyParticle",
    "forward_event_chain": "ForwardEventChain",
    "boomerang": "Boomerang",
    "coordinate_sampler": "CoordinateSampler",
    "hybrid_splitting": "HybridSplitting",
    "langevin": "Langevin",
    "mclmc": "MCLMC",
    "adjusted_mclmc": "AdjustedMCLMC",
    "malt": "MALT",
    "ghmc": "GHMC",
    "nuts": "NUTS",
}
CAPACITY = 1000
FIRST_DRAWS = 25
BURN_IN = 0.1
"""Share of the budget that processes without a warm-up spend on the way from their starting points."""


DUEL_REFRESHMENT = 0.1
"""The refreshment rate of pdmp-jax, so that both packages simulate the same process."""


class MissingSampler(LookupError):
    """A sampler that this version of the package does not have."""


def constructed(name: str) -> Any:
    """A sampler with its default settings, or "auto"."""
    if name == "auto":
        return name
    if not hasattr(cf.samplers, CLASSES[name]):
        raise MissingSampler(f"cosmoflow.samplers has no {CLASSES[name]}.")
    return getattr(cf.samplers, CLASSES[name])()


def whitening(problem: Problem) -> AbstractBijection:
    """The affine map with the target's exact mean and covariance, the same for all who are given it."""
    if problem.truth is None or problem.truth.covariance is None:
        raise ValueError("White coordinates need the target's covariance; make its reference run first.")
    return Affine(jnp.asarray(problem.truth.mean), jnp.asarray(np.linalg.cholesky(problem.truth.covariance)))


@eqx.filter_jit
def _init(target: AbstractTarget, sampler: Any, positions: jax.Array, key: jax.Array) -> Any:
    target = paramax.unwrap(target)
    return jax.vmap(lambda x, k: sampler.init(target, x, key=k))(positions, jr.split(key, len(positions)))


@eqx.filter_jit
def _chunk(target: AbstractTarget, sampler: Any, states: Any, num_draws: jax.Array) -> tuple[Any, jax.Array, Any]:
    states, draws, infos = sampler.run_chunk(paramax.unwrap(target), states, num_draws, capacity=CAPACITY)
    return states, draws.position, infos


@eqx.filter_jit
def _back(target: AbstractTarget, position: Callable[[Any], jax.Array], draws: jax.Array) -> jax.Array:
    return jax.lax.map(jax.vmap(lambda z: position(paramax.unwrap(target).constrain(z))), draws)


def _advance(target: AbstractTarget, sampler: Any, budget: float) -> Callable[..., tuple[Any, jax.Array, Counts]]:
    """As many draws as the last ones say that the rest of the budget will pay for, but at most a chunk."""
    cost_per_draw: list[float] = []

    def advance(states: Any, left: float) -> tuple[Any, jax.Array, Counts]:
        number = int(min(max(left * budget / cost_per_draw[-1], 1), CAPACITY)) if cost_per_draw else FIRST_DRAWS
        states, draws, infos = _chunk(target, sampler, states, jnp.asarray(number))
        names = ("num_gradients", "num_densities", "num_directional_derivatives")
        counts = Counts(
            *(float(np.sum(getattr(infos, name))) if getattr(infos, name, None) is not None else 0.0 for name in names)
        )
        cost_per_draw.append(counts.cost / number)
        return states, draws[:, :number], counts

    return advance


def _finish(problem: Problem, target: AbstractTarget, pieces: list[jax.Array]) -> np.ndarray:
    return np.asarray(_back(target, problem.position, jnp.asarray(joined(pieces))))


def _warmed(problem: Problem, sampler: Any) -> Sampler:
    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_warmup, key_init = jr.split(key)
        with tempfile.TemporaryDirectory() as folder, cf.ChainStore(Path(folder) / "run.h5") as store:
            with Clock() as warming:
                target, tuned, start = cf.warmup(
                    problem.target,
                    sampler,
                    num_chains=CHAINS,
                    key=key_warmup,
                    position=jnp.asarray(positions[:CHAINS]),
                    store=store,
                )
                states = jax.block_until_ready(_init(target, tuned, start, key_init))
            stage = store.load_stage("warmup")
            assert stage is not None
            warmup = Counts(gradients=float(stage[1]["num_gradients"]))
        _, pieces, counts, clock = spend(problem.budget, _advance(target, tuned, problem.budget), states)
        return Outcome(_finish(problem, target, pieces), warmup, counts, warming, clock, _described(tuned))

    return run


def _plain(problem: Problem, sampler: Any, coordinates: AbstractBijection) -> Sampler:
    target = Pullback(problem.target, coordinates)

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        start = jax.vmap(coordinates.inverse)(jnp.asarray(positions[:CHAINS]))
        states = _init(target, sampler, start, key)
        burn_in = BURN_IN * problem.budget
        states, _, warmup, warming = spend(burn_in, _advance(target, sampler, burn_in), states)
        _, pieces, counts, clock = spend(problem.budget, _advance(target, sampler, problem.budget), states)
        draws = np.asarray(jax.lax.map(jax.vmap(coordinates.transform), jnp.asarray(joined(pieces))))
        return Outcome(draws, warmup, counts, warming, clock, _described(sampler))

    return run


def _described(sampler: Any) -> dict[str, Any]:
    fields = {name: float(getattr(sampler, name)) for name in sampler.tunable}
    return {"kind": type(sampler).__name__} | fields


def sampler(name: str, problem: Problem) -> Sampler:
    """One of ours by its name in the grid."""
    if name in OURS:
        return _warmed(problem, constructed(name))
    process, coordinates = name.rsplit("_", 1)
    if coordinates not in COORDINATES:
        raise ValueError(f"There is no sampler {name!r}.")
    plain = Identity((problem.target.dim,))
    exact = constructed(process)
    if exact.refreshment_rate > 0:
        exact = eqx.tree_at(lambda s: s.refreshment_rate, exact, jnp.asarray(DUEL_REFRESHMENT))
    return _plain(problem, exact, plain if coordinates == "plain" else whitening(problem))
