"""The path from N(0, I) to a target."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.scipy.stats import norm

import cosmoflow as cf
from cosmoflow.likelihoods import GaussianMixture
from cosmoflow.targets import Banana, CallableTarget, Tempered

X = jr.normal(jr.key(0), (2,))


def test_ends_of_the_path():
    reference = jnp.sum(norm.logpdf(X))
    np.testing.assert_allclose(Tempered(Banana(), 0).log_density(X), reference, rtol=1e-14)
    np.testing.assert_allclose(Tempered(Banana(), 1).log_density(X), Banana().log_density(X), rtol=1e-14)
    between = Tempered(Banana(), 0.3)
    np.testing.assert_allclose(between.log_density(X), 0.7 * reference + 0.3 * Banana().log_density(X), rtol=1e-14)
    assert between.dim == 2 and between.constrain(X)["x"] is X


def test_of_a_posterior_it_is_the_prior_times_a_power_of_the_likelihood():
    prior = cf.Prior({"a": cf.Uniform(-1.0, 1.0), "b": cf.Normal(0.0, 2.0)})
    posterior = cf.Posterior(prior, GaussianMixture(["a", "b"], [1.0], [[0.2, 0.1]]))
    log_likelihood = posterior.likelihood.log_likelihood(prior.forward(X))
    expected = jnp.sum(norm.logpdf(X)) + 0.25 * log_likelihood
    np.testing.assert_allclose(Tempered(posterior, 0.25).log_density(X), expected, rtol=1e-13)


def test_the_reference_has_no_walls():
    walled = CallableTarget(lambda x: jnp.where(x[0] > 5, 0.0, -jnp.inf), jnp.zeros(2))
    assert jnp.isfinite(Tempered(walled, 0).log_density(X))
    assert Tempered(walled, 0.1).log_density(X) == -jnp.inf


def test_the_inverse_temperature_is_no_constant_of_the_compiled_code():
    traces = []

    @jax.jit
    def value(target):
        traces.append(target)
        return target.log_density(X)

    assert value(Tempered(Banana(), 0.2)) != value(Tempered(Banana(), 0.4))
    assert len(traces) == 1
