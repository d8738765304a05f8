"""Likelihoods of whole fields: sums over cells, masks, gradients, bad data."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats
from tilted_power import Tilted

from cosmoflow.fields import GaussianField, Grid, LogNormalField, TabulatedPower
from cosmoflow.likelihoods import FieldLevel, GaussianNoise, PoissonNoise

GRID = Grid((4, 5), 40.0)
POWER = TabulatedPower([1e-3, 1e3], [50.0, 5.0])
NOISE = jr.normal(jr.key(0), GRID.shape)
MASK = np.arange(20).reshape(4, 5) % 3 > 0


def gaussian(data, mask=None, noise=None):
    return FieldLevel(GaussianField(GRID, POWER), GaussianNoise(0.5) if noise is None else noise, data, mask)


def test_log_likelihood_is_the_sum_over_observed_cells():
    data = np.asarray(jr.normal(jr.key(1), GRID.shape))
    likelihood = gaussian(data)
    field = np.asarray(likelihood.predict({"white_noise": NOISE}))
    cells = stats.norm(field, 0.5).logpdf(data)
    np.testing.assert_allclose(likelihood.log_likelihood({"white_noise": NOISE}), cells.sum(), rtol=1e-12)
    masked = gaussian(np.where(MASK, data, np.nan), MASK)
    np.testing.assert_allclose(masked.log_likelihood({"white_noise": NOISE}), cells[MASK].sum(), rtol=1e-12)
    np.testing.assert_array_equal(masked.precision(), np.where(MASK, 4.0, 0.0))
    np.testing.assert_array_equal(masked.observed_data()["mask"], MASK)
    assert np.all(np.isfinite(jax.grad(lambda w: masked.log_likelihood({"white_noise": w}))(NOISE)))


@pytest.mark.slow
def test_simulated_data_are_prediction_and_noise():
    likelihood = gaussian(np.zeros(GRID.shape))
    field = likelihood.predict({"white_noise": NOISE})
    keys = jr.split(jr.key(2), 2000)
    data = np.asarray(jax.vmap(lambda k: likelihood.simulate({"white_noise": NOISE}, key=k))(keys))
    assert np.all(np.abs(data.mean(axis=0) - field) < 5 * 0.5 / np.sqrt(2000))
    np.testing.assert_allclose(data.std(axis=0), 0.5, rtol=0.1)


def test_names_are_those_of_the_model():
    model = LogNormalField(GRID, Tilted())
    likelihood = FieldLevel(model, PoissonNoise(3.0), np.ones(GRID.shape))
    assert likelihood.required == ("white_noise", "Omega_m", "sigma8")
    assert likelihood.optional == model.optional


@pytest.mark.parametrize(
    "likelihood",
    [
        gaussian(np.ones(GRID.shape), MASK),
        FieldLevel(LogNormalField(GRID, Tilted(2.0)), PoissonNoise(3.0), np.ones(GRID.shape), MASK),
    ],
    ids=["gaussian", "poisson"],
)
def test_gradients_are_those_of_finite_differences(likelihood):
    direction = jr.normal(jr.key(3), GRID.shape)

    @jax.jit
    def value(x):
        given = {"Omega_m": x[1], "sigma8": x[2], "white_noise": NOISE + x[0] * direction}
        return likelihood.log_likelihood(given)

    x, step = jnp.array([0.1, 0.3, 0.8]), 1e-4
    numerical = [(value(x.at[i].add(step)) - value(x.at[i].add(-step))) / (2 * step) for i in range(3)]
    np.testing.assert_allclose(jax.jit(jax.grad(value))(x), numerical, rtol=1e-5, atol=1e-9)


def test_data_are_leaves():
    likelihood = gaussian(np.ones(GRID.shape), MASK)
    assert sum(leaf.shape == GRID.shape for leaf in jax.tree.leaves(likelihood)) >= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((4, 4)),), r"data have shape \(4, 4\), but the grid has \(4, 5\)"),
        ((np.ones((4, 5)), np.ones((5, 4))), r"mask has shape \(5, 4\)"),
        ((np.ones((4, 5)), np.zeros((4, 5))), "mask is empty"),
        ((np.where(MASK, 1.0, np.nan),), r"not finite in 7 cells, first in \(0, 0\); mask them"),
        ((np.where(MASK, 1.0, np.inf), ~MASK), "not finite in 7 cells"),
        ((np.ones((4, 5)), None, GaussianNoise(np.ones(5))), r"noise has shape \(5,\)"),
        ((np.full((4, 5), 0.5), None, PoissonNoise(1.0)), "not whole numbers"),
        ((np.full((4, 5), -1.0), None, PoissonNoise(1.0)), "not whole numbers"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian(*arguments)
