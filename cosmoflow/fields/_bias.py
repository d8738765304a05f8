"""Lagrangian bias: how many galaxies the matter of each cell holds."""

import functools

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._types import Parameters
from ._displacement import tidal_field, wavenumbers
from ._grid import AbstractGrid, filtered

BIAS = ("b1", "b2", "bs2", "bn2")
"""Names of the parameters."""


def lagrangian_weights(
    grid: AbstractGrid,
    density: Complex[Array, "*half"],
    tidal: dict[tuple[int, int], Float[Array, "*grid"]] | None,
    parameters: Parameters,
) -> Float[Array, "*grid"] | None:
    """Galaxies per matter at their start,

        1 + b1 delta + b2 / 2 (delta^2 - <delta^2>) + bs2 (s^2 - <s^2>) + bn2 laplacian delta [(Mpc/h)^2]

    with the linear density delta and its squared tidal field s^2 = phi,ij phi,ij - delta^2 / 3. Parameters that are
    not given are zero. The means are those of the box, which leaves it the mean number of galaxies.

    Args:
        grid: The cells.
        density: Modes of the linear density.
        tidal: Its tidal field, if it is known; what it takes is transformed otherwise.
        parameters: The bias by name.

    Returns:
        The weights, or None if they are one.

    References:
        Desjacques, Jeong & Schmidt 2018, arXiv:1611.09787; Modi, Chen & White 2020, arXiv:1910.07097.
    """
    b1, b2, bs2, bn2 = (grid.rounded(parameters.get(name)) for name in BIAS)
    terms = []
    if tidal is None and bs2 is not None:
        tidal = tidal_field(grid, density)
    if any(value is not None for value in (b1, b2, bs2)):
        delta = grid.field(density) if tidal is None else tidal[0, 0] + tidal[1, 1] + tidal[2, 2]
    if b1 is not None:
        terms.append(b1 * delta)
    if b2 is not None:
        terms.append(b2 / 2 * (delta**2 - jnp.mean(delta**2)))
    if bs2 is not None and tidal is not None:
        shear = functools.reduce(jnp.add, (phi**2 if i == j else 2 * phi**2 for (i, j), phi in tidal.items()))
        shear = shear - delta**2 / 3
        terms.append(bs2 * (shear - jnp.mean(shear)))
    if bn2 is not None:
        terms.append(
            bn2
            * grid.field(
                filtered(density, -functools.reduce(jnp.add, (k**2 for k in wavenumbers(grid, density.real.dtype))))
            )
        )
    return 1 + functools.reduce(jnp.add, terms) if terms else None
