"""Gaussian fields: linear in white noise, and of the power that was asked for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.fields import (
    ConfigurationLatents,
    FourierLatents,
    GaussianField,
    Grid,
    LinearMatterPower,
    TabulatedPower,
)
from cosmoflow.fields._grid import filtered

POWER = TabulatedPower([1e-3, 1.0, 1e3], [3.0, 1.0, 0.2])
GRIDS = [Grid((16,), 4.0), Grid((7, 8), (3.0, 5.0)), Grid((4, 5, 6), 10.0)]
LATENTS = [FourierLatents(), ConfigurationLatents()]


@pytest.mark.soon(2)
@pytest.mark.parametrize("latents", LATENTS, ids=["fourier", "cells"])
@pytest.mark.parametrize("grid", GRIDS, ids=["line", "map", "box"])
def test_covariance_is_the_correlation_function(grid, latents):
    """That of all pairs of cells, exactly."""
    field = GaussianField(grid, POWER, latents)
    matrix = jax.jit(jax.vmap(lambda row: field.predict(row.reshape(grid.shape), {}).ravel()))(jnp.eye(grid.num_cells))
    covariance = (matrix.T @ matrix).reshape(*grid.shape, *grid.shape)
    power = np.asarray(grid.spread(POWER(grid, {})))
    correlation = np.fft.irfftn(power, grid.shape, range(len(grid.shape))) / grid.cell_volume
    origin = (0,) * len(grid.shape)
    np.testing.assert_allclose(covariance[origin], correlation, atol=1e-12)
    somewhere = tuple(n // 2 for n in grid.shape)
    np.testing.assert_allclose(
        covariance[somewhere], np.roll(correlation, somewhere, range(len(grid.shape))), atol=1e-12
    )


def test_response_is_the_ratio_of_modes():
    grid = GRIDS[1]
    field = GaussianField(grid, POWER)
    noise = jr.normal(jr.key(0), grid.shape)
    modes = filtered(field.latents.modes(grid, noise), field.response({}))
    np.testing.assert_allclose(grid.modes(field.predict(noise, {})), modes, atol=1e-12)
    assert field.response({})[0, 0] == 0


def simulated_power(field, num, parameters):
    """Mean power of many fields and its error, each mode's |k| at a time."""
    noise = jr.normal(jr.key(1), (num, *field.grid.shape))
    simulated = jax.lax.map(lambda n: jnp.abs(field.grid.modes(field.predict(n, parameters))) ** 2, noise)
    index = np.asarray(field.grid.spread(jnp.arange(field.grid.shells.size, dtype=float))).astype(int)
    weight = np.broadcast_to(field.grid.multiplicity, index.shape).ravel()
    count = np.bincount(index.ravel(), weight)
    rows = np.array([np.bincount(index.ravel(), weight * row.ravel()) / count for row in np.asarray(simulated)])
    rows = rows * field.grid.cell_volume
    return rows.mean(axis=0)[1:], rows.std(axis=0)[1:] / np.sqrt(num)


@pytest.mark.slow
def test_simulated_spectra_are_the_input_and_a_wrong_one_is_noticed():
    grid = Grid((8, 8, 8), 100.0)
    field = GaussianField(grid, LinearMatterPower())
    parameters = {"Omega_m": jnp.asarray(0.3), "sigma8": jnp.asarray(0.8)}
    mean, error = simulated_power(field, 2000, parameters)
    expected = np.asarray(field.power(grid, parameters))[1:]
    assert np.max(np.abs(mean - expected) / error) < 5
    assert np.max(np.abs(mean - 1.1 * expected) / error) > 5


@pytest.mark.slow
def test_gradients_are_those_of_finite_differences():
    grid = Grid((4, 5), 50.0)
    field = GaussianField(grid, LinearMatterPower())
    noise, weight = jr.normal(jr.key(0), (2, *grid.shape))

    @jax.jit
    def total(x):
        return jnp.sum(weight * field.predict(noise, {"Omega_m": x[0], "sigma8": x[1]}))

    x, step = jnp.array([0.3, 0.8]), 1e-5
    numerical = [(total(x.at[i].add(step)) - total(x.at[i].add(-step))) / (2 * step) for i in range(2)]
    np.testing.assert_allclose(jax.jit(jax.grad(total))(x), numerical, rtol=1e-6)


def test_single_precision():
    field = GaussianField(GRIDS[2], eqx.tree_at(lambda p: (p.wavenumber, p.power), POWER, replace_fn=single))
    assert field.predict(jnp.ones(GRIDS[2].shape, jnp.float32), {}).dtype == jnp.float32


def single(array):
    return array.astype(jnp.float32)
