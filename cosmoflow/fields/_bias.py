"""Lagrangian bias: how many galaxies the matter of each cell holds."""

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._types import Parameters
from ._displacement import tidal_field
from ._grid import AbstractGrid

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
    b1, b2, bs2, bn2 = map(parameters.get, BIAS)
    if bs2 is not None and tidal is None:
        tidal = tidal_field(grid, density)
    terms = []
    if b1 is not None or b2 is not None or bs2 is not None:
        delta = grid.field(density) if tidal is None else sum(tidal[i, i] for i in range(len(grid.shape)))
    if b1 is not None:
        terms.append(b1 * delta)
    if b2 is not None:
        terms.append(b2 / 2 * (delta**2 - jnp.mean(delta**2)))
    if bs2 is not None:
        shear = sum(phi**2 * (1 if i == j else 2) for (i, j), phi in tidal.items()) - delta**2 / len(grid.shape)
        terms.append(bs2 * (shear - jnp.mean(shear)))
    if bn2 is not None:
        terms.append(bn2 * grid.field(density * jnp.asarray(-(grid.wavenumber**2), density.real.dtype)))
    return 1 + sum(terms) if terms else None
