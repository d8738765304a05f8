"""Wiener coordinates: bijections, and N(0, I) exactly where the field and its noise are Gaussian."""

import dataclasses

import equinox as eqx
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
from cosmoflow.likelihoods import FieldLevel, FunctionLikelihood, GaussianNoise, JointLikelihood
from cosmoflow.targets import (
    LinearTheory,
    Normal,
    Posterior,
    Prior,
    Pullback,
    WhiteNoise,
    log_standard_normal,
    wiener_coordinates,
)

GRIDS = {"line": Grid((6,), 60.0), "map": Grid((3, 4), (30.0, 50.0)), "box": Grid((2, 3, 3), 40.0)}
LATENTS = {"fourier": FourierLatents(), "cells": ConfigurationLatents()}
POWER = TabulatedPower([1e-3, 1.0, 1e3], [2000.0, 20.0, 1.0])


def posterior(grid, latents=None, power=POWER, kind=GaussianField, noise=0.4, mask=None):
    data = np.asarray(jr.normal(jr.key(5), grid.shape))
    model = kind(grid, power, latents=FourierLatents() if latents is None else latents)
    blocks = {"Omega_m": Normal(0.3, 0.03), "sigma8": Normal(0.8, 0.05)} if model.required else {}
    prior = Prior({**blocks, "white_noise": WhiteNoise(grid.shape)})
    return Posterior(prior, FieldLevel(model, GaussianNoise(noise), data, mask))


@pytest.mark.soon(2)
@pytest.mark.parametrize("latents", LATENTS.values(), ids=LATENTS.keys())
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
def test_a_gaussian_field_becomes_the_standard_normal_law(grid, latents):
    """Up to the evidence, that of N(0, P + N) on the grid."""
    target = posterior(grid, latents)
    white = Pullback(target, wiener_coordinates(target))
    points = jr.normal(jr.key(0), (4, target.dim))
    ratio = jax.vmap(lambda z: white.log_density(z) - log_standard_normal(z))(points)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-11)
    modes = grid.modes(target.likelihood.data)
    variance = target.likelihood.model.response({}) ** 2 + 0.4**2
    terms = -0.5 * jnp.abs(modes) ** 2 / variance - 0.5 * jnp.log(2 * jnp.pi * variance)
    np.testing.assert_allclose(ratio[0], jnp.sum(terms * grid.multiplicity.astype(float)), rtol=1e-10)


@pytest.mark.parametrize("static", [False, True])
def test_with_cosmology_it_is_that_law_where_the_response_was_taken(static):
    target = posterior(GRIDS["map"], power=Tilted())
    at = jnp.zeros(target.dim)
    white = Pullback(target, wiener_coordinates(target, at=at if static else None))
    points = jr.normal(jr.key(1), (6, target.dim))

    @jax.jit
    @jax.vmap
    def excess(z):
        return white.log_density(z) - log_standard_normal(z)

    fixed = points.at[:, :2].set(0)
    np.testing.assert_allclose(excess(fixed), excess(fixed)[0], rtol=1e-10)
    moved = points.at[:, :2].set(jnp.array([1.0, -1.5]))
    spread = np.ptp(excess(moved))
    assert spread > 1e-3 if static else spread < 1e-9


@pytest.mark.soon(1)
@pytest.mark.parametrize("kind", [GaussianField, LogNormalField])
@pytest.mark.parametrize("static", [False, True])
def test_bijection_with_the_log_det_of_its_jacobian(kind, static):
    target = posterior(GRIDS["map"], power=Tilted(), kind=kind, mask=np.arange(12).reshape(3, 4) > 2)
    wiener = wiener_coordinates(target, at=jnp.ones(target.dim) if static else None)
    z = jr.normal(jr.key(2), (target.dim,))
    x, log_det = eqx.filter_jit(wiener.transform_and_log_det)(z)
    back, negative = eqx.filter_jit(wiener.inverse_and_log_det)(x)
    np.testing.assert_allclose(back, z, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(negative, -log_det, rtol=1e-11)
    jacobian = jax.jit(jax.jacfwd(lambda z: wiener.transform(z)))(z)
    np.testing.assert_allclose(np.linalg.slogdet(jacobian)[1], log_det, rtol=1e-10)
    np.testing.assert_array_equal(x[:2], z[:2])


def test_gradients_are_those_of_finite_differences():
    target = posterior(GRIDS["line"], power=Tilted())
    white = Pullback(target, wiener_coordinates(target))
    z, direction = jr.normal(jr.key(3), (2, target.dim))
    value = eqx.filter_jit(white.log_density)
    gradient = jax.jit(jax.grad(lambda z: white.log_density(z)))(z)
    step = 1e-5
    numerical = (value(z + step * direction) - value(z - step * direction)) / (2 * step)
    np.testing.assert_allclose(gradient @ direction, numerical, rtol=1e-6)


def test_a_wrong_response_is_noticed():
    target = posterior(GRIDS["box"])
    wrong = posterior(GRIDS["box"], power=TabulatedPower(POWER.wavenumber, 1.2 * POWER.power))
    white = Pullback(target, wiener_coordinates(wrong))
    points = jr.normal(jr.key(4), (4, target.dim))
    assert np.ptp(jax.vmap(lambda z: white.log_density(z) - log_standard_normal(z))(points)) > 1e-2


def test_noise_that_varies_enters_by_its_mean():
    grid = GRIDS["map"]
    sd = np.linspace(0.3, 0.6, 12).reshape(3, 4)
    wiener = wiener_coordinates(posterior(grid, noise=sd))
    np.testing.assert_allclose(wiener.precision, np.mean(sd**-2), rtol=1e-12)


def test_one_field_is_found_among_other_likelihoods_and_none_elsewhere():
    field = posterior(GRIDS["line"])
    other = FunctionLikelihood(lambda a: -0.5 * a**2)
    prior = Prior({"a": Normal(0.0, 1.0), "white_noise": WhiteNoise((6,))})
    joint = Posterior(prior, JointLikelihood({"other": other, "field": field.likelihood}))
    assert wiener_coordinates(joint).shape == (7,)
    assert wiener_coordinates(Posterior(Prior({"a": Normal(0.0, 1.0)}), other)) is None


def test_linear_theory_is_the_marginal_law_of_the_parameters():
    """Of a Gaussian field it is exact: in Wiener coordinates the density is that of N(0, I) times it."""
    target = posterior(GRIDS["map"], power=Tilted())
    wiener = wiener_coordinates(target)
    white, linear = Pullback(target, wiener), LinearTheory(wiener)
    points = jr.normal(jr.key(4), (5, target.dim))

    @jax.jit
    @jax.vmap
    def difference(z):
        return white.log_density(z) - log_standard_normal(z[2:]) - linear.log_density(z[:2])

    np.testing.assert_allclose(difference(points), difference(points)[0], rtol=1e-9)


def test_a_field_that_is_scaled_only_starts_from_the_filter():
    wiener = wiener_coordinates(posterior(GRIDS["map"], power=Tilted()))
    scaled = dataclasses.replace(wiener, centred=False)
    z = jr.normal(jr.key(6), wiener.shape)
    x, log_det = scaled.transform_and_log_det(scaled.start(z))
    np.testing.assert_allclose(x, wiener.transform(z), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(scaled.inverse(x), scaled.start(z), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(log_det, wiener.transform_and_log_det(z)[1], rtol=1e-11)
