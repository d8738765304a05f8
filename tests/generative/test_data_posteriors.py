"""Energies and bare scores of normal data as priors: conjugate posteriors, and who may sample them."""

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
from cosmoflow.generative import CosineSchedule, Diffusion, EnergyPosterior, ScorePosterior
from cosmoflow.likelihoods import FunctionLikelihood
from cosmoflow.samplers import GHMC, MCLMC, NUTS, KineticLangevin, Langevin, Mixture
from cosmoflow.targets import Affine, CorrelatedGaussian, Pullback, drift, has_density

SCHEDULE = CosineSchedule(0.01)
DATA, NOISE, CENTRE, UNIT = jnp.array([20.0, -3.0]), 3.0, 10.0, jnp.array([4.0, 2.0])
TIME = 0.2


def log_likelihood(field):
    return -0.5 * jnp.sum((field.reshape(-1) - DATA) ** 2) / NOISE**2


LIKELIHOOD = FunctionLikelihood(log_likelihood)
UNITS = {"mean": CENTRE, "scale": UNIT}


def model(prediction):
    return Diffusion(2, exact.diffusion(prediction, SCHEDULE), prediction=prediction, schedule=SCHEDULE)


def score_posterior(prediction="v", time=TIME):
    return ScorePosterior(model(prediction), LIKELIHOOD, time=time, **UNITS)


def conjugate(mean, variance, units=UNIT, centre=CENTRE):
    """The posterior of the coordinates of data whose law is normal."""
    noise = (NOISE / units) ** 2
    precision = 1 / variance + 1 / noise
    mean = (mean / variance + (DATA - centre) / units / noise) / precision
    return CorrelatedGaussian(mean, jnp.diag(1 / precision))


def noised(time=TIME):
    """The posterior whose prior is the law of noised data."""
    c, s = jnp.cos(SCHEDULE.angle(jnp.asarray(time))), jnp.sin(SCHEDULE.angle(jnp.asarray(time)))
    return conjugate(c * MEAN, c**2 * SD**2 + s**2)


def standardised(chain):
    return (chain.posterior["field"] - CENTRE) / np.asarray(UNIT)


def test_an_energy_is_a_density():
    target = EnergyPosterior(model("energy"), LIKELIHOOD, shape=(1, 2), mean=CENTRE, scale=UNIT[None])
    exactly = conjugate(MEAN, SD**2)
    points = exactly.sample(jr.key(0), (5,))
    shift = jax.vmap(target.log_density)(points) - jax.vmap(exactly.log_density)(points)
    np.testing.assert_allclose(shift, shift[0], atol=1e-10)
    assert target.constrain(points[0])["field"].shape == (1, 2)
    assert has_density(target) and drift(target) is target


@pytest.mark.slow
def test_any_sampler_follows_an_energy():
    """The control is the law of noised data."""
    target = EnergyPosterior(model("energy"), LIKELIHOOD, **UNITS)
    chain = cf.sample(target, Langevin(step_size=0.5), num_draws=4000, num_chains=4, key=jr.key(0))
    assert_moments(standardised(chain), conjugate(MEAN, SD**2), min_ess=1000)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(standardised(chain), noised(0.6), min_ess=1000)


@pytest.mark.parametrize("prediction", ["v", "noise", "score", "energy"])
def test_the_derivative_is_the_score_and_the_value_the_likelihood(prediction):
    target = drift(score_posterior(prediction))
    x = jnp.array([0.7, -0.4])
    value, gradient = jax.value_and_grad(target.log_density)(x)
    np.testing.assert_allclose(gradient, jax.grad(noised().log_density)(x), rtol=1e-8)
    np.testing.assert_allclose(value, log_likelihood(CENTRE + UNIT * x), rtol=1e-12)
    _, slope = jax.jvp(target.log_density, (x,), (jnp.ones(2),))
    np.testing.assert_allclose(slope, jnp.sum(gradient), rtol=1e-12)


def test_a_score_is_seen_in_other_coordinates():
    coordinates = Affine(jnp.array([0.2, -0.1]), jnp.array([[0.5, 0.0], [0.3, 2.0]]))
    bare, exactly = (Pullback(target, coordinates) for target in (score_posterior(), noised()))
    assert not has_density(bare) and has_density(exactly)
    z = jnp.array([0.4, 0.6])
    np.testing.assert_allclose(jax.grad(drift(bare).log_density)(z), jax.grad(exactly.log_density)(z), rtol=1e-8)
    with pytest.raises(ValueError, match="ScorePosterior is only a score"):
        bare.log_density(z)


@pytest.mark.soon(1)
@pytest.mark.parametrize("sampler", [KineticLangevin(step_size=0.5), MCLMC(step_size=0.5)])
def test_a_linear_score_is_followed_and_tuned_as_its_density_is(sampler):
    """Draws, and changes of energy although no energy is known."""

    def run(target):
        states = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(jnp.ones((3, 2)), jr.split(jr.key(0), 3))
        return sampler.run_chunk(target, states, jnp.asarray(20), capacity=20)[1:]

    (found, told), (expected, truth) = run(score_posterior()), run(noised())
    np.testing.assert_allclose(found.position, expected.position, atol=1e-8)
    np.testing.assert_allclose(told.energy_change, truth.energy_change, atol=1e-8)
    assert np.max(np.abs(truth.energy_change)) > 1e-3


@pytest.mark.slow
def test_kinetic_langevin_draws_from_a_score():
    target = score_posterior()
    tuned, sampler, start = cf.warmup(target, num_chains=8, key=jr.key(0), max_gradients=4000)
    assert isinstance(sampler, KineticLangevin)
    chain = cf.sample(tuned, sampler, num_draws=4000, num_chains=8, position=start, key=jr.key(1))
    assert_moments(standardised(chain), noised(), min_ess=1000)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(standardised(chain), noised(0.4), min_ess=1000)
    np.testing.assert_allclose(
        chain.sample_stats["lp"], jax.vmap(jax.vmap(log_likelihood))(jnp.asarray(chain.posterior["field"])), rtol=1e-10
    )


def test_others_are_refused_wherever_they_meet_a_score():
    target, sentence = score_posterior(), "ScorePosterior is only a score and has no density"
    seen = Pullback(target, Affine.identity(2, jnp.zeros(0).dtype))
    with pytest.raises(ValueError, match=sentence):
        cf.sample(target, NUTS(), num_draws=1, num_chains=1, key=jr.key(0))
    with pytest.raises(ValueError, match=sentence):
        cf.sample(seen, Mixture([KineticLangevin(), GHMC()]), num_draws=1, num_chains=1, key=jr.key(0))
    with pytest.raises(ValueError, match=sentence):
        cf.warmup(target, NUTS(), num_chains=1, key=jr.key(0))
    with pytest.raises(ValueError, match=sentence):
        Langevin().init(seen, jnp.zeros(2), key=jr.key(0))


class Walled(eqx.Module):
    """A likelihood that ends at zero without a slope."""

    def __call__(self, field):
        return jnp.where(field[0] > 0, 0.0, -jnp.inf)


def test_a_start_outside_the_support_is_an_error():
    target = ScorePosterior(model("v"), FunctionLikelihood(Walled().__call__))
    with pytest.raises(cf.CosmoflowError, match="-inf at the starting point"):
        cf.sample(target, KineticLangevin(), num_draws=1, num_chains=1, position=-jnp.ones((1, 2)), key=jr.key(0))


@pytest.mark.slow
def test_no_step_leaves_the_support():
    target = ScorePosterior(model("v"), FunctionLikelihood(Walled().__call__))
    sampler = KineticLangevin(step_size=0.8)
    states = jax.vmap(lambda k: sampler.init(target, jnp.ones(2), key=k))(jr.split(jr.key(0), 10))
    _, draws, infos = sampler.run_chunk(target, states, jnp.asarray(50), capacity=50)
    assert jnp.sum(infos.non_finite) > 0
    assert jnp.all(draws.position[..., 0] > 0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EnergyPosterior(model("v"), LIKELIHOOD), 'predicts the v is only a score; use prediction="energy"'),
        (lambda: ScorePosterior(model("v"), LIKELIHOOD, time=0.0), "time is 0.0"),
        (lambda: ScorePosterior(model("v"), LIKELIHOOD, name="map"), "gives 'map'"),
        (lambda: ScorePosterior(model("v"), LIKELIHOOD, shape=(3,)), "has not the 2 numbers"),
        (lambda: EnergyPosterior(model("energy"), LIKELIHOOD, scale=0.0), "positive scale"),
        (lambda: EnergyPosterior(model("energy"), LIKELIHOOD, mean=np.zeros((2, 1))), r"of shape \(2,\)"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()
