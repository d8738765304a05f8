"""Objectives: exact gradients where they are known, and each learns what it is made for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import paramax
import pytest
from flowjax.distributions import StandardNormal

import cosmoflow as cf
from cosmoflow.flows import fixed_kinetic_flow
from cosmoflow.targets import CorrelatedGaussian, GaussianMixture
from cosmoflow.training import AlphaDivergence, NegativeELBO, fit_adaptively
from cosmoflow.training._adapt import tempering_power

TARGET = CorrelatedGaussian(jnp.array([1.0]), jnp.array([[0.5]]))


def small_flow(**settings):
    return fixed_kinetic_flow(1, **{"num_steps": 2, "num_maps": 1, "width": 8, "depth": 1, "key": jr.key(0)} | settings)


def gradients_of(loss, flow, num):
    learned, static = eqx.partition(
        flow, eqx.is_inexact_array, is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable)
    )
    value = lambda a, k: loss(eqx.combine(a, static), None, key=k)  # noqa: E731
    found = jax.jit(jax.vmap(jax.grad(value), (None, 0)))(learned, jr.split(jr.key(1), num))
    return [np.asarray(g) for g in jax.tree.leaves(found)]


@pytest.mark.slow
def test_path_gradients_have_the_mean_of_the_others():
    flow = small_flow()
    plain = gradients_of(cf.ReverseKL(TARGET, 64), flow, 400)
    path = gradients_of(cf.ReverseKL(TARGET, 64, path_gradient=True), flow, 400)
    for a, b in zip(plain, path, strict=True):
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / 400)
        np.testing.assert_array_less(np.abs(a.mean(axis=0) - b.mean(axis=0)), 5 * error + 1e-12)


@pytest.mark.slow
def test_path_gradients_of_an_exact_flow_have_no_noise():
    """One leapfrog step carries N(0, I) to q with twice the variance and p with half of it, independent of each other.

    The parameters of the encoder apart: its score has mean zero only.
    """
    flow = small_flow(num_steps=1, base=StandardNormal((2,)))
    flow = eqx.tree_at(lambda f: f.momentum.network.layers[-1].bias, flow, jnp.array([0.0, -0.5 * np.log(2.0)]))
    flow = eqx.tree_at(lambda f: f.momentum, flow, replace_fn=paramax.non_trainable)
    exact = CorrelatedGaussian(jnp.zeros(1), jnp.full((1, 1), 2.0))
    plain, path = (gradients_of(cf.ReverseKL(exact, 16, path_gradient=path), flow, 3) for path in (False, True))
    assert max(np.abs(g).max() for g in path) < 1e-12
    assert max(np.abs(g).max() for g in plain) > 0.1


@pytest.mark.slow
def test_more_momenta_tighten_the_bound():
    flow, data = small_flow(), TARGET.sample(jr.key(2), (2000,))
    flow = eqx.tree_at(lambda f: f.momentum.network.layers[-1].bias, flow, jnp.array([0.3, 0.3]))
    one, many = (jax.jit(lambda k, n=n: NegativeELBO(n)(flow, data, key=k))(jr.key(3)) for n in (1, 16))
    assert many < one - 0.02


@pytest.mark.slow
def test_alpha_divergence_finds_both_modes():
    target = GaussianMixture([0.3, 0.7], [[-2.5], [2.5]], 0.5)
    flow, _ = cf.fit(
        small_flow(num_steps=4, width=32, depth=2), AlphaDivergence(target, 256), num_steps=600, key=jr.key(1)
    )
    found = cf.importance_sample(flow, target, num_samples=4000, key=jr.key(2))
    assert found.ess_fraction > 0.5
    assert abs(jnp.mean(found.x[:, 0] > 0) - 0.7) < 0.1
    assert abs(found.log_evidence) < 0.05


@pytest.mark.slow
def test_alpha_divergence_has_the_gradient_of_the_second_moment():
    """Without annealing, on many draws, against the derivative of log E[w^2] by reweighting fixed draws."""

    flow = small_flow()
    learned, static = eqx.partition(flow, eqx.is_inexact_array)
    target = CorrelatedGaussian(jnp.array([0.3]), jnp.array([[0.9]]))
    x, log_prob = flow.sample_and_log_prob(jr.key(5), (40_000,))

    def second_moment(a):
        model = eqx.combine(a, static)
        log_target = jax.vmap(cf.targets.Augmented(target, model.momentum).log_density)(x)
        return jax.scipy.special.logsumexp(2 * log_target - model.log_prob(x) - log_prob)

    exact = jax.jit(jax.grad(second_moment))(learned)
    loss = AlphaDivergence(target, 40_000, num_levels=1)
    found = jax.jit(jax.grad(lambda a: loss(eqx.combine(a, static), None, key=jr.key(6))))(learned)
    for a, b in zip(jax.tree.leaves(exact), jax.tree.leaves(found), strict=True):
        np.testing.assert_allclose(b, a, atol=0.05)


@pytest.mark.slow
def test_annealing_keeps_the_weights_unbiased():
    """E of the weight is the integral of w^2 Pi, whatever the number of levels."""
    flow = paramax.unwrap(small_flow())

    def estimate(num_levels):
        loss = AlphaDivergence(TARGET, num_levels=num_levels)
        return jnp.exp(jax.jit(jax.vmap(lambda k: loss.annealed(flow, k)[1]))(jr.split(jr.key(1), 20_000)))

    one, five = estimate(1), estimate(5)
    error = jnp.sqrt((jnp.var(one) + jnp.var(five)) / 20_000)
    assert abs(jnp.mean(one) - jnp.mean(five)) < 4 * error
    assert jnp.var(five) < 0.7 * jnp.var(one)


@pytest.mark.slow
def test_adaptive_training_learns_a_narrow_target():
    target = CorrelatedGaussian(jnp.array([1.5]), jnp.array([[0.2]]))
    flow, history = fit_adaptively(small_flow(), target, num_rounds=3, num_samples=1000, num_steps=100, key=jr.key(1))
    found = cf.importance_sample(flow, target, num_samples=2000, key=jr.key(2))
    assert found.ess_fraction > 0.6 > 0.3 > history.ess_fraction[0]
    assert history.power[0] <= history.power[-1] == 1
    assert history.losses.shape == (300,)


def test_tempering_reaches_the_effective_size():
    log_weights = 5 * jr.normal(jr.key(0), (2000,))
    power = tempering_power(log_weights, 0.2)
    weights = jnp.exp(power * log_weights)
    np.testing.assert_allclose(jnp.sum(weights) ** 2 / jnp.sum(weights**2) / 2000, 0.2, atol=1e-6)
    assert tempering_power(0.1 * log_weights, 0.2) == 1
    with pytest.raises(ValueError, match="min_ess_fraction is 1"):
        fit_adaptively(
            small_flow(), TARGET, num_rounds=1, num_samples=9, num_steps=1, min_ess_fraction=1.0, key=jr.key(0)
        )


@pytest.mark.slow
def test_amortised_inference():
    """theta ~ N(0, 1), data = theta + N(0, 0.25): the posterior is N(0.8 data, 0.2)."""
    theta = jr.normal(jr.key(0), (4000, 1))
    data = theta + 0.5 * jr.normal(jr.key(1), (4000, 1))
    flow, _ = cf.fit(
        small_flow(cond_dim=1, width=16),
        NegativeELBO(),
        data=(theta, data),
        num_steps=300,
        optimizer=optax.adam(1e-2),
        key=jr.key(2),
    )
    for observed in (-1.0, 0.5):
        posterior = CorrelatedGaussian(jnp.array([0.8 * observed]), jnp.array([[0.2]]))
        found = cf.importance_sample(flow.given(jnp.array([observed])), posterior, num_samples=2000, key=jr.key(3))
        assert found.ess_fraction > 0.8
        assert abs(found.log_evidence) < 0.05


def test_empty_data_are_refused():
    with pytest.raises(ValueError, match="`data` is empty"):
        cf.fit(small_flow(), NegativeELBO(), data=jnp.zeros((0, 1)), num_steps=1, key=jr.key(0))


@pytest.mark.slow
def test_a_step_into_nowhere_is_taken_back():
    """One infinite learning rate: the parameters are NaN from there to the end of the chunk, then the best ones again."""
    wild = optax.chain(optax.sgd(lambda step: jnp.where(step == 70, jnp.inf, 1e-2)))
    flow, history = cf.fit(
        small_flow(), cf.ReverseKL(TARGET, 64), num_steps=200, optimizer=wild, chunk=50, key=jr.key(0)
    )
    assert np.isfinite(history.validation).tolist() == [True, False, True, True]
    assert np.isnan(history.losses).sum() == 100 - 71
    assert history.validation[-1] < history.validation[0]
    assert np.isfinite(flow.log_prob(jnp.zeros(2)))
