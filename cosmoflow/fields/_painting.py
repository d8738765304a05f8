"""Cloud-in-cell painting and reading on a periodic grid, with one particle per cell.

A particle adds to the 2^d corners of the cell that it is in. All of them are one row of a table (cells, 2^d), so that
a particle costs one scattered addition instead of 2^d; the rows are folded onto the grid afterwards, axis by axis.
Reading is the transpose: the field is unfolded into such rows, and a particle takes one.

References:
    Hockney & Eastwood 1988, Computer Simulation Using Particles, chapter 5.
"""

import math
from itertools import product

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def paint(
    displacement: Float[Array, "axis *grid"], weights: Float[Array, "*grid"] | None = None
) -> Float[Array, "*grid"]:
    """The density of particles that left the cells' centres.

    Args:
        displacement: Of the particle that started in each cell, in cells.
        weights: Of the particles; one where it is None.

    Returns:
        The weight in each cell.
    """
    base, rows = corners(displacement)
    if weights is not None:
        rows = rows * weights[..., None]
    table = jnp.zeros((base.size, rows.shape[-1]), rows.dtype)
    table = table.at[base.ravel()].add(rows.reshape(table.shape), mode="promise_in_bounds")
    return fold(table.reshape(rows.shape))


def read(field: Float[Array, "*grid"], displacement: Float[Array, "axis *grid"]) -> Float[Array, "*grid"]:
    """The field where the particles are: the transpose of painting.

    Args:
        field: Its value in each cell.
        displacement: Of the particle that started in each cell, in cells.

    Returns:
        The value at each particle.
    """
    base, rows = corners(displacement)
    table = unfold(field).reshape(field.size, rows.shape[-1])
    return jnp.sum(table.at[base].get(mode="promise_in_bounds") * rows, axis=-1)


def corners(displacement: Float[Array, "axis *grid"]) -> tuple[Int[Array, "*grid"], Float[Array, "*grid corner"]]:
    """Where each particle is: the cell of its lowest corner, in row-major order, and the kernel at all corners.

    The last axis changes fastest among the corners.
    """
    shape = displacement.shape[1:]
    floor = jnp.floor(displacement)
    base = jnp.zeros(shape, jnp.int32)
    for axis, n in enumerate(shape):
        here = jnp.arange(n, dtype=jnp.int32).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        base = base * n + (here + floor[axis].astype(jnp.int32)) % n
    upper = displacement - floor
    pairs = [(1 - fraction, fraction) for fraction in upper]
    return base, jnp.stack([math.prod(factors[1:], start=factors[0]) for factors in product(*pairs)], axis=-1)


def fold(rows: Float[Array, "*grid corner"]) -> Float[Array, "*grid"]:
    """The sum over the corners, each in the cell where it is."""
    for axis in range(rows.ndim - 1):
        half = rows.shape[-1] // 2
        rows = rows[..., :half] + jnp.roll(rows[..., half:], 1, axis)
    return rows[..., 0]


def unfold(field: Float[Array, "*grid"]) -> Float[Array, "*grid corner"]:
    """The values at all corners of each cell: the transpose of `fold`."""
    rows = field[..., None]
    for axis in reversed(range(field.ndim)):
        rows = jnp.concatenate([rows, jnp.roll(rows, -1, axis)], axis=-1)
    return rows
