"""The exact processes of pdmp-jax, at its settings but for the nodes of the bound.

Its loops count what is evaluated: a bound takes a gradient and a derivative of it at every node, a candidate one
gradient, a jump another. Bounds are made at the start of each piece, whether it ends at an event or at the horizon, and
once more after each violation; candidates are events, rejections and violations.
"""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from samplers_clock import Clock
from samplers_ours import BURN_IN, whitening
from samplers_outcome import CHAINS, Counts, Outcome, Sampler, spend
from samplers_targets import Problem

from cosmoflow.targets import Pullback

CLASSES = {
    "zig_zag": "ZigZag",
    "bouncy_particle": "BouncyParticle",
    "forward_event_chain": "ForwardEventChain",
    "boomerang": "Boomerang",
}
CHUNK = 100
"""Events per chain and call."""

DRAWS_PER_EVENT = 4.0
MAX_DRAWS = 20_000
"""Per chain; reading a trajectory costs no gradients."""


def _package() -> Any:
    """The package, without its progress bars and plots where their libraries are missing."""
    for name, attribute in (("jax_tqdm", "scan_tqdm"), ("seaborn", "histplot")):
        if find_spec(name) is None:
            module = sys.modules.setdefault(name, ModuleType(name))
            setattr(module, attribute, None)
    import pdmp_jax
    from pdmp_jax import sampling_loop

    return pdmp_jax, sampling_loop


def process(name: str, problem: Problem) -> Sampler:
    """A process by its name in the grid: kind, coordinates, nodes."""
    kind, coordinates, nodes = name.rsplit("_", 2)
    pdmp_jax, loop = _package()
    target = problem.target if coordinates == "plain" else Pullback(problem.target, whitening(problem))
    grid = int(nodes)
    process = getattr(pdmp_jax, CLASSES[kind])(target.dim, jax.grad(lambda x: -target.log_density(x)), grid_size=grid)

    def start(position: jax.Array, velocity: jax.Array, seed: jax.Array) -> Any:
        state = process.init_state(position, velocity, seed)
        return jax.tree.map(jnp.asarray, state)

    @jax.jit
    def chunk(states: Any) -> Any:
        def step(state: Any, _: Any) -> Any:
            state = loop.one_step(state)
            counts = jnp.stack([state.hitting_horizon, state.rejected, state.error_bound])
            return state, (state.x, state.v, state.t, counts)

        return jax.lax.map(lambda state: jax.lax.scan(step, state, None, length=CHUNK), states)

    def advance(states: Any, left: float) -> Any:
        states, (x, v, t, counts) = chunk(states)
        hits, rejections, violations = np.sum(np.asarray(counts), axis=(0, 1))
        events = CHUNK * CHAINS
        gradients = 2 * grid * (events + hits + violations) + (events + rejections + violations) + events
        seen.append((int(violations), float(gradients)))
        return states, jnp.concatenate([x, v, t[..., None]], axis=2), Counts(float(gradients))

    @jax.jit
    def read(x: jax.Array, v: jax.Array, t: jax.Array, times: jax.Array) -> jax.Array:
        def one(x: jax.Array, v: jax.Array, t: jax.Array, times: jax.Array) -> jax.Array:
            before = jnp.searchsorted(t, times) - 1
            return jax.vmap(process.integrator)(x[before], v[before], times - t[before])[0]

        return jax.lax.map(lambda arrays: one(*arrays), (x, v, t, times))

    seen: list[tuple[int, float]] = []

    def run(key: jax.Array, positions: np.ndarray) -> Outcome:
        key_velocity, key_seed = jr.split(key)
        x = jnp.asarray(positions[:CHAINS])
        if isinstance(target, Pullback):
            x = jax.vmap(target.bijection.inverse)(x)
        v = _velocities(kind, key_velocity, x.shape)
        states = jax.vmap(start)(x, v, jr.randint(key_seed, (CHAINS,), 0, 2**31 - 1))
        states, _, warmup, warming = spend(BURN_IN * problem.budget, advance, states)
        seen.clear()
        _, pieces, counts, clock = spend(problem.budget, advance, states)
        whole = jnp.concatenate(pieces, axis=1)
        events = whole.shape[1]
        x, v, t = jnp.split(whole, [target.dim, 2 * target.dim], axis=2)
        t = t[..., 0]
        number = int(min(DRAWS_PER_EVENT * events, MAX_DRAWS))
        times = t[:, :1] + (t[:, -1:] - t[:, :1]) * jnp.arange(1, number + 1) / number
        with Clock() as reading:
            draws = jax.block_until_ready(read(x, v, t, times))
        clock.wall, clock.cpu = clock.wall + reading.wall, clock.cpu + reading.cpu
        if isinstance(target, Pullback):
            draws = jax.lax.map(jax.vmap(target.bijection.transform), draws)
        notes = {
            "events": events * CHAINS,
            "violations": sum(violations for violations, _ in seen),
            "gradients_per_event": counts.gradients / (events * CHAINS),
        }
        return Outcome(np.asarray(draws), warmup, counts, warming, clock, notes)

    return run


def _velocities(kind: str, key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """From the invariant law of each process."""
    if kind == "zig_zag":
        return jr.rademacher(key, shape, float)
    v = jr.normal(key, shape)
    return v / jnp.linalg.norm(v, axis=1, keepdims=True) if kind == "forward_event_chain" else v
