"""NumPyro models as targets."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from helpers import assert_moments
from numpyro.contrib.control_flow import scan
from numpyro.infer.util import initialize_model

import cosmoflow as cf
from cosmoflow.adapters import from_numpyro
from cosmoflow.chains import digest
from cosmoflow.samplers import NUTS
from cosmoflow.targets import CorrelatedGaussian

SCHOOLS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def eight_schools(effect, *, error, count=8):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", count):
        white = numpyro.sample("white", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * white)
        numpyro.sample("effect", dist.Normal(theta, error), obs=effect)


def constrained(y):
    scale = numpyro.sample("scale", dist.HalfNormal(2))
    low = numpyro.sample("low", dist.Uniform(-3, 1))
    numpyro.sample("high", dist.Uniform(low, 4))
    simplex = numpyro.sample("simplex", dist.Dirichlet(jnp.array([1.0, 2.0, 3.0])))
    cholesky = numpyro.sample("cholesky", dist.LKJCholesky(3, 2))
    numpyro.sample("width", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with numpyro.handlers.scope(prefix="nuisance"):
        numpyro.sample("slope", dist.Beta(2, 3))
    numpyro.sample("y", dist.MultivariateNormal(simplex, scale_tril=scale * cholesky), obs=y)


def autoregressive(y):
    rho = numpyro.sample("rho", dist.Uniform(-1, 1))

    def step(before, observed):
        x = numpyro.sample("x", dist.Normal(rho * before, 1))
        numpyro.sample("y", dist.Normal(x, 0.5), obs=observed)
        return x, None

    scan(step, 0.0, y)


MODELS = {
    "eight_schools": (eight_schools, (SCHOOLS[0],), {"error": SCHOOLS[1], "count": 8}),
    "constrained": (constrained, (jnp.array([0.1, 0.2, 0.3]),), {}),
    "autoregressive": (autoregressive, (jnp.arange(4.0),), {}),
}


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", MODELS)
def test_the_density_is_that_of_numpyro(name):
    model, args, kwargs = MODELS[name]
    target = from_numpyro(model, *args, **kwargs)
    x = jr.normal(jr.key(3), (2, target.dim))
    evaluate = jax.jit(lambda target, x: jax.vmap(jax.value_and_grad(target.log_density))(x))
    value, gradient = evaluate(target, x)
    parameters = jax.jit(jax.vmap(target.constrain))(x)

    def theirs(x):
        info = initialize_model(jr.key(1), model, model_args=args, model_kwargs=kwargs)
        return -info.potential_fn(target.unravel(x)), info.postprocess_fn(target.unravel(x))

    with jax.numpy_dtype_promotion("standard"):
        (expected, sites), slopes = jax.jit(jax.vmap(jax.value_and_grad(theirs, has_aux=True)))(x)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12, atol=1e-12)
    assert {name.replace("/", ".") for name in sites} == set(parameters)
    for name, site in sites.items():
        np.testing.assert_allclose(parameters[name.replace("/", ".")], site, rtol=1e-12)


def conjugate(y):
    mean = numpyro.sample("mean", dist.Normal(jnp.zeros(2), jnp.array([1.0, 3.0])).to_event(1))
    numpyro.deterministic("x", 2 * mean)
    numpyro.sample("y", dist.Normal(mean, 0.5).to_event(1), obs=y)


def exact(y):
    precision = len(y) / 0.5**2 + 1 / np.array([1.0, 3.0]) ** 2
    return CorrelatedGaussian(2 * y.sum(axis=0) / 0.5**2 / precision, np.diag(4 / precision))


@pytest.mark.slow
def test_moments_of_a_conjugate_model():
    y = np.array([[1.0, -2.0], [2.0, 0.5], [0.3, 0.0]])
    target, sampler, start = cf.warmup(from_numpyro(conjugate, y), NUTS(), num_chains=4, key=jr.key(1))
    chain = cf.sample(target, sampler, num_draws=2000, num_chains=4, position=start, key=jr.key(2))
    assert_moments(chain.posterior["x"], exact(y), min_ess=1000)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(chain.posterior["mean"], exact(y), min_ess=1000)


def test_data_are_leaves():
    """One compilation serves all data, and the data are part of what a run is known by."""
    targets = [from_numpyro(conjugate, np.full((3, 2), level)) for level in (0.0, 1.0)]
    evaluate = jax.jit(lambda target: target.log_density(jnp.ones(2)))
    values = [evaluate(target) for target in targets]
    assert evaluate._cache_size() == 1
    assert values[0] < values[1]
    assert digest(targets[0]) != digest(targets[1])


@pytest.mark.slow
def test_single_precision():
    with jax.enable_x64(False):
        target = from_numpyro(eight_schools, SCHOOLS[0], error=SCHOOLS[1])
        chain = cf.sample(target, NUTS(step_size=0.3), num_draws=10, num_chains=2, key=jr.key(0), throw=False)
    assert chain.posterior["theta"].dtype == np.float32
    assert np.all(np.isfinite(chain.posterior["theta"]))


def discrete():
    numpyro.sample("kind", dist.Bernoulli(0.5))


def subsampled(y):
    mean = numpyro.sample("mean", dist.Normal(0, 1))
    with numpyro.plate("item", 10, subsample_size=3) as i:
        numpyro.sample("y", dist.Normal(mean, 1), obs=y[i])


def learnt():
    numpyro.sample("x", dist.Normal(numpyro.param("location", 0.0), 1))


def observed():
    numpyro.sample("x", dist.Normal(0, 1), obs=1.0)


@pytest.mark.parametrize(
    ("model", "args", "message"),
    [
        (discrete, (), "latent 'kind' is discrete"),
        (subsampled, (np.zeros(10),), "subsamples the plate 'item'"),
        (learnt, (), "parameter 'location'"),
        (observed, (), "no latents"),
    ],
)
def test_models_that_are_no_targets(model, args, message):
    with pytest.raises(ValueError, match=message):
        from_numpyro(model, *args)
