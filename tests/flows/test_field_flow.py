"""Flows of fields: Gaussian at the start and exactly so, translation-invariant, compiled once, calibrated given data."""

import logging
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from dynamics.test_symplectic_map import shaken
from flowjax.distributions import StandardNormal, Transformed
from jax.scipy.stats import multivariate_normal
from scipy.stats import chi2

import cosmoflow as cf
from cosmoflow._results import RunError
from cosmoflow.dynamics import ConvolutionalPotential, wavenumbers
from cosmoflow.flows import FieldMomentum, FlowPosterior, SpectralScale, field_flow
from cosmoflow.training import NegativeELBO, ReverseKL, default_optimizer
from cosmoflow.training._fit import _train_chunk, _Training

SMALL = {"num_maps": 2, "num_filters": 2, "width": 4, "num_modes": 3}


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


@pytest.mark.parametrize("num_maps", [1, 3])
def test_untrained_it_is_the_gaussian_law_of_the_fields(num_maps):
    grid = (6, 4)
    fields = 0.3 + gaussian_fields(grid, 50, np.random.default_rng(0))
    flow = field_flow(grid, num_maps=num_maps, fields=fields, key=jr.key(0))
    law = gaussian_law(grid, fields=fields)
    bound = eqx.filter_jit(lambda q: flow.elbo(q, key=jr.key(1)))(fields[0])
    np.testing.assert_allclose(bound, law.log_prob(fields[0]), rtol=1e-12)


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


def test_a_flow_as_a_prior():
    grid = (4, 4)
    flow = shaken(field_flow(grid, **SMALL, key=jr.key(0)), jr.key(1))
    observed = jr.normal(jr.key(2), (16,))
    likelihood = cf.likelihoods.FunctionLikelihood(lambda field: -0.5 * jnp.sum((field - observed) ** 2))
    target = FlowPosterior(flow, likelihood)
    z = jr.normal(jr.key(3), (target.dim,))
    x, log_det = flow.bijection.transform_and_log_det(z)
    expected = flow.log_prob(x) + log_det - 0.5 * jnp.sum((x[:16] - observed) ** 2)
    np.testing.assert_allclose(jax.jit(target.log_density)(z), expected, rtol=1e-10)
    np.testing.assert_array_equal(target.constrain(z)["field"], x[:16])
    with pytest.raises(ValueError, match="requires"):
        FlowPosterior(flow, likelihood, name="map")
    with pytest.raises(ValueError, match="unconditional"):
        FlowPosterior(field_flow(grid, num_conditions=1, **SMALL, key=jr.key(0)), likelihood)


def test_convolutional_potentials_take_the_condition_too():
    grid = (4, 4)

    def potential(key):
        return ConvolutionalPotential(grid, num_conditions=1, channels=2, depth=1, key=key)

    flow = shaken(field_flow(grid, num_conditions=1, potential=potential, **SMALL, key=jr.key(0)), jr.key(1))
    x, c = jr.normal(jr.key(2), (32,)), jr.normal(jr.key(3), (16,))
    log_prob = jax.jit(flow.log_prob)
    np.testing.assert_allclose(log_prob(x, c), flow.given(c).log_prob(x), rtol=1e-12)
    assert abs(log_prob(x, 2 * c) - log_prob(x, c)) > 1e-3


def test_a_chunk_of_training_stays_on_the_device():
    """The compiled program of a chunk neither feeds nor calls the host."""
    grid = (8, 8, 8)
    fields = gaussian_fields(grid, 8, np.random.default_rng(0))
    parameters, static = eqx.partition(field_flow(grid, **SMALL, fields=fields, key=jr.key(0)), eqx.is_inexact_array)
    optimizer = optax.adam(1e-2)
    training = _Training(parameters, optimizer.init(parameters), parameters, jnp.asarray(jnp.inf))
    lowered = _train_chunk.lower(
        training, static, NegativeELBO(), fields, optimizer, jr.key(1), jnp.asarray(0),
        num_steps=5, batch_size=2, num_validation=2,
    )  # fmt: skip
    program = lowered.compile().compiled.as_text()
    assert "fft" in program
    for word in ("infeed", "outfeed", "callback", "send(", "recv("):
        assert word not in program


def test_training_is_compiled_once_and_resumed_with_the_same_bits(tmp_path, caplog):
    grid = (16, 16, 16)
    fields = log_normal_fields(grid, 8, np.random.default_rng(0))
    flow = field_flow(grid, **SMALL | {"num_maps": 1}, fields=fields, key=jr.key(0))
    settings = {"data": fields, "num_steps": 6, "batch_size": 2, "chunk": 2, "key": jr.key(1)}
    settings["optimizer"] = default_optimizer(6)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        whole, history = cf.fit(flow, NegativeELBO(), **settings)
    assert sum("Compiling" in r.message and "_train_chunk" in r.message for r in caplog.records) == 1
    calls = iter([False, True])
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store, pytest.raises(RunError):
        cf.fit(flow, NegativeELBO(), store=store, stop=lambda: next(calls), **settings)
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
        resumed, again = cf.fit(flow, NegativeELBO(), store=store, **settings)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(history.losses, again.losses)


@pytest.mark.slow
def test_a_gaussian_field_is_learned_to_a_hundredth_of_a_nat_per_dimension():
    """From the spectrum of the training fields; the bound and the exact law on fields that were not."""
    grid, rng = (32, 32, 32), np.random.default_rng(0)
    fields, held_out = gaussian_fields(grid, 200, rng), gaussian_fields(grid, 8, rng)
    flow = field_flow(grid, **SMALL | {"num_maps": 1}, fields=fields, key=jr.key(0))
    flow, _ = cf.fit(flow, NegativeELBO(), data=fields, num_steps=20, batch_size=2, chunk=10, key=jr.key(1))
    last = np.arange(17)
    counted = np.where((last == 0) | (last == 16), 1.0, 2.0)
    modes = np.abs(np.fft.rfftn(held_out.reshape(-1, *grid), axes=(1, 2, 3), norm="ortho")) ** 2
    exact = -0.5 * np.sum(counted * (modes / power(grid) + np.log(2 * np.pi * power(grid))), axis=(1, 2, 3))
    bound = jax.lax.map(lambda a: flow.elbo(a[0], key=a[1]), (held_out, jr.split(jr.key(2), 8)))
    assert -1e-3 < np.mean(exact - bound) / 32**3 < 0.01


@pytest.mark.slow
def test_log_normal_fields_are_learned_beyond_their_spectrum():
    grid, rng = (8, 8, 8), np.random.default_rng(0)
    fields, held_out = log_normal_fields(grid, 400, rng), log_normal_fields(grid, 32, rng)
    flow = field_flow(grid, num_maps=2, width=8, fields=fields, key=jr.key(0))
    flow, _ = cf.fit(flow, NegativeELBO(), data=fields, num_steps=150, batch_size=8, key=jr.key(1))
    bound = jax.lax.map(lambda a: flow.elbo(a[0], key=a[1]), (held_out, jr.split(jr.key(2), 32)))
    baseline = jax.vmap(gaussian_law(grid, fields=fields).log_prob)(held_out)
    gain = (bound - baseline) / 8**3
    assert jnp.mean(gain) > 0.3 > 5 * jnp.std(gain) / 32**0.5


NOISE = 0.5


def chi_square(ranks, num_draws):
    """p-value of uniform ranks in eight bins, for each statistic."""
    expected = len(ranks) / 8
    counted = np.stack([np.histogram(r, 8, (-0.5, num_draws + 0.5))[0] for r in ranks.T])
    return chi2.sf(np.sum((counted - expected) ** 2, axis=1) / expected, 7)


@pytest.mark.slow
def test_amortised_inference_is_calibrated():
    """Ranks of true band powers and modes of log-normal maps among draws given noisy maps; draws given other data fail.

    The control is handed data whose noise is half of what the training had.
    """
    grid, rng, num_draws = (8, 8), np.random.default_rng(0), 63
    fields, truths = log_normal_fields(grid, 20_000, rng, sd=0.5), log_normal_fields(grid, 400, rng, sd=0.5)
    data, observed = (f + NOISE * jnp.asarray(rng.standard_normal(f.shape)) for f in (fields, truths))
    flow = field_flow(grid, num_conditions=1, width=8, fields=fields[:2000], key=jr.key(0))
    flow, _ = cf.fit(flow, NegativeELBO(), data=(fields, data), num_steps=800, batch_size=64, key=jr.key(1))
    bands = np.rint(8 * wavenumbers(grid))

    def statistics(field):
        modes = jnp.fft.rfftn(field.reshape(grid), norm="ortho")
        powers = [jnp.sum(jnp.where(bands == b, jnp.abs(modes) ** 2, 0)) for b in range(1, 5)]
        return jnp.stack([*powers, modes.real[0, 1], modes.imag[1, 1], modes.real[2, 2], modes.imag[3, 1], field[0]])

    @jax.jit
    def ranks(truths, observed):
        def of(given):
            truth, condition, key = given
            sample = jax.vmap(lambda k: flow.sample_position(key=k, condition=condition))(jr.split(key, num_draws))
            return jnp.sum(jax.vmap(statistics)(sample) < statistics(truth), axis=0)

        return jax.lax.map(of, (truths, observed, jr.split(jr.key(2), len(truths))))

    right = chi_square(np.asarray(ranks(truths, observed)), num_draws)
    wrong = chi_square(np.asarray(ranks(truths, 0.5 * (truths + observed))), num_draws)
    assert right.min() > 1e-3 / len(right), right
    assert np.max(wrong[:4]) < 1e-6, wrong


@pytest.mark.slow
def test_a_flow_is_the_posterior_of_a_noisy_field():
    """Reverse divergence on a Gaussian posterior: its moments, its evidence, and a latent target close to white."""
    grid, rng = (6, 6), np.random.default_rng(1)
    prior = gaussian_law(grid, fields=gaussian_fields(grid, 2000, rng))
    truth = prior.sample(jr.key(0))
    data = truth + NOISE * jr.normal(jr.key(1), truth.shape)

    def log_density(q):
        return prior.log_prob(q) + jnp.sum(jax.scipy.stats.norm.logpdf(data, q, NOISE))

    target = cf.targets.CallableTarget(log_density, jnp.zeros(36))
    flow = field_flow(grid, num_conditions=1, num_maps=2, width=8, key=jr.key(2)).given(data)
    flow, _ = cf.fit(flow, ReverseKL(target, 32, path_gradient=True), num_steps=500, key=jr.key(3))
    precision = -jax.hessian(log_density)(jnp.zeros(36))
    covariance = jnp.linalg.inv(precision)
    mean = covariance @ jax.grad(log_density)(jnp.zeros(36))
    found = cf.importance_sample(flow, target, num_samples=4000, num_momenta=4, key=jr.key(4))
    log_evidence = log_density(mean) + 0.5 * (36 * jnp.log(2 * jnp.pi) - jnp.linalg.slogdet(precision)[1])
    assert found.ess_fraction > 0.3 and found.pareto_k < 0.7
    assert abs(found.log_evidence - log_evidence) < 5 * found.log_evidence_error
    drawn = found.x[:, :36]
    sd = jnp.sqrt(jnp.diagonal(covariance))
    assert jnp.max(jnp.abs(jnp.mean(drawn, axis=0) - mean) / sd) < 0.3
    assert jnp.max(jnp.abs(jnp.log(jnp.std(drawn, axis=0) / sd))) < 0.2
    latent = cf.neural_transport(target, flow)
    curvature = jnp.linalg.eigvalsh(-jax.jit(jax.hessian(latent.log_density))(jnp.zeros(72)))
    assert curvature[-1] / curvature[0] < 4 < jnp.linalg.cond(precision)
