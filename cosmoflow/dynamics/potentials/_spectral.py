"""A potential of periodic fields made in Fourier space, affordable for large grids."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._potential import AbstractPotential


class SpectralPotential(AbstractPotential):
    """V(q) = <q, T_0 q> / 2 + sum_f a_f sum_x softplus((T_f q)(x) + b_f): invariant under translations and isotropic.

    Each T is a filter that multiplies the Fourier modes by T(k) = sum_m c_m cos(m pi |k| / |k|_max). The quadratic form
    alone makes Gaussian fields of any isotropic spectrum; the pointwise terms make them non-Gaussian. A gradient costs
    about 2 (F + 2) fast Fourier transforms. It starts as the harmonic well. The position is flat, shape
    (number of cells,).

    Args:
        grid: Cells along each axis.
        num_filters: Number F of pointwise terms.
        num_modes: Cosines per filter.
        key: Random key of the filters.
    """

    quadratic: Float[Array, " mode"]
    filters: Float[Array, "filter mode"]
    offsets: Float[Array, " filter"]
    weights: Float[Array, " filter"]
    grid: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, grid: tuple[int, ...], *, num_filters: int = 4, num_modes: int = 8, key: Key):
        self.quadratic = jnp.zeros(num_modes).at[0].set(1)
        self.filters = jr.normal(key, (num_filters, num_modes)) / jnp.sqrt(float(num_modes))
        self.offsets = jnp.zeros(num_filters)
        self.weights = jnp.zeros(num_filters)
        self.grid = grid

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy of one field."""
        axes = tuple(range(-len(self.grid), 0))
        spectrum = jnp.fft.rfftn(q.reshape(self.grid))
        cosines = jnp.asarray(_cosines(self.grid, self.quadratic.size), q.dtype)
        transfer = jnp.tensordot(jnp.concatenate([self.quadratic[None], self.filters]), cosines, axes=1)
        smooth, *filtered = jnp.fft.irfftn(spectrum * transfer.astype(spectrum.dtype), self.grid, axes)
        pointwise = jnp.stack([jnp.sum(jax.nn.softplus(f + b)) for f, b in zip(filtered, self.offsets, strict=True)])
        return 0.5 * (q @ smooth.ravel()) + self.weights @ pointwise


def _cosines(grid: tuple[int, ...], num_modes: int) -> np.ndarray:
    """cos(m pi |k| / |k|_max) on the half space of a real transform, shape (mode, *half grid)."""
    frequencies = [np.fft.fftfreq(n) for n in grid[:-1]] + [np.fft.rfftfreq(grid[-1])]
    k = np.sqrt(sum(f**2 for f in np.meshgrid(*frequencies, indexing="ij")))
    return np.cos(np.pi * np.arange(num_modes).reshape(-1, *[1] * len(grid)) * k / k.max())
