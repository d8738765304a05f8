"""Log-normal fields: their spectrum and mean are those asked for, and they never fall below their shift."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from tilted_power import Tilted

from cosmoflow.fields import (
    ConfigurationLatents,
    FourierLatents,
    GaussianField,
    Grid,
    LogNormalField,
    TabulatedPower,
)
from cosmoflow.fields._grid import filtered

POWER = TabulatedPower([1e-2, 1.0, 1e2], [3.0, 1.0, 0.01])
GRIDS = [Grid((16,), 8.0), Grid((7, 8), (6.0, 7.0)), Grid((4, 5, 6), 10.0)]
GRID = pytest.mark.parametrize("grid", GRIDS, ids=["line", "map", "box"])


def implied_power(field):
    """The power of x that follows from that of g."""
    grid = field.grid
    amplitude, _ = field._gaussian({})
    correlation = np.fft.irfftn(np.asarray(amplitude) ** 2, grid.shape, range(len(grid.shape)))
    return np.fft.rfftn(float(field.shift) ** 2 * np.expm1(correlation)).real * grid.cell_volume


@pytest.mark.soon(1)
@GRID
def test_power_is_the_one_asked_for(grid):
    """But for one factor, which takes the mean of a finite box into account."""
    field = LogNormalField(grid, POWER, shift=2.0)
    ratio = (implied_power(field) / np.asarray(grid.spread(jnp.maximum(POWER(grid, {}), 1e-30))))[grid.wavenumber > 0]
    np.testing.assert_allclose(ratio, 1, rtol=0.05)
    np.testing.assert_allclose(ratio, ratio.ravel()[0], rtol=1e-6)


def simulated(field, num):
    noise = jr.normal(jr.key(1), (num, *field.grid.shape))
    return np.asarray(jax.jit(lambda n: jax.lax.map(lambda w: field.predict(w, {}), n))(noise))


@pytest.mark.slow
def test_simulated_fields_have_the_power_and_the_mean_and_a_gaussian_one_is_noticed():
    grid = Grid((12, 12), 12.0)
    field = LogNormalField(grid, POWER, shift=1.5)
    fields = simulated(field, 4000)
    assert fields.min() > -1.5
    power = np.abs(np.fft.rfftn(fields, axes=(1, 2))) ** 2 * grid.cell_volume / grid.num_cells
    error = power.std(axis=0) / np.sqrt(len(fields))
    expected = np.asarray(grid.spread(POWER(grid, {})))
    use = grid.wavenumber > 0
    assert np.max((np.abs(power.mean(axis=0) - expected) / error)[use]) < 5
    wrong = np.asarray(field._gaussian({})[0]) ** 2 * grid.cell_volume * 1.5**2  # that of g itself
    assert np.max((np.abs(power.mean(axis=0) - wrong) / error)[use]) > 5
    means = fields.mean(axis=(1, 2))
    assert abs(means.mean()) < 5 * means.std() / np.sqrt(len(means))
    third = np.mean(fields**3, axis=(1, 2))
    assert third.mean() > 5 * third.std() / np.sqrt(len(third))


def test_a_large_shift_is_a_gaussian_field():
    grid, noise = GRIDS[1], jr.normal(jr.key(0), GRIDS[1].shape)
    gaussian = GaussianField(grid, POWER)
    field = LogNormalField(grid, POWER, shift=1e6)
    np.testing.assert_allclose(field.predict(noise, {}), gaussian.predict(noise, {}), atol=1e-4)
    np.testing.assert_allclose(field.response({}), gaussian.response({}), rtol=1e-4)


@pytest.mark.slow
def test_response_is_the_derivative_for_small_fields():
    grid = GRIDS[2]
    field = LogNormalField(grid, TabulatedPower([1e-2, 1e2], [1e-6, 1e-6]))
    direction = jr.normal(jr.key(2), grid.shape)
    _, change = jax.jvp(lambda w: field.predict(w, {}), (jnp.zeros(grid.shape),), (direction,))
    np.testing.assert_allclose(
        grid.modes(change),
        filtered(field.latents.modes(grid, direction), field.response({})),
        rtol=1e-5,
        atol=1e-9,
    )


@pytest.mark.parametrize("latents", [FourierLatents(), ConfigurationLatents()], ids=["fourier", "cells"])
def test_gradients_are_those_of_finite_differences(latents):
    field = LogNormalField(Grid((6, 5), 10.0), Tilted(0.5), 1.5, latents)
    noise, weight, direction = jr.normal(jr.key(0), (3, *field.grid.shape))

    @jax.jit
    def total(x):
        return jnp.sum(weight * field.predict(noise + x[2] * direction, {"Omega_m": x[0], "sigma8": x[1]}))

    x, step = jnp.array([0.3, 0.8, 0.1]), 1e-4
    numerical = [(total(x.at[i].add(step)) - total(x.at[i].add(-step))) / (2 * step) for i in range(3)]
    np.testing.assert_allclose(jax.jit(jax.grad(total))(x), numerical, rtol=1e-5)


@pytest.mark.slow
def test_power_that_is_left_out_has_no_derivative():
    """No NaN where a mode of g has none."""
    grid = Grid((8,), 8.0)
    field = LogNormalField(grid, TabulatedPower([1.0, 1.5, 2.0], [0.2, 1e-12, 0.2]))
    assert np.sum(np.asarray(field._gaussian({})[0]) == 0) > 1
    gradient = jax.grad(lambda w: jnp.sum(field.predict(w, {}) ** 2))(jnp.ones(8))
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("shift", [0.0, -1.0, float("nan")])
def test_refusals(shift):
    with pytest.raises(ValueError, match="needs a positive shift"):
        LogNormalField(GRIDS[0], POWER, shift)
