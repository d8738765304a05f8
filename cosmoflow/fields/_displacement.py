"""Lagrangian perturbation theory: where the matter of each cell goes, from the modes of the linear density.

To second order a particle that starts at q is at

    x = q - grad phi1 - 3/7 Omega_m(a)^(-1/143) grad phi2,
    laplacian phi1 = delta,    laplacian phi2 = sum over i < j of (phi1,ii phi1,jj - phi1,ij^2)

with delta the linear density at that time, and each order moves at the rate f1 or f2 = 2 Omega_m(a)^(6/11). Odd
derivatives leave out the Nyquist mode of their axis.

References:
    Zel'dovich 1970, A&A 5, 84; Bouchet, Colombi, Hivon & Juszkiewicz 1995, arXiv:astro-ph/9406013;
    Scoccimarro 1998, arXiv:astro-ph/9711187.
"""

import functools
from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Complex, Float

from ..cosmology import Cosmology, growth_factor, growth_rate
from ..cosmology._background import matter_scaled
from ._grid import AbstractGrid, filtered


class Growth(NamedTuple):
    """How the two orders grow.

    Attributes:
        factor: D over that of today.
        second: 3/7 Omega_m(a)^(-1/143), over D^2 that of the second order.
        rate: f1 = d ln D / d ln a.
        second_rate: f2 = 2 Omega_m(a)^(6/11).
    """

    factor: Float[Array, "..."]
    second: Float[Array, "..."]
    rate: Float[Array, "..."]
    second_rate: Float[Array, "..."]


def growth(cosmology: Cosmology, redshift: Float[Array, "..."]) -> Growth:
    """How the two orders grow until some redshifts."""
    redshift = redshift.astype(cosmology.h.dtype)
    factor = growth_factor(cosmology, redshift) / growth_factor(cosmology, jnp.zeros_like(redshift))
    density = cosmology.Omega_m / matter_scaled(cosmology, 1 / (1 + redshift))
    rate = growth_rate(cosmology, redshift)
    return Growth(factor, 3 / 7 * density ** (-1 / 143), rate, 2 * density ** (6 / 11))


def displacement(grid: AbstractGrid, densities: Sequence[Complex[Array, "*half"]]) -> Float[Array, "axis *grid"]:
    """Minus the gradient of the inverse Laplacian of a density [cells]: one transform for each axis.

    Args:
        grid: The cells.
        densities: Its modes, for each axis; they differ where an axis is seen in redshift space.
    """
    inverse, odd = inverse_square(grid, densities[0].real.dtype), odd_wavenumbers(grid, densities[0].real.dtype)
    parts = []
    for density, k, size in zip(densities, odd, grid.cell_size, strict=True):
        scaled = filtered(density, inverse * k / size)
        parts.append(grid.field(jax.lax.complex(-scaled.imag, scaled.real)))
    return jnp.stack(parts)


def tidal_field(grid: AbstractGrid, density: Complex[Array, "*half"]) -> dict[tuple[int, int], Float[Array, "*grid"]]:
    """The second derivatives phi,ij of the inverse Laplacian of a density, for i <= j: six transforms."""
    dtype = density.real.dtype
    inverse = inverse_square(grid, dtype)
    odd, whole = odd_wavenumbers(grid, dtype), wavenumbers(grid, dtype)
    return {
        (i, j): grid.field(filtered(density, inverse * (whole[i] ** 2 if i == j else odd[i] * odd[j])))
        for i, j in combinations_with_replacement(range(len(odd)), 2)
    }


def second_order_density(tidal: dict[tuple[int, int], Float[Array, "*grid"]]) -> Float[Array, "*grid"]:
    """The Laplacian of phi2."""
    minors = [tidal[i, i] * tidal[j, j] - tidal[i, j] ** 2 for i, j in tidal if i < j]
    return functools.reduce(jnp.add, minors)


def wavenumbers(grid: AbstractGrid, dtype: DTypeLike) -> list[Float[Array, "..."]]:
    """Wave numbers along each axis, which broadcast to those of all modes."""
    return [jnp.asarray(k, dtype) for k in grid.wavenumbers]


def odd_wavenumbers(grid: AbstractGrid, dtype: DTypeLike) -> list[Float[Array, "..."]]:
    """The same, zero where they are those of Nyquist, whose sign is ambiguous."""
    axes = zip(grid.wavenumbers, grid.cell_size, strict=True)
    return [jnp.asarray(np.where(np.isclose(np.abs(k), np.pi / size), 0, k), dtype) for k, size in axes]


def inverse_square(grid: AbstractGrid, dtype: DTypeLike) -> Float[Array, "*half"]:
    """1 / k^2 of all modes, zero for the mean."""
    square = sum(k**2 for k in wavenumbers(grid, dtype))
    return jnp.where(square > 0, 1 / jnp.where(square > 0, square, 1), 0)
