"""Small computations whose results are known, timed on the present device."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._chunk import init_states, run_chunk
from .._record import Record
from ..samplers import GHMC
from ..targets import CorrelatedGaussian

SIZE = 512
"""Rows of the matrices."""

CELLS = (64, 64, 64)
NUM_PARTICLES = 2**20
NUM_CHAINS, NUM_DRAWS, DIM, NUM_STEPS = 4, 100, 32, 10


@dataclass(frozen=True)
class Kernel:
    """What one computation took, and how far its result is off.

    Attributes:
        name: What was computed.
        compile_seconds: Tracing and compiling, without a cache [s].
        run_seconds: The shortest of some runs [s].
        error: Of the result, relative to its largest entry.
        tolerance: Above which the result is wrong.
        reproducible: Whether all runs gave the same bits.
    """

    name: str
    compile_seconds: float
    run_seconds: float
    error: float
    tolerance: float
    reproducible: bool

    @property
    def right(self) -> bool:
        """Whether the result is right."""
        return self.error <= self.tolerance


def reference_kernels() -> list[Kernel]:
    """Run them all; they need double precision to be on, and no compilation cache."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((SIZE, SIZE))
    square = matrix @ matrix
    covariance = matrix @ matrix.T / SIZE + np.eye(SIZE)
    field = rng.standard_normal(CELLS)
    cells, weights = rng.integers(0, CELLS[0] ** 3, NUM_PARTICLES), rng.random(NUM_PARTICLES)
    painted = np.bincount(cells, weights, CELLS[0] ** 3)

    def product(a):
        return a @ a

    def solve(a, b):
        return jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(a), True), b)

    def there_and_back(x):
        return jnp.fft.irfftn(jnp.fft.rfftn(x), x.shape)

    def paint(at, x):
        return jnp.zeros(CELLS[0] ** 3, x.dtype).at[at].add(x)

    single, double = np.float32, np.float64
    size = f"{SIZE} x {SIZE}"
    return [
        _timed(f"matrix product {size}, float64", product, [matrix.astype(double)], square, 1e-12),
        _timed(f"matrix product {size}, float32", product, [matrix.astype(single)], square, 1e-2),
        _timed(f"Cholesky {size}, float64", solve, [covariance, covariance @ matrix[0]], matrix[0], 1e-10),
        _timed("Fourier transform 64^3 and back, float32", there_and_back, [field.astype(single)], field, 1e-5),
        _timed("a million particles into 64^3 cells, float32", paint, [cells, weights.astype(single)], painted, 1e-5),
        _leapfrog(),
    ]


def _timed(
    name: str, function: Callable[..., Any], arguments: list[Any], expected: np.ndarray, tolerance: float
) -> Kernel:
    on_device = [jnp.asarray(argument) for argument in arguments]
    start = time.perf_counter()
    program = jax.jit(function).lower(*on_device).compile()
    compiled = time.perf_counter() - start
    results, seconds = _repeated(lambda: program(*on_device))
    error = float(np.max(np.abs(results[0] - expected)) / np.max(np.abs(expected)))
    return Kernel(name, compiled, seconds, error, tolerance, _same(results))


def _leapfrog() -> Kernel:
    """Draws from N(0, I) by short steps, nearly all of which are accepted; its error is the share of the others."""
    target, record = CorrelatedGaussian(jnp.zeros(DIM), jnp.eye(DIM)), Record()
    sampler = GHMC(step_size=0.1, num_steps=NUM_STEPS)
    position, keys = jr.normal(jr.key(0), (NUM_CHAINS, DIM)), jr.split(jr.key(1), NUM_CHAINS)

    def run():
        state = init_states(target, sampler, position, keys, record)
        given = (target, sampler, record, jnp.asarray(NUM_DRAWS))
        _, draws, infos, _ = run_chunk(given, state, capacity=NUM_DRAWS)
        return draws.position, infos.acceptance_rate

    start = time.perf_counter()
    jax.block_until_ready(run())
    compiled = time.perf_counter() - start
    results, seconds = _repeated(lambda: jnp.concatenate([jnp.ravel(part) for part in run()]))
    rejected = 1 - float(np.mean(results[0][-NUM_CHAINS * NUM_DRAWS :]))
    name = f"leapfrog: {NUM_DRAWS} draws of {NUM_STEPS} steps, {NUM_CHAINS} chains in {DIM} dimensions, float64"
    return Kernel(name, compiled, seconds, rejected, 0.05, _same(results))


def _repeated(run: Callable[[], Any]) -> tuple[list[np.ndarray], float]:
    results, seconds = [], []
    for _ in range(4):
        start = time.perf_counter()
        result = jax.block_until_ready(run())
        seconds.append(time.perf_counter() - start)
        results.append(np.asarray(result))
    return results, min(seconds)


def _same(results: list[np.ndarray]) -> bool:
    return all(result.tobytes() == results[0].tobytes() for result in results)
