"""Spectra of fields on a grid, averaged in bins of |k|."""

import math
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from ._gaussian import amplitudes
from ._grid import AbstractGrid, Grid

MAX_BINS = 16


class WavenumberBins(eqx.Module):
    """Bins edges[i] <= |k| < edges[i + 1] of the modes of a grid.

    Spectra take modes, as `grid.modes(field)` gives them, and are averages over all modes of the whole space in a bin.

    Args:
        grid: The cells.
        edges: Ascending; by default those of up to 16 bins around multiples of the fundamental wave number of the
            longest side, the last of which reaches from the Nyquist wave number into the corners.

    Raises:
        ValueError: The edges are not ascending and positive, or a bin holds no modes.
    """

    grid: AbstractGrid
    edges: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, grid: AbstractGrid, edges: Float[np.ndarray, " edge"] | tuple[float, ...] | None = None):
        self.grid = grid
        self.edges = tuple(map(float, _default_edges(grid) if edges is None else edges))

    def __check_init__(self):
        if len(self.edges) < 2 or self.edges[0] <= 0 or not np.all(np.diff(self.edges) > 0):
            raise ValueError(f"The edges of bins of |k| must be ascending and positive, but are {self.edges}.")
        empty = np.flatnonzero(self.num_modes == 0)
        if empty.size:
            low, high = self.edges[empty[0]], self.edges[empty[0] + 1]
            raise ValueError(f"No mode of the grid lies in the bin {low:.4g} <= |k| < {high:.4g}; take wider bins.")

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def index(self) -> np.ndarray:
        """The bin of every mode, shape `grid.half_shape`; -1 below the bins and their number above them."""
        return _index(self.grid.shape, self.grid.box_size, self.edges)

    @property
    def index_of_latents(self) -> np.ndarray:
        """The bin of every real number h(k) of `FourierLatents`, shape of the grid."""
        index, others = self.index, self.grid.shape[-1] - self.grid.half_shape[-1]
        mirrored = index
        for axis in range(index.ndim - 1):
            mirrored = np.roll(np.flip(mirrored, axis), 1, axis)
        return np.concatenate([index, mirrored[..., 1 : 1 + others][..., ::-1]], axis=-1)

    @property
    def num_modes(self) -> np.ndarray:
        """Modes of the whole space in each bin, as many as the real numbers that they are made of."""
        return _sums(self.grid.shape, self.grid.box_size, self.edges)[0]

    @property
    def wavenumber(self) -> np.ndarray:
        """The mean |k| of the modes in each bin."""
        num_modes, total = _sums(self.grid.shape, self.grid.box_size, self.edges)
        return total / num_modes

    def average(self, values: Float[Array, "*half"]) -> Float[Array, " bin"]:
        """The mean over the modes in each bin of what is even in k."""
        weighted = values * self.grid.multiplicity.astype(values.dtype)
        rows = jax.vmap(lambda row, index: jax.ops.segment_sum(row, index, len(self)))  # few numbers to a sum
        flat, index = (array.reshape(len(values), -1) for array in (weighted, self.index))
        sums = jnp.sum(rows(flat, jnp.asarray(index)), axis=0)
        return sums / self.num_modes.astype(values.dtype)

    def power_spectrum(self, modes: Complex[Array, "*half"]) -> Float[Array, " bin"]:
        """P(k) = <|mode|^2> times the volume of a cell."""
        return self.cross_spectrum(modes, modes)

    def cross_spectrum(self, a: Complex[Array, "*half"], b: Complex[Array, "*half"]) -> Float[Array, " bin"]:
        """P_ab(k) = <Re a b*> times the volume of a cell."""
        return self.average(a.real * b.real + a.imag * b.imag) * self.grid.cell_volume

    def transfer(self, a: Complex[Array, "*half"], b: Complex[Array, "*half"]) -> Float[Array, " bin"]:
        """sqrt(P_a / P_b)."""
        return _ratio(amplitudes(self.power_spectrum(a)), amplitudes(self.power_spectrum(b)))

    def coherence(self, a: Complex[Array, "*half"], b: Complex[Array, "*half"]) -> Float[Array, " bin"]:
        """P_ab / sqrt(P_a P_b): one where phases agree, zero where they have nothing to do with each other."""
        product = amplitudes(self.power_spectrum(a)) * amplitudes(self.power_spectrum(b))
        return _ratio(self.cross_spectrum(a, b), product)

    def choose(self, num_per_bin: int, *, seed: int = 0) -> np.ndarray:
        """Numbers of latents in each bin, drawn at random once and for all, shape (bin, latent).

        They are as many in every bin: `num_per_bin`, or what the emptiest bin has.
        """
        rng, flat = np.random.default_rng(seed), self.index_of_latents.ravel()
        count = min(num_per_bin, int(self.num_modes.min()))
        return np.stack([np.sort(rng.choice(np.flatnonzero(flat == b), count, False)) for b in range(len(self))])


def _ratio(above: Float[Array, " bin"], below: Float[Array, " bin"]) -> Float[Array, " bin"]:
    return jnp.where(below > 0, above / jnp.where(below > 0, below, 1), 0)


def _default_edges(grid: AbstractGrid) -> tuple[float, ...]:
    fundamental = 2 * math.pi / max(grid.box_size)
    multiples = max(round(grid.nyquist / fundamental), 1)
    step = -(-multiples // MAX_BINS)
    edges = fundamental * (np.arange(0, multiples, step) + 0.5)
    return (*edges, float(grid.wavenumber.max()) * (1 + 1e-6))


@cache
def _index(shape: tuple[int, ...], box_size: tuple[float, ...], edges: tuple[float, ...]) -> np.ndarray:
    return (np.digitize(Grid(shape, box_size).wavenumber, edges) - 1).astype(np.int16)


@cache
def _sums(
    shape: tuple[int, ...], box_size: tuple[float, ...], edges: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """In each bin, the number of the modes of the whole space and the sum of their |k|."""
    grid, index = Grid(shape, box_size), _index(shape, box_size, edges)
    inside = (index >= 0) & (index < len(edges) - 1)
    twice = np.broadcast_to(grid.multiplicity, grid.half_shape)[inside]
    weights = (twice, twice * grid.wavenumber[inside])
    num_modes, total = (np.bincount(index[inside], weight, len(edges) - 1) for weight in weights)
    return num_modes.astype(int), total
