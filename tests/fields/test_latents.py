"""Latents of fields: orthogonal maps to modes and back."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.fields import ConfigurationLatents, FourierLatents, Grid
from cosmoflow.fields._grid import filtered

GRIDS = {
    "odd line": Grid((9,), 2.0),
    "even line": Grid((8,), 2.0),
    "even map": Grid((4, 6), 3.0),
    "odd map": Grid((5, 3), 1.0),
    "even box": Grid((4, 2, 4), 100.0),
    "mixed box": Grid((3, 4, 5), 10.0),
}
GRID = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
LATENTS = pytest.mark.parametrize("latents", [FourierLatents(), ConfigurationLatents()], ids=["fourier", "cells"])


@pytest.mark.soon(4)
@GRID
@LATENTS
def test_the_map_to_the_field_is_orthogonal(grid, latents):
    matrix = jax.jit(
        jax.vmap(lambda row: grid.field(latents.modes(grid, row.reshape(grid.shape))).ravel())
    )(jnp.eye(grid.num_cells))  # fmt: skip
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(grid.num_cells), atol=1e-12)


@pytest.mark.soon(4)
@GRID
@LATENTS
def test_back_and_forth(grid, latents):
    noise = jr.normal(jr.key(0), grid.shape)
    modes = latents.modes(grid, noise)
    assert modes.shape == grid.half_shape
    np.testing.assert_allclose(latents.latents(grid, modes), noise, atol=1e-12)
    np.testing.assert_allclose(grid.modes(grid.field(modes)), modes, atol=1e-12)  # those of a real field


@GRID
def test_fourier_latents_are_the_hartley_transform(grid):
    field = jr.normal(jr.key(1), grid.shape)
    full = np.fft.fftn(field) / np.sqrt(grid.num_cells)
    np.testing.assert_allclose(FourierLatents().latents(grid, grid.modes(field)), full.real - full.imag, atol=1e-12)


@GRID
def test_a_filter_of_modes_is_the_same_filter_of_fourier_latents(grid):
    noise = jr.normal(jr.key(2), grid.shape)
    full = np.sqrt(sum(k**2 for k in np.meshgrid(
        *(2 * np.pi * np.fft.fftfreq(n, d) for n, d in zip(grid.shape, grid.cell_size, strict=True)), indexing="ij"
    )))  # fmt: skip
    half = jnp.asarray(np.exp(-grid.wavenumber))
    found = FourierLatents().latents(grid, filtered(FourierLatents().modes(grid, noise), half))
    np.testing.assert_allclose(found, noise * np.exp(-full), atol=1e-12)


@LATENTS
def test_single_precision_stays(latents):
    grid = GRIDS["even map"]
    modes = latents.modes(grid, jnp.ones(grid.shape, jnp.float32))
    assert modes.dtype == jnp.complex64 and latents.latents(grid, modes).dtype == jnp.float32
