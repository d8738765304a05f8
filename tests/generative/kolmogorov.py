"""The law of (x, v) in one dimension: Kolmogorov's forward equation of the four processes, solved on a grid.

Straight lines are solved along characteristics: velocities are half-integer multiples of dv and cells are dv dt / 2 wide,
so that a step moves each row by whole cells, without numerical diffusion. Rotations are three shears, each exact by
Fourier series. Events and refreshments at a fixed x are exact too, with sums in place of integrals over v. What is left is
the error of the symmetric splitting, of second order in dt.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flowjax.distributions import AbstractDistribution, StandardNormal
from jaxtyping import Array
from scipy import stats

from cosmoflow.generative import AbstractVelocity

EDGE, DV = 6.0, 0.1
REFRESHMENT_RATE = 1.0


class Data:
    """Two modes, far from N(0, 1)."""

    weights, means, sds = np.array([0.7, 0.3]), np.array([-1.6, 1.4]), np.array([0.4, 0.5])
    mean = weights @ means
    variance = weights @ (sds**2 + means**2) - mean**2

    @classmethod
    def density(cls, x):
        return stats.norm.pdf(x[..., None], cls.means, cls.sds) @ cls.weights

    @classmethod
    def cdf(cls, x):
        return stats.norm.cdf(np.asarray(x)[..., None], cls.means, cls.sds) @ cls.weights

    @classmethod
    def sample(cls, rng, size):
        k = rng.choice(2, size, p=cls.weights)
        return cls.means[k] + cls.sds[k] * rng.normal(size=size)


@dataclass
class Solution:
    """Probabilities of cells, [time, x, v]; zig-zag's v are -1 and 1."""

    times: np.ndarray
    x: np.ndarray
    v: np.ndarray
    cells: np.ndarray

    def at(self, time):
        return self.cells[np.argmin(np.abs(self.times - time))]

    def cdf(self, time, x):
        """P(x_t < x), linear within cells."""
        edges = np.append(self.x, 2 * self.x[-1] - self.x[-2]) - (self.x[1] - self.x[0]) / 2
        return np.interp(x, edges, np.concatenate([[0], np.cumsum(self.at(time).sum(axis=1))]))

    def distance(self, time):
        """Total variation distance to N(0, 1) x nu."""
        limit = normalised(np.exp(-(self.x**2) / 2))[:, None] * (
            np.full(2, 0.5) if self.v.size == 2 else normalised(np.exp(-(self.v**2) / 2))
        )
        return 0.5 * np.abs(self.at(time) - limit).sum()


def normalised(weights):
    return weights / weights.sum()


def solve(name, horizon, dt, stride=1):
    """Solution at multiples of stride dt, on cells joined to about a twentieth."""
    if name == "zig_zag":
        x = dt * (np.arange(round(2 * EDGE / dt)) - round(EDGE / dt) + 0.5)
        v, shifts, spread = np.array([-1.0, 1.0]), np.array([-1, 1]), np.full(2, 0.5)
    else:
        v = DV * (np.arange(round(2 * EDGE / DV)) - round(EDGE / DV) + 0.5)
        shifts, spread = np.rint(2 * v / DV).astype(int), normalised(np.exp(-(v**2) / 2))
        dx = DV / 2 if name == "randomised_hamiltonian" else DV * dt / 2
        x = dx * (np.arange(round(2 * EDGE / dx)) - round(EDGE / dx) + 0.5)
    p = normalised(Data.density(x))[:, None] * spread

    kept = np.exp(-0.5 * dt * np.maximum(np.outer(x, v), 0))
    rayleigh = normalised(np.maximum(v, 0) * np.exp(-(v**2) / 2))
    landing = np.where(x[:, None] > 0, rayleigh[::-1], rayleigh)

    def events(p):
        if name == "randomised_hamiltonian":
            return p
        gone = p * (1 - kept)
        arrived = gone.sum(axis=1, keepdims=True) * landing if name == "forward_event_chain" else gone[:, ::-1]
        return p - gone + arrived

    def refreshments(p):
        if name == "zig_zag":
            return p
        left = np.exp(-0.5 * dt * REFRESHMENT_RATE)
        return left * p + (1 - left) * p.sum(axis=1, keepdims=True) * spread

    def sheared(p, axis, amounts):
        step = (x[1] - x[0], v[1] - v[0])[axis]
        waves = 2 * np.pi * np.fft.rfftfreq(p.shape[axis], step)
        phases = np.exp(-1j * (np.outer(waves, amounts) if axis == 0 else np.outer(amounts, waves)))
        return np.fft.irfft(np.fft.rfft(p, axis=axis) * phases, p.shape[axis], axis=axis)

    def moved(p):
        if name == "randomised_hamiltonian":
            for axis, amounts in ((0, np.tan(dt / 2) * v), (1, -np.sin(dt) * x), (0, np.tan(dt / 2) * v)):
                p = sheared(p, axis, amounts)
            return p
        new = np.zeros_like(p)
        for j, shift in enumerate(shifts):
            if shift > 0:
                new[shift:, j] = p[:-shift, j]
            else:
                new[:shift, j] = p[-shift:, j]
        return new

    joined = max(1, round(0.05 / (x[1] - x[0])))
    while x.size % joined:
        joined -= 1

    def coarse(p):
        return p.reshape(-1, joined, v.size).sum(axis=1)

    times, kept_cells = [0.0], [coarse(p)]
    for n in range(1, round(horizon / dt) + 1):
        p = refreshments(events(moved(events(refreshments(p)))))
        if n % stride == 0:
            times.append(n * dt)
            kept_cells.append(coarse(p))
    return Solution(np.array(times), x.reshape(-1, joined).mean(axis=1), v, np.array(kept_cells))


class Grid(eqx.Module):
    """Where a position and a clock lie in a table over times and positions."""

    first: tuple[Array, Array]
    spacing: tuple[Array, Array]
    shape: tuple[int, int] = eqx.field(static=True)
    horizon: float = eqx.field(static=True)

    @classmethod
    def of(cls, solution, horizon):
        axes = (solution.times, solution.x)
        first, spacing = (tuple(jnp.asarray(f(a)) for a in axes) for f in (lambda a: a[0], lambda a: a[1] - a[0]))
        return cls(first, spacing, tuple(a.size for a in axes), horizon)

    def corners(self, x, clock):
        """Indices and weights of the four nodes around a point."""
        places = [
            jnp.clip((value - first) / spacing, 0, size - 1.001)
            for value, first, spacing, size in zip(
                (self.horizon * clock**2, x[0]), self.first, self.spacing, self.shape, strict=True
            )
        ]
        (i, j), (a, b) = zip(*[(jnp.floor(s).astype(int), s - jnp.floor(s)) for s in places], strict=True)
        return (
            jnp.stack([i, i, i + 1, i + 1]),
            jnp.stack([j, j + 1, j, j + 1]),
            jnp.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b]),
        )


class ExactRatios(eqx.Module):
    """log p(-v | x) / p(v | x) of the zig-zag process."""

    grid: Grid
    table: Array

    @classmethod
    def of(cls, solution, horizon):
        log_cells = np.log(solution.cells + 1e-14)
        return cls(Grid.of(solution, horizon), jnp.asarray(log_cells[..., 1] - log_cells[..., 0]))

    def __call__(self, x_and_v, clock, condition=None):
        i, j, weights = self.grid.corners(x_and_v[:1], clock)
        return -x_and_v[1:] * (weights @ self.table[i, j])


class Histogram(AbstractDistribution):
    """A mixture of the laws on four nodes of a table, linear between the velocities of the grid."""

    nodes: tuple[Array, Array]
    weights: Array
    densities: Array
    cdfs: Array
    first: Array
    shape = (1,)
    cond_shape = None

    def _log_prob(self, x, condition=None):
        place = jnp.clip((x[0] - self.first) / DV, 0, self.densities.shape[-1] - 1.001)
        i, a = jnp.floor(place).astype(int), place - jnp.floor(place)
        densities = self.densities[*self.nodes, i] * (1 - a) + self.densities[*self.nodes, i + 1] * a
        return jnp.log(self.weights @ densities)

    def _sample(self, key, condition=None):
        key_node, key_level, key_cell = jr.split(key, 3)
        node = jr.categorical(key_node, jnp.log(self.weights))
        node, level, i = (self.nodes[0][node], self.nodes[1][node]), jr.uniform(key_level), jnp.asarray(0)
        for jump in (64, 32, 16, 8, 4, 2, 1):  # the number of cells whose cumulative probability is below the level
            there = jnp.minimum(i + jump, self.cdfs.shape[-1]) - 1
            i = jnp.where(self.cdfs[*node, there] < level, there + 1, i)
        return (self.first + DV * (i.astype(float) + jr.uniform(key_cell) - 0.5))[None]


class ExactVelocity(AbstractVelocity):
    """p_t(v | x) of a solution."""

    grid: Grid
    densities: Array
    cdfs: Array
    first: Array

    @classmethod
    def of(cls, solution, horizon):
        cells = np.maximum(solution.cells, 0) + 1e-12 * normalised(np.exp(-(solution.v**2) / 2))
        cells /= cells.sum(axis=-1, keepdims=True)
        cdfs = np.minimum(np.cumsum(cells, axis=-1), 1)
        return cls(Grid.of(solution, horizon), *map(jnp.asarray, (cells / DV, cdfs, solution.v[0])))

    def __call__(self, x, clock, condition=None):
        i, j, weights = self.grid.corners(x, clock)
        return Histogram((i, j), weights, self.densities, self.cdfs, self.first)

    def num_evaluations(self, num_calls):
        return num_calls


class Stationary(AbstractVelocity):
    """N(0, I), with which a reversed process has the rates of the forward one."""

    dim: int = eqx.field(static=True)

    def __call__(self, x, clock, condition=None):
        return StandardNormal((self.dim,))

    def num_evaluations(self, num_calls):
        return num_calls


def vmapped(function, model, num, key):
    """A function of a model and a key, at many keys; the model's tables are no constants of the program."""
    run = eqx.filter_jit(lambda model, keys: jax.vmap(lambda key: function(model, key))(keys))
    return jax.tree.map(np.asarray, run(model, jr.split(key, num)))
