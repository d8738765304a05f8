"""Laws of the noise of fields: against scipy, normalised, sampled, and their second moments."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from cosmoflow.likelihoods import GaussianNoise, NegativeBinomialNoise, PoissonNoise

CONTRAST = jnp.array([-0.5, 0.0, 0.7, 2.0])
COUNTS = np.arange(400.0)


def scipy_law(noise, contrast):
    if isinstance(noise, GaussianNoise):
        return stats.norm(contrast, np.asarray(noise.sd))
    mean = np.asarray(noise.mean_count) * (1 + contrast)
    if isinstance(noise, PoissonNoise):
        return stats.poisson(mean)
    r = float(noise.concentration)
    return stats.nbinom(r, r / (r + mean))


NOISES = {
    "gaussian": GaussianNoise(0.3),
    "gaussian per cell": GaussianNoise([0.1, 0.2, 0.3, 0.4]),
    "poisson": PoissonNoise(5.0),
    "poisson per cell": PoissonNoise([0.5, 5.0, 10.0, 20.0]),
    "negative binomial": NegativeBinomialNoise(5.0, 3.0),
    "negative binomial per cell": NegativeBinomialNoise([0.5, 5.0, 10.0, 20.0], 7.0),
}
NOISE = pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES.keys())


@NOISE
def test_log_prob_is_that_of_scipy(noise):
    law = scipy_law(noise, np.asarray(CONTRAST))
    data = np.array([0.0, 3.0, 9.0, 14.0])
    expected = law.logpdf(data) if isinstance(noise, GaussianNoise) else law.logpmf(data)
    np.testing.assert_allclose(noise.log_prob(jnp.asarray(data), CONTRAST), expected, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("name", ["poisson", "negative binomial"])
@pytest.mark.parametrize("contrast", [-1.2, -0.99, 0.3])
def test_counts_are_normalised_where_a_model_predicts_negative_ones_too(name, contrast):
    log_prob = NOISES[name].log_prob(jnp.asarray(COUNTS), jnp.full(COUNTS.shape, contrast))
    np.testing.assert_allclose(np.sum(np.exp(log_prob)), 1, rtol=1e-10)


@pytest.mark.soon(2)
@NOISE
def test_samples_have_the_law_and_another_is_noticed(noise):
    contrast = jnp.broadcast_to(CONTRAST, (20_000, 4))
    data = np.asarray(eqx.filter_jit(noise.sample)(contrast, key=jr.key(0)))
    assert data.shape == contrast.shape
    law = scipy_law(noise, np.asarray(CONTRAST))
    error = data.std(axis=0) / np.sqrt(len(data))
    assert np.all(np.abs(data.mean(axis=0) - law.mean()) < 5 * error)
    square = (data - law.mean()) ** 2
    error = square.std(axis=0) / np.sqrt(len(data))
    assert np.all(np.abs(square.mean(axis=0) - law.var()) < 5 * error)
    assert np.all(np.abs(square.mean(axis=0) - 1.2 * law.var()) > 5 * error)
    assert noise.counts == np.all(data == np.round(data))


@pytest.mark.soon(2)
@NOISE
def test_precision_is_the_inverse_variance_of_the_data_as_a_contrast(noise):
    data = noise.sample(jnp.zeros((50_000, 4)), key=jr.key(1))
    contrast = np.asarray(noise.contrast(data))
    square = contrast**2
    error = square.std(axis=0) / np.sqrt(len(square))
    assert np.all(np.abs(square.mean(axis=0) - 1 / np.broadcast_to(noise.precision(), 4)) < 5 * error)
    assert np.all(np.abs(contrast.mean(axis=0)) < 5 * contrast.std(axis=0) / np.sqrt(len(square)))
    assert noise.shape in ((), (4,))


def test_many_counts_are_gaussian_and_a_large_concentration_is_poisson():
    data = jnp.array([9900.0, 10_050.0])
    poisson = PoissonNoise(1e4).log_prob(data, jnp.zeros(2))
    np.testing.assert_allclose(poisson, stats.norm(1e4, 100).logpdf(data), atol=0.02)
    np.testing.assert_allclose(NegativeBinomialNoise(1e4, 1e9).log_prob(data, jnp.zeros(2)), poisson, atol=1e-3)


def test_shape_noise():
    """sigma_e / sqrt(2 N), N galaxies in a cell of one square arcminute."""
    noise = GaussianNoise.of_shapes(0.26, 20.0, (np.pi / 180 / 60) ** 2)
    np.testing.assert_allclose(noise.sd, 0.26 / np.sqrt(40), rtol=1e-12)
    assert GaussianNoise.of_shapes(0.26, jnp.array([10.0, 20.0]), 1e-7).shape == (2,)


@pytest.mark.parametrize("name", ["gaussian", "poisson", "negative binomial"])
def test_gradients_are_those_of_finite_differences(name):
    noise, data = NOISES[name], jnp.array([0.0, 3.0, 9.0, 14.0])

    @jax.jit
    def total(x):
        return jnp.sum(noise.log_prob(data, x))

    step = 1e-5
    numerical = [(total(CONTRAST + step * e) - total(CONTRAST - step * e)) / (2 * step) for e in jnp.eye(4)]
    np.testing.assert_allclose(jax.grad(total)(CONTRAST), numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["gaussian", "poisson", "negative binomial"])
def test_single_precision_stays_finite_far_below_zero(name):
    noise = jax.tree.map(lambda a: a.astype(jnp.float32), NOISES[name])
    data, contrast = jnp.array([0.0, 3.0], jnp.float32), jnp.array([-8.0, -8.0], jnp.float32)
    value, gradient = jax.value_and_grad(lambda c: jnp.sum(noise.log_prob(data, c)))(contrast)
    assert value.dtype == jnp.float32
    assert np.isfinite(value) and np.all(np.isfinite(gradient))
    rare = jax.tree.map(lambda a: 0.1 * a, noise)
    assert np.all(np.isfinite(rare.log_prob(data, contrast)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianNoise(0.0), "standard deviation of the noise is not positive"),
        (lambda: GaussianNoise([1.0, float("nan")]), "standard deviation of the noise is not positive"),
        (lambda: PoissonNoise(-1.0), "mean count is not positive"),
        (lambda: PoissonNoise([1.0, float("inf")]), "mean count is not positive and finite"),
        (lambda: NegativeBinomialNoise(0.0, 1.0), "mean count is not positive"),
        (lambda: NegativeBinomialNoise(1.0, 0.0), "concentration"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
