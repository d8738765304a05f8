"""Cobaya models as posteriors."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.stats
from cobaya.model import get_model
from helpers import assert_moments

import cosmoflow as cf
from cosmoflow.adapters import from_cobaya, to_cobaya
from cosmoflow.chains import digest
from cosmoflow.samplers import GHMC, NUTS
from cosmoflow.targets import CorrelatedGaussian, GaussianMixture

MEAN = np.array([1.0, -1.0, 0.5])
COVARIANCE = np.array([[1.0, 0.6, 0.0], [0.6, 2.0, 0.3], [0.0, 0.3, 0.5]])
PRECISION = np.linalg.inv(COVARIANCE)
PRIOR_SD = 2.0


def gaussian(x, y, z, offset):
    residual = np.array([x, y, z]) - offset - MEAN
    return -0.5 * residual @ PRECISION @ residual, {"total": x + y + z}


GAUSSIAN = {
    "likelihood": {"gaussian": {"external": gaussian, "output_params": ["total"]}},
    "params": {
        "x": {"prior": {"min": -20, "max": 20}},
        "y": {"prior": {"dist": "norm", "loc": 0, "scale": PRIOR_SD}},
        "z": {"prior": [-10, 10]},
        "offset": 0.25,
        "total": None,
        "difference": {"derived": "lambda x, y: x - y"},
    },
}

MIXTURE = {
    "likelihood": {
        "gaussian_mixture": {
            "means": [[-1.0, 0.0], [1.0, 0.5]],
            "covs": [[[0.6, 0.0], [0.0, 1.0]], [[0.6, 0.0], [0.0, 1.0]]],
            "weights": [0.3, 0.7],
            "input_params_prefix": "p_",
            "derived": False,
        }
    },
    "params": {"p_0": {"prior": {"min": -12, "max": 12}}, "p_1": {"prior": {"min": -15, "max": 15}}},
}


def exact_gaussian():
    precision = PRECISION + np.diag([0, 1 / PRIOR_SD**2, 0])
    covariance = np.linalg.inv(precision)
    return CorrelatedGaussian(covariance @ PRECISION @ (MEAN + 0.25), covariance)


def exact_mixture():
    return GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], np.sqrt([0.6, 1.0]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("info", "exact", "sampler", "num_draws"),
    [(GAUSSIAN, exact_gaussian, GHMC(), 600), (MIXTURE, exact_mixture, NUTS(), 200)],
)
def test_moments(info, exact, sampler, num_draws):
    posterior, exact = from_cobaya(info), exact()
    target, sampler, start = cf.warmup(posterior, sampler, max_gradients=2000, num_chains=4, key=jr.key(1))
    chain = cf.sample(target, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(2))
    x = np.stack([chain.posterior[name] for name in posterior.prior.names], axis=-1)
    assert_moments(x, exact, min_ess=200)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(x + 0.3, exact, min_ess=200)


def test_what_a_gradient_costs():
    posterior = from_cobaya(GAUSSIAN)
    evaluate = jax.jit(jax.vmap(jax.value_and_grad(posterior.log_density)))
    z = 0.1 * jr.normal(jr.key(0), (5, 3))
    value, _ = evaluate(z)
    assert posterior.likelihood.num_evaluations == 5 * (1 + 2 * 3)
    model = get_model(GAUSSIAN)
    theirs = [model.loglike(posterior.constrain(point), return_derived=False) for point in z]
    normal = scipy.stats.norm.logpdf(z).sum(axis=1)
    np.testing.assert_allclose(value, theirs + normal, rtol=1e-12)


@pytest.mark.slow
def test_derivatives_against_those_of_jax():
    """Of a likelihood of ours that goes to Cobaya and back."""
    bao = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())
    params = {"Omega_m": {"prior": {"min": 0.1, "max": 0.5}}, "h_r_d": {"prior": {"min": 90, "max": 110}}}
    through = from_cobaya({"likelihood": {"bao": to_cobaya(bao)}, "params": params})
    direct = cf.Posterior(cf.Prior({"Omega_m": cf.Uniform(0.1, 0.5), "h_r_d": cf.Uniform(90.0, 110.0)}), bao)
    z = jnp.array([-0.1, 0.2])
    for derivative, rtol in ((lambda f: f, 1e-12), (jax.grad, 1e-6), (jax.hessian, 1e-4)):
        theirs, ours = (jax.jit(derivative(lambda x: t.log_density(x)))(z) for t in (through, direct))
        np.testing.assert_allclose(theirs, ours, rtol=rtol)


PRIORS = {
    "range": ([-1.0, 3.0], scipy.stats.uniform(-1, 4)),
    "min_max": ({"min": 0, "max": 3}, scipy.stats.uniform(0, 3)),
    "loc_scale": ({"dist": "uniform", "loc": 2, "scale": 3}, scipy.stats.uniform(2, 3)),
    "norm": ({"dist": "norm", "loc": 1, "scale": 2}, scipy.stats.norm(1, 2)),
    "halfnorm": ({"dist": "halfnorm", "loc": 1, "scale": 2}, scipy.stats.halfnorm(1, 2)),
    "truncnorm": ({"dist": "truncnorm", "a": -1, "b": 2, "loc": 1, "scale": 2}, scipy.stats.truncnorm(-1, 2, 1, 2)),
    "truncated": ({"dist": "truncnorm", "min": 0, "max": 5, "scale": 2}, scipy.stats.truncnorm(0, 2.5, 0, 2)),
    "lognorm": ({"dist": "lognorm", "s": 0.5, "scale": 2}, scipy.stats.lognorm(0.5, 0, 2)),
}


def one_parameter(marginal, likelihood=lambda x: -0.5 * x**2, **blocks):
    return from_cobaya({"likelihood": {"one": likelihood}, "params": {"x": {"prior": marginal}}, **blocks})


@pytest.mark.parametrize("name", PRIORS)
def test_priors(name):
    prior, expected = PRIORS[name]
    z = jnp.linspace(-3, 3, 7)
    x = jax.vmap(one_parameter(prior).prior.forward)(z[:, None])["x"]
    np.testing.assert_allclose(x, expected.ppf(scipy.stats.norm.cdf(z)), rtol=1e-10)


@pytest.mark.parametrize(
    "prior",
    [{"dist": "beta", "a": 2, "b": 3}, {"dist": "lognorm", "s": 1, "loc": 1}, {"min": 1, "max": 1}],
)
def test_other_priors_are_refused(prior):
    with pytest.raises(ValueError, match="prior of 'x' is"):
        one_parameter(prior)


def test_external_priors_count():
    plain, with_prior = one_parameter([-5, 5]), one_parameter([-5, 5], prior={"extra": lambda x: -3 * x})
    z = jnp.array([0.3])
    np.testing.assert_allclose(with_prior.log_density(z), plain.log_density(z) - 3 * plain.constrain(z)["x"])


def test_impossible_and_undefined_points():
    posterior = one_parameter([-1, 1], lambda x: -np.inf if x > 0 else -0.5 * x**2)
    value, slope = jax.value_and_grad(posterior.log_density)(jnp.array([0.5]))
    assert value == -jnp.inf
    assert jnp.isfinite(slope[0])
    assert jnp.isnan(posterior.log_density(jnp.array([jnp.nan])))
    with pytest.raises(cf.CosmoflowError, match="CobayaLikelihood is not finite at x ="):
        cf.sample(posterior, GHMC(), num_draws=1, num_chains=1, position=jnp.ones((1, 1)), key=jr.key(0))


def test_single_precision():
    with jax.enable_x64(False):
        value, slope = jax.value_and_grad(from_cobaya(MIXTURE).log_density)(jnp.array([0.1, 0.2]))
    expected = jax.grad(from_cobaya(MIXTURE).log_density)(jnp.array([0.1, 0.2]))
    assert value.dtype == slope.dtype == jnp.float32
    np.testing.assert_allclose(slope, expected, rtol=1e-4)


def test_a_run_is_known_by_the_model():
    mixture = MIXTURE["likelihood"]["gaussian_mixture"]
    other = MIXTURE | {"likelihood": {"gaussian_mixture": mixture | {"weights": [0.5, 0.5]}}}
    first = from_cobaya(MIXTURE)
    first.log_density(jnp.zeros(2))
    assert digest(first) == digest(from_cobaya(get_model(MIXTURE))) != digest(from_cobaya(other))


@pytest.mark.parametrize("step", [0.0, 1.0])
def test_wrong_steps(step):
    with pytest.raises(ValueError, match="`step` is"):
        from_cobaya(GAUSSIAN, step=step)


def test_nothing_to_sample():
    with pytest.raises(ValueError, match="no sampled parameter"):
        from_cobaya({"likelihood": {"one": lambda x: -(x**2)}, "params": {"x": 1.0}})
