"""Flows of fields: Gaussian at the start and exactly so, translation-invariant, compiled once, calibrated given data."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from dynamics.test_symplectic_map import shaken
from flowjax.distributions import StandardNormal, Transformed
from jax.scipy.stats import multivariate_normal

import cosmoflow as cf
from cosmoflow.dynamics import ConvolutionalPotential, wavenumbers
from cosmoflow.flows import FieldMomentum, FlowPosterior, SpectralScale, field_flow

SMALL: dict[str, Any] = {"num_maps": 2, "num_filters": 2, "width": 4, "num_modes": 3}


def power(grid, scale=0.1, slope=1.2):
    """A red spectrum of mean one over all modes."""
    p = (wavenumbers(grid) ** 2 + scale**2) ** -slope
    last = np.arange(grid[-1] // 2 + 1)
    counted = np.where((last == 0) | (2 * last == grid[-1]), 1.0, 2.0)
    return p * math.prod(grid) / np.sum(p * counted)


def gaussian_fields(grid, num, rng):
    axes = tuple(range(1, 1 + len(grid)))
    spectra = np.fft.rfftn(rng.standard_normal((num, *grid)), axes=axes) * np.sqrt(power(grid))
    return jnp.asarray(np.fft.irfftn(spectra, grid, axes).reshape(num, -1))


def log_normal_fields(grid, num, rng, sd=1.0):
    return jnp.asarray(jnp.expm1(sd * gaussian_fields(grid, num, rng) - 0.5 * sd**2) / sd)


def gaussian_law(grid, **settings):
    return Transformed(StandardNormal((math.prod(grid),)), SpectralScale(grid, **settings))


@pytest.mark.soon(1)
@pytest.mark.parametrize("grid", [(5,), (4, 6), (3, 2, 5)])
def test_spectral_scale_is_a_bijection_with_its_jacobian(grid):
    scale = shaken(SpectralScale(grid, num_knots=3), jr.key(0))
    x = jr.normal(jr.key(1), scale.shape)
    y, log_det = eqx.filter_jit(scale.transform_and_log_det)(x)
    np.testing.assert_allclose(log_det, jnp.linalg.slogdet(jax.jit(jax.jacfwd(scale.transform))(x))[1], atol=1e-11)
    back, log_det_back = scale.inverse_and_log_det(y)
    np.testing.assert_allclose(back, x, atol=1e-12)
    np.testing.assert_allclose(log_det_back, -log_det, atol=1e-12)


def test_spectral_scale_takes_mean_and_spectrum_of_fields():
    grid = (8, 8, 8)
    scale = SpectralScale(grid, fields=3 + gaussian_fields(grid, 400, np.random.default_rng(0)))
    assert abs(scale.mean - 3) < 0.1
    ratio = np.asarray(scale.power) / power(grid)
    assert 0.8 < ratio[0, 0, 0] < 1.2
    assert np.max(np.abs(np.log(ratio.ravel()[1:]))) < 0.12
    with pytest.raises(ValueError, match="has 8 cells"):
        SpectralScale((2, 4), fields=jnp.ones((3, 7)))


def test_the_encoder_says_the_density_of_its_draws():
    """A draw is an affine function of standard normal noise, whose factor is the covariance's."""
    encoder = shaken(FieldMomentum((2, 3), num_conditions=1, num_knots=3, key=jr.key(0)), jr.key(1))
    condition = jr.normal(jr.key(2), (12,))

    @jax.jit
    def compared(key):
        mean, log_sigma = encoder._moments(condition)
        factor = jax.jacfwd(lambda e: jnp.exp(log_sigma) * encoder.scale.transform(e))(jnp.zeros(6))
        centre = mean + jnp.exp(log_sigma) * encoder.scale.mean
        p, log_prob = encoder.sample_and_log_prob(key, condition=condition)
        again = encoder.sample(key, condition=condition)
        return (
            multivariate_normal.logpdf(p, centre, factor @ factor.T),
            log_prob,
            encoder.log_prob(p, condition),
            again - p,
        )

    expected, *found, difference = compared(jr.key(3))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(difference, 0, atol=1e-12)


@pytest.mark.soon(1)
@pytest.mark.parametrize("num_maps", [1, 3])
def test_untrained_it_is_the_gaussian_law_of_the_fields(num_maps):
    grid = (6, 4)
    fields = 0.3 + gaussian_fields(grid, 50, np.random.default_rng(0))
    flow = field_flow(grid, num_maps=num_maps, fields=fields, key=jr.key(0))
    law = gaussian_law(grid, fields=fields)
    bound = eqx.filter_jit(lambda q: flow.elbo(q, key=jr.key(1)))(fields[0])
    np.testing.assert_allclose(bound, law.log_prob(fields[0]), rtol=1e-12)


@pytest.mark.soon(1)
@pytest.mark.parametrize("num_conditions", [0, 1])
def test_it_has_no_origin(num_conditions):
    grid = (6, 4)
    flow = shaken(field_flow(grid, num_conditions=num_conditions, **SMALL, key=jr.key(0)), jr.key(1))
    x, c = jr.normal(jr.key(2), (2, *grid)), jr.normal(jr.key(3), grid)

    @jax.jit
    def log_prob(x, c):
        condition = c.ravel() if num_conditions else None
        q, p = x.reshape(2, -1)
        return flow.log_prob(x.ravel(), condition) - flow.momentum.log_prob(
            p, jnp.append(q, c) if num_conditions else q
        )

    moved = log_prob(jnp.roll(x, (2, -1), (1, 2)), jnp.roll(c, (2, -1), (0, 1)))
    np.testing.assert_allclose(moved, log_prob(x, c), rtol=1e-11)
    if num_conditions:
        assert abs(log_prob(x, jnp.roll(c, 1, 0)) - log_prob(x, c)) > 1e-3


def test_a_flow_of_no_maps_is_refused():
    with pytest.raises(ValueError, match="at least one map"):
        field_flow((4, 4), num_maps=0, key=jr.key(0))


def test_gaussian_target_is_white_in_the_coordinates_of_its_flow():
    grid = (4, 4)
    fields = gaussian_fields(grid, 200, np.random.default_rng(0))
    law = gaussian_law(grid, fields=fields)
    target = cf.targets.CallableTarget(lambda q: law.log_prob(q), jnp.zeros(16))
    latent = cf.neural_transport(target, field_flow(grid, fields=fields, key=jr.key(0)))
    z = jr.normal(jr.key(1), (32,))
    np.testing.assert_allclose(jax.jit(jax.grad(latent.log_density))(z), -z, atol=1e-10)


@pytest.mark.slow
def test_a_flow_as_a_prior():
    grid = (4, 4)
    flow = shaken(field_flow(grid, **SMALL, key=jr.key(0)), jr.key(1))
    observed = jr.normal(jr.key(2), (16,))
    likelihood = cf.likelihoods.FunctionLikelihood(lambda field: -0.5 * jnp.sum((field - observed) ** 2))
    target = FlowPosterior(flow, likelihood)
    z = jr.normal(jr.key(3), (target.dim,))
    x, log_det = flow.bijection.transform_and_log_det(z)
    expected = flow.log_prob(x) + log_det - 0.5 * jnp.sum((x[:16] - observed) ** 2)
    np.testing.assert_allclose(eqx.filter_jit(target.log_density)(z), expected, rtol=1e-10)
    np.testing.assert_array_equal(target.constrain(z)["field"], x[:16])
    with pytest.raises(ValueError, match="requires"):
        FlowPosterior(flow, likelihood, name="map")
    with pytest.raises(ValueError, match="unconditional"):
        FlowPosterior(field_flow(grid, num_conditions=1, **SMALL, key=jr.key(0)), likelihood)


@pytest.mark.slow
def test_convolutional_potentials_take_the_condition_too():
    grid = (4, 4)

    def potential(key):
        return ConvolutionalPotential(grid, num_conditions=1, channels=2, depth=1, key=key)

    flow = shaken(field_flow(grid, num_conditions=1, potential=potential, **SMALL, key=jr.key(0)), jr.key(1))
    x, c = jr.normal(jr.key(2), (32,)), jr.normal(jr.key(3), (16,))
    log_prob = eqx.filter_jit(flow.log_prob)
    np.testing.assert_allclose(log_prob(x, c), flow.given(c).log_prob(x), rtol=1e-12)
    assert abs(log_prob(x, 2 * c) - log_prob(x, c)) > 1e-3
