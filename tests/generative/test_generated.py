"""Generative models as priors: with the exact network of normal data, a conjugate posterior."""

import equinox as eqx
import exact_networks as exact
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_networks import MEAN, SD
from helpers import assert_moments

import cosmoflow as cf
from cosmoflow.generative import CosineSchedule, CriticallyDamped, Diffusion, FlowMatching, Generated
from cosmoflow.likelihoods import FunctionLikelihood
from cosmoflow.samplers import Langevin
from cosmoflow.targets import CorrelatedGaussian, Normal, Prior

MODEL = FlowMatching(2, exact.flow_matching, solver="rk4")
CONDITIONAL = Diffusion(2, exact.diffusion("v", CosineSchedule()), solver="rk4")
DATA, NOISE = jnp.array([[20.0, -3.0]]), 1.5
CENTRE, UNIT = 10.0, jnp.array([[4.0, 2.0]])


def log_likelihood(field):
    return -0.5 * jnp.sum((field - DATA) ** 2) / NOISE**2


def test_a_field_is_what_the_steps_make_of_its_coordinates():
    block = Generated(MODEL, (1, 2), num_steps=20, mean=CENTRE, scale=UNIT)
    z = jnp.array([[0.3, -1.2]])
    field = eqx.filter_jit(block.forward)(z)
    np.testing.assert_allclose(field, CENTRE + UNIT * MODEL.transport(z[0], num_steps=20), rtol=1e-12)
    np.testing.assert_allclose(field, CENTRE + UNIT * (MEAN + SD * z), atol=1e-4)
    slope = jax.jacfwd(block.forward)(z)[0, 0]
    np.testing.assert_allclose(slope, [[UNIT[0, 0] * SD[0], 0.0]], atol=1e-4)


@pytest.mark.soon(1)
@pytest.mark.parametrize("centre", [CENTRE, 0.0])
def test_posterior(centre):
    """The control has another mean than the data."""
    prior = Prior({"field": Generated(MODEL, (1, 2), num_steps=10, mean=centre, scale=UNIT)})
    target = cf.Posterior(prior, FunctionLikelihood(log_likelihood))
    chain = cf.sample(target, Langevin(step_size=0.8), num_draws=4000, num_chains=4, key=jr.key(0))
    mean, variance = CENTRE + UNIT[0] * MEAN, (UNIT[0] * SD) ** 2
    precision = 1 / variance + 1 / NOISE**2
    exactly = CorrelatedGaussian((mean / variance + DATA[0] / NOISE**2) / precision, jnp.diag(1 / precision))
    draws = chain.posterior["field"][:, :, 0]
    if centre == CENTRE:
        assert_moments(draws, exactly, min_ess=1000)
    else:
        with pytest.raises(AssertionError, match="MCSE"):
            assert_moments(draws, exactly, min_ess=1000)


def test_the_law_follows_parameters_before_it():
    block = Generated(CONDITIONAL, (2,), conditions={"a": (1.0, 2.0), "b": (0.0, 0.5)})
    prior = Prior({"b": Normal(0.3, 0.1), "a": Normal(0.0, 1.0), "field": block})
    z = jnp.array([1.0, 0.5, 0.4, -0.7])
    found = eqx.filter_jit(prior.forward)(z)
    centre = jnp.stack([(found["a"] - 1.0) / 2.0, found["b"] / 0.5])
    np.testing.assert_allclose(found["field"], centre + SD * z[2:], atol=1e-4)
    assert prior.conditions == ("a", "b")
    by_a = jax.grad(lambda z: prior.forward(z)["field"][0])(z)[1]
    np.testing.assert_allclose(by_a, 0.5, atol=1e-4)
    cf.Posterior(prior, FunctionLikelihood(log_likelihood))


@pytest.mark.slow
def test_warmup_and_storage(tmp_path):
    prior = Prior(
        {
            "a": Normal(0.0, 1.0),
            "b": Normal(0.0, 1.0),
            "field": Generated(CONDITIONAL, (2,), num_steps=10, conditions={"a": (0.0, 1.0), "b": (0.0, 1.0)}),
        }
    )
    target = cf.Posterior(prior, FunctionLikelihood(lambda field: -0.5 * jnp.sum(field**2)))
    with cf.ChainStore(tmp_path / "run.h5", mode="create") as store:
        tuned, sampler, start = cf.warmup(target, num_chains=4, key=jr.key(0), max_gradients=20_000, store=store)
        chain = cf.sample(tuned, sampler, num_draws=2000, num_chains=4, key=jr.key(1), position=start, store=store)
    draws = jnp.stack([chain.posterior["a"], chain.posterior["b"]], axis=-1)
    variance = 1 - 1 / (2 + SD**2)
    assert_moments(np.asarray(draws), CorrelatedGaussian(jnp.zeros(2), jnp.diag(variance)), min_ess=500)


def block(**settings):
    return Generated(MODEL, settings.pop("shape", (2,)), **settings)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: block(shape=(3,)), r"shape \(3,\) has not the 2 numbers"),
        (lambda: block(num_steps=0), "`num_steps` is 0"),
        (lambda: block(scale=np.array([1.0, 0.0])), "positive scales"),
        (lambda: block(mean=np.zeros((2, 2))), r"a mean and a scale of shape \(2,\)"),
        (lambda: block().inverse(jnp.zeros(2)), "from noise to fields alone"),
        (lambda: Prior({"field": block(conditions={"a": (0.0, 1.0)}), "a": Normal(0.0, 1.0)}), "'a', which must stand"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_models_without_a_probability_flow_are_refused():
    block = eqx.tree_at(lambda b: b.model, Generated(MODEL, (2,)), CriticallyDamped(2, exact.zero))
    with pytest.raises(ValueError, match="not CriticallyDamped"):
        block.__check_init__()
