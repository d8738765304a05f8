"""Spectra in bins of |k|: sums over the whole space, by hand."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.fields import ConfigurationLatents, FourierLatents, Grid, WavenumberBins

GRIDS = [Grid((8, 6, 5), (80.0, 90.0, 50.0)), Grid((16, 16), 10.0), Grid((9,), 3.0)]


def whole(grid, *fields):
    """Modes of the whole space, and their |k|."""
    axes = [2 * np.pi * np.fft.fftfreq(n, length / n) for n, length in zip(grid.shape, grid.box_size, strict=True)]
    wavenumber = np.sqrt(sum(k**2 for k in np.meshgrid(*axes, indexing="ij")))
    return [np.fft.fftn(np.asarray(field)) / np.sqrt(field.size) for field in fields], wavenumber


@pytest.mark.soon(1)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_averages_over_the_whole_space(grid):
    a, b = jr.normal(jr.key(0), (2, *grid.shape))
    b = b + 0.5 * a
    bins = WavenumberBins(grid)
    (all_a, all_b), wavenumber = whole(grid, a, b)
    cross = (all_a * all_b.conj()).real * grid.cell_volume
    got = bins.cross_spectrum(grid.modes(a), grid.modes(b))
    for i, (low, high) in enumerate(zip(bins.edges[:-1], bins.edges[1:], strict=True)):
        inside = (wavenumber >= low) & (wavenumber < high)
        assert bins.num_modes[i] == inside.sum()
        np.testing.assert_allclose(bins.wavenumber[i], wavenumber[inside].mean())
        np.testing.assert_allclose(got[i], cross[inside].mean(), rtol=1e-10)
    assert bins.num_modes.sum() == grid.num_cells - 1


def test_a_field_and_its_multiple():
    grid = GRIDS[1]
    bins, modes = WavenumberBins(grid), grid.modes(jr.normal(jr.key(1), grid.shape))
    np.testing.assert_allclose(bins.transfer(-3 * modes, modes), 3)
    np.testing.assert_allclose(bins.coherence(-3 * modes, modes), -1)
    np.testing.assert_allclose(bins.power_spectrum(modes * 2), 4 * bins.power_spectrum(modes))
    assert jnp.all(bins.coherence(0 * modes, modes) == 0) and jnp.all(bins.transfer(modes, 0 * modes) == 0)


def test_white_noise_has_the_power_of_a_cell():
    grid = Grid((32, 32, 32), 64.0)
    bins = WavenumberBins(grid)
    power = bins.power_spectrum(grid.modes(jr.normal(jr.key(2), grid.shape))) / grid.cell_volume
    assert np.all(np.abs(power - 1) < 5 * np.sqrt(2 / bins.num_modes))
    assert not np.all(np.abs(1.05 * power - 1) < 5 * np.sqrt(2 / bins.num_modes))


@pytest.mark.slow
def test_gradients_and_batches():
    grid = GRIDS[0]
    bins, fields = WavenumberBins(grid), jr.normal(jr.key(3), (3, *grid.shape))
    truth = grid.modes(fields[2])

    def total(field):
        modes = grid.modes(field)
        return jnp.sum(jnp.stack([bins.coherence(modes, truth), bins.transfer(modes, truth)]))

    direction, step = jr.normal(jr.key(4), grid.shape), 1e-5
    slope = (total(fields[0] + step * direction) - total(fields[0] - step * direction)) / (2 * step)
    np.testing.assert_allclose(jnp.sum(jax.grad(total)(fields[0]) * direction), slope, rtol=1e-6)
    batch = jax.jit(jax.vmap(lambda field: bins.power_spectrum(grid.modes(field))))(fields)
    np.testing.assert_allclose(batch[1], bins.power_spectrum(grid.modes(fields[1])), rtol=1e-12)
    assert jnp.all(jnp.isfinite(jax.grad(total)(jnp.zeros(grid.shape))))


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_bins_of_latents(grid):
    """A latent alone has power in its own bin alone."""
    bins = WavenumberBins(grid)
    chosen = bins.choose(2)
    assert chosen.shape == (len(bins), 2) and np.array_equal(chosen, bins.choose(2))
    for i, latent in enumerate(chosen[:, 1]):
        latents = jnp.zeros(grid.num_cells).at[latent].set(1.0).reshape(grid.shape)
        power = np.asarray(bins.power_spectrum(FourierLatents().modes(grid, latents)))
        np.testing.assert_array_equal(np.flatnonzero(power), [i])
        np.testing.assert_allclose(power[i] * bins.num_modes[i], grid.cell_volume)


def test_latents_of_both_kinds_have_the_same_modes():
    grid, white = GRIDS[0], jr.normal(jr.key(5), GRIDS[0].shape)
    modes = ConfigurationLatents().modes(grid, white)
    hartley = FourierLatents().latents(grid, modes)
    np.testing.assert_allclose(FourierLatents().modes(grid, hartley), modes, atol=1e-12)


def test_bins_that_cannot_be():
    with pytest.raises(ValueError, match="ascending"):
        WavenumberBins(GRIDS[1], (1.0, 0.5))
    with pytest.raises(ValueError, match=r"No mode of the grid lies in the bin 0\.7 <= "):
        WavenumberBins(GRIDS[1], (0.5, 0.7, 0.75, 2.0))
