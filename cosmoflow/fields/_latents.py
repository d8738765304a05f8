"""White noise as real numbers of unit variance: what samplers see of a field."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from ._grid import AbstractGrid


class AbstractLatents(eqx.Module):
    """An orthogonal map between latents, shape of the grid and N(0, 1) each, and the modes of white noise."""

    @abstractmethod
    def modes(self, grid: AbstractGrid, latents: Float[Array, "*grid"]) -> Complex[Array, "*half"]:
        """The modes that latents stand for."""

    @abstractmethod
    def latents(self, grid: AbstractGrid, modes: Complex[Array, "*half"]) -> Float[Array, "*grid"]:
        """The latents of some modes."""


class FourierLatents(AbstractLatents):
    """Real numbers for Fourier modes, h(k) = Re F(k) - Im F(k): the discrete Hartley transform of white noise.

    It is orthogonal, and a filter of F(k) that is even in k is the same filter of h(k): spectra are diagonal here. To
    the modes it takes no transform,

        F(k) = (h(k) + h(-k)) / 2 - i (h(k) - h(-k)) / 2.

    References:
        Bracewell 1983, J. Opt. Soc. Am. 73, 1832.
    """

    def modes(self, grid: AbstractGrid, latents: Float[Array, "*grid"]) -> Complex[Array, "*half"]:
        """The modes that latents stand for."""
        half, latents = grid.half_shape[-1], grid.rounded(latents)
        here, there = latents[..., :half], _mirrored(latents)[..., :half]
        return jax.lax.complex(0.5 * (here + there), 0.5 * (there - here))

    def latents(self, grid: AbstractGrid, modes: Complex[Array, "*half"]) -> Float[Array, "*grid"]:
        """The latents of some modes."""
        here, there = modes.real - modes.imag, modes.real + modes.imag
        others = grid.shape[-1] - grid.half_shape[-1]
        for axis in range(modes.ndim - 1):
            there = _reversed(there, axis)
        return jnp.concatenate([here, there[..., 1 : 1 + others][..., ::-1]], axis=-1)


class ConfigurationLatents(AbstractLatents):
    """The white noise itself, cell by cell: for fields that are split over devices, whose modes are moved anyway."""

    def modes(self, grid: AbstractGrid, latents: Float[Array, "*grid"]) -> Complex[Array, "*half"]:
        """The modes that latents stand for."""
        return grid.modes(grid.rounded(latents))

    def latents(self, grid: AbstractGrid, modes: Complex[Array, "*half"]) -> Float[Array, "*grid"]:
        """The latents of some modes."""
        return grid.field(modes)


def _mirrored(array: Float[Array, "*grid"]) -> Float[Array, "*grid"]:
    """The array at -k."""
    for axis in range(array.ndim):
        array = _reversed(array, axis)
    return array


def _reversed(array: Float[Array, "*grid"], axis: int) -> Float[Array, "*grid"]:
    return jnp.roll(jnp.flip(array, axis), 1, axis)
