"""The network behind learned potentials and encoders of periodic fields: filters, then neurons in each cell."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from .._types import Key


class FieldNetwork(eqx.Module):
    """l(x) = sum_c (L_c f_c)(x) and n(x) = W s(A u(x) + b), u_i = sum_c T_ic f_c: equivariant under translations.

    L and T are isotropic filters, which multiply the Fourier modes by sum_m a_m cos(m pi |k| / |k|_max): in cell units
    they are the same on every grid. The neurons see F filtered fields of one cell. It starts as zero.

    Args:
        grid: Cells along each axis.
        in_channels: Fields f that it reads.
        out_channels: Fields n that it makes.
        num_filters: Number F of filtered fields.
        width: Neurons per cell.
        num_modes: Cosines per filter.
        activation: The function s.
        key: Random key of filters and neurons.
    """

    linear: Float[Array, "in mode"]
    filters: Float[Array, "filter in mode"]
    mixing: Float[Array, "neuron filter"]
    offsets: Float[Array, " neuron"]
    weights: Float[Array, "out neuron"]
    grid: tuple[int, ...] = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)

    def __init__(
        self,
        grid: tuple[int, ...],
        in_channels: int,
        out_channels: int,
        *,
        num_filters: int = 4,
        width: int = 16,
        num_modes: int = 8,
        activation: Callable = jax.nn.softplus,
        key: Key,
    ):
        key_filters, key_mixing = jr.split(key)
        self.linear = jnp.zeros((in_channels, num_modes))
        self.filters = jr.normal(key_filters, (num_filters, in_channels, num_modes)) / jnp.sqrt(
            float(in_channels * num_modes)
        )
        self.mixing = jr.normal(key_mixing, (width, num_filters)) / jnp.sqrt(float(num_filters))
        self.offsets = jnp.linspace(-1, 1, width)
        self.weights = jnp.zeros((out_channels, width))
        self.grid = grid
        self.activation = activation

    def __call__(self, fields: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """The filtered field l, shape (*grid,), and the fields n of the neurons, shape (out, *grid).

        Args:
            fields: Shape (in, *grid).
        """
        axes = tuple(range(-len(self.grid), 0))
        spectra = jnp.fft.rfftn(fields, axes=axes)
        coefficients = jnp.concatenate([self.linear[None], self.filters])
        transfer = jnp.tensordot(coefficients, jnp.asarray(cosines(self.grid, self.linear.shape[1]), fields.dtype), 1)
        filtered = jnp.fft.irfftn(jnp.sum(transfer.astype(spectra.dtype) * spectra, axis=1), self.grid, axes)
        neurons = jnp.tensordot(self.mixing, filtered[1:], 1)
        neurons = self.activation(neurons + self.offsets.reshape(-1, *[1] * len(self.grid)))
        return filtered[0], jnp.tensordot(self.weights, neurons, 1)


def wavenumbers(grid: tuple[int, ...]) -> np.ndarray:
    """|k| on the half space of a real transform, in cycles per cell."""
    frequencies = [np.fft.fftfreq(n) for n in grid[:-1]] + [np.fft.rfftfreq(grid[-1])]
    return np.sqrt(sum(f**2 for f in np.meshgrid(*frequencies, indexing="ij")))


def cosines(grid: tuple[int, ...], num_modes: int) -> np.ndarray:
    """cos(m pi |k| / |k|_max), |k|_max that of the corner, shape (mode, *half grid)."""
    order = np.arange(num_modes).reshape(-1, *[1] * len(grid))
    return np.cos(np.pi * order * wavenumbers(grid) / (0.5 * np.sqrt(len(grid))))
