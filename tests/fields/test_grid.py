"""Periodic grids: conventions of the transform, wave numbers, multiplicities, bad input."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.fields import Grid

GRIDS = {
    "odd line": Grid((9,), 2.0),
    "even map": Grid((8, 6), (3.0, 5.0)),
    "odd map": Grid((5, 7), 1.0),
    "even box": Grid((4, 6, 8), 100.0),
    "mixed box": Grid((5, 4, 7), (10.0, 20.0, 30.0)),
}
GRID = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())


def whole(values, grid):
    """What is given on the half space, on all wave vectors, by -k = k."""
    flat = [int(np.ravel_multi_index(np.minimum((-np.array(i)) % grid.shape, grid.shape), grid.shape)) for i in
            np.ndindex(grid.shape)]  # fmt: skip
    full = np.full(grid.num_cells, np.nan, np.asarray(values).dtype)
    index = np.ravel_multi_index(np.indices(grid.half_shape), grid.shape)
    full[index.ravel()] = np.ravel(values)
    mirrored = full[flat]
    return np.where(np.isnan(full), mirrored, full).reshape(grid.shape)


@GRID
def test_modes_are_those_of_numpy_and_come_back(grid):
    field = jr.normal(jr.key(0), grid.shape)
    modes = grid.modes(field)
    assert modes.shape == grid.half_shape
    np.testing.assert_allclose(modes, np.fft.rfftn(field) / np.sqrt(grid.num_cells), atol=1e-12)
    np.testing.assert_allclose(grid.field(modes), field, atol=1e-12)


@GRID
def test_parseval(grid):
    field = jr.normal(jr.key(1), grid.shape)
    power = jnp.abs(grid.modes(field)) ** 2
    np.testing.assert_allclose(jnp.sum(power * grid.multiplicity.astype(float)), jnp.sum(field**2), rtol=1e-12)
    assert np.sum(np.broadcast_to(grid.multiplicity, grid.half_shape)) == grid.num_cells


@GRID
def test_wave_numbers(grid):
    """A plane wave has one mode, where the wave vector is its own."""
    index = tuple(1 for _ in grid.shape)
    axes = np.meshgrid(*(np.arange(n) * d for n, d in zip(grid.shape, grid.cell_size, strict=True)), indexing="ij")
    at = [float(np.broadcast_to(k, grid.half_shape)[index]) for k in grid.wavenumbers]
    wave = np.cos(sum(k * x for k, x in zip(at, axes, strict=True)))
    power = np.abs(grid.modes(jnp.asarray(wave))) ** 2 * grid.multiplicity
    assert power[index] > 0.49 * np.sum(power)
    np.testing.assert_allclose(grid.wavenumber[index], np.sqrt(sum(k**2 for k in at)), rtol=1e-12)
    full = np.sqrt(sum(k**2 for k in np.meshgrid(
        *(2 * np.pi * np.fft.fftfreq(n, d) for n, d in zip(grid.shape, grid.cell_size, strict=True)), indexing="ij"
    )))  # fmt: skip
    np.testing.assert_allclose(whole(grid.wavenumber, grid), full, rtol=1e-12)


@GRID
def test_shells_are_the_distinct_lengths(grid):
    assert grid.shells[0] == 0 and np.all(np.diff(grid.shells) > 0)
    np.testing.assert_allclose(grid.spread(jnp.asarray(grid.shells)), grid.wavenumber, rtol=1e-5)


def test_sizes():
    grid = Grid((4, 8), (1.0, 4.0))
    assert (grid.num_cells, grid.half_shape, grid.cell_size, grid.cell_volume) == (32, (4, 5), (0.25, 0.5), 0.125)
    assert grid.nyquist == 2 * np.pi


def test_single_precision_stays():
    grid = GRIDS["even map"]
    field = jnp.ones(grid.shape, jnp.float32)
    assert grid.modes(field).dtype == jnp.complex64
    assert grid.field(grid.modes(field)).dtype == jnp.float32


def test_fields_in_batches_and_derivatives():
    grid = GRIDS["mixed box"]
    fields = jr.normal(jr.key(0), (3, *grid.shape))
    np.testing.assert_allclose(jax.vmap(grid.modes)(fields)[1], grid.modes(fields[1]), atol=1e-12)
    gradient = jax.grad(lambda f: jnp.sum(jnp.abs(grid.modes(f)) ** 2 * grid.multiplicity.astype(float)))(fields[0])
    np.testing.assert_allclose(gradient, 2 * fields[0], atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "box_size", "message"),
    [
        ((4, 4), (1.0,), "needs as many lengths"),
        ((), 1.0, "needs as many lengths"),
        ((1, 4), 1.0, "two cells at least"),
        ((4, 4), -1.0, "positive and finite"),
        ((4, 4), float("inf"), "positive and finite"),
        ((4, 4), float("nan"), "positive and finite"),
    ],
)
def test_refusals(shape, box_size, message):
    with pytest.raises(ValueError, match=message):
        Grid(shape, box_size)
