"""Critically damped Langevin diffusion: its moments solve their equation, and the exact network reverses it."""

import exact_networks as exact
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_networks import MEAN, SD

from cosmoflow.generative import CriticallyDamped, TimeNetwork

NUM = 4000


def test_moments_solve_their_equation():
    """dm/dt = A m and dC/dt = A C + C A^T + diag(0, 4), from m = (1, 0) and C = diag(0, g)."""
    model = CriticallyDamped(2, exact.zero)
    drift, noise = jnp.array([[0.0, 1.0], [-1.0, -2.0]]), jnp.diag(jnp.array([0.0, 4.0]))
    for t in jnp.array([1e-3, 0.5, 3.0]):
        (mean, covariance), rate = jax.jvp(model.moments, (t,), (jnp.ones(()),))
        np.testing.assert_allclose(rate[0], drift @ mean, atol=1e-12)
        np.testing.assert_allclose(rate[1], drift @ covariance + covariance @ drift.T + noise, atol=1e-10)
    mean, covariance = model.moments(jnp.array(0.0))
    np.testing.assert_allclose(mean, [1.0, 0.0])
    np.testing.assert_allclose(covariance, [[0.0, 0.0], [0.0, 0.04]])
    mean, covariance = model.moments(jnp.array(30.0))
    np.testing.assert_allclose(mean, 0.0, atol=1e-10)
    np.testing.assert_allclose(covariance, np.eye(2), atol=1e-10)


def test_noised_has_the_moments():
    model = CriticallyDamped(1, exact.zero)
    t = jnp.array(0.7)
    rows = [model.noised(jnp.zeros(1), noise, t) for noise in (jnp.eye(2)[:, :1], jnp.eye(2)[:, 1:])]
    root = jnp.array([[x[0], u[0]] for x, u in rows]).T
    np.testing.assert_allclose(root @ root.T, model.moments(t)[1], rtol=1e-12)
    np.testing.assert_allclose(root[1, 1], model.deviation(t), rtol=1e-12)
    x, u = model.noised(jnp.ones(1), jnp.zeros((2, 1)), t)
    np.testing.assert_allclose(jnp.concatenate([x, u]), model.moments(t)[0], rtol=1e-12)


def test_the_target_is_the_conditional_score():
    """-e_u / l is the gradient in u of log p(x, u | x_0)."""
    model = CriticallyDamped(1, exact.zero)
    t, noise = jnp.array(0.7), jnp.array([[0.3], [-0.8]])
    x, u = model.noised(jnp.ones(1), noise, t)
    mean, covariance = model.moments(t)

    def log_prob(u):
        return jax.scipy.stats.multivariate_normal.logpdf(jnp.concatenate([x, u]), mean, covariance)

    np.testing.assert_allclose(jax.grad(log_prob)(u), -noise[1] / model.deviation(t), rtol=1e-9)


def test_standard_normal_data_with_full_velocities_need_no_network():
    """Then the process is stationary, the score of u is -u."""
    model = CriticallyDamped(2, lambda state, time, condition: jnp.zeros(2), velocity_variance=1.0)
    np.testing.assert_allclose(model.score(MEAN, SD, jnp.array(0.3)), -SD)
    x = jax.jit(jax.vmap(lambda k: model.sample(k, num_steps=5)))(jr.split(jr.key(1), NUM))
    assert jnp.max(jnp.abs(x.var(axis=0) - 1)) < 5 * (2 / NUM) ** 0.5
    assert jnp.max(jnp.abs(x.mean(axis=0))) < 5 / NUM**0.5


@pytest.mark.soon(1)
@pytest.mark.parametrize("wrong", [False, True])
def test_reversal(wrong):
    """The control reads the time of another duration."""
    trained = CriticallyDamped(2, exact.zero, duration=2.0 if wrong else 8.0)
    model = CriticallyDamped(2, exact.critically_damped(trained))
    x = jax.jit(jax.vmap(lambda k: model.sample(k, num_steps=100)))(jr.split(jr.key(4), NUM))
    scores = jnp.concatenate(
        [(x.mean(axis=0) - MEAN) / (SD / NUM**0.5), (x.var(axis=0) / SD**2 - 1) / (2 / NUM) ** 0.5]
    )
    assert (jnp.max(jnp.abs(scores)) > 5) == wrong


@pytest.mark.slow
def test_single_precision_and_counts():
    with jax.enable_x64(False):
        network = TimeNetwork(4, 2, cond_size=1, width=8, depth=1, key=jr.key(0))
        model = CriticallyDamped(2, network)
        c = jnp.array([0.1])
        draw = model.sample(jr.key(1), num_steps=3, condition=c)
        gradient = jax.grad(lambda x: model.loss(x, key=jr.key(2), condition=c))(draw)
        shortest = model.deviation(jnp.array(8e-3))
    assert draw.dtype == gradient.dtype == jnp.float32
    assert jnp.all(jnp.isfinite(draw)) and jnp.all(jnp.isfinite(gradient))
    np.testing.assert_allclose(shortest, CriticallyDamped(2, exact.zero).deviation(jnp.array(8e-3)), rtol=1e-4)
    assert model.num_evaluations(3) == 3


@pytest.mark.parametrize("name", ["duration", "velocity_variance"])
def test_bad_settings_are_named(name):
    with pytest.raises(ValueError, match=f"`{name}` is 0"):
        CriticallyDamped(2, exact.zero, **{name: 0.0})
