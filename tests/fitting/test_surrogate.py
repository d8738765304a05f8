import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from fitting.models import BAO, LCDM, Model, linear

import cosmoflow as cf
from cosmoflow.fitting import best_fit, surrogate_error, taylor_surrogate
from cosmoflow.likelihoods import AbstractGaussianLikelihood, GaussianMixture, JointLikelihood

POINT = {"a": 0.1, "b": jnp.array([0.4, -0.3])}
ELSEWHERE = {"a": jnp.asarray(0.7), "b": jnp.array([-1.0, 0.2])}
DATA = jnp.array([0.3, 0.1, -0.4, 1.0, 0.2, 0.7, 0.1, 0.0])


def bilinear(a, b):
    """A model of second order."""
    x, y = b
    return jnp.stack([a, x, y, a * x, a * y + 1, x * y + x**2, y**2 - a, a**2])


QUADRATIC = Model(DATA, jnp.linalg.cholesky(0.3 * jnp.eye(8) + 0.1), bilinear, ("a", "b"))


@pytest.mark.slow
def test_second_order_of_a_model_of_second_order_is_exact():
    surrogate = taylor_surrogate(QUADRATIC, POINT, order=2)
    np.testing.assert_allclose(surrogate.predict(ELSEWHERE), QUADRATIC.predict(ELSEWHERE), atol=1e-12)
    np.testing.assert_allclose(surrogate.log_likelihood(ELSEWHERE), QUADRATIC.log_likelihood(ELSEWHERE), rtol=1e-12)
    found, expected = (jax.grad(m.log_likelihood)(ELSEWHERE) for m in (surrogate, QUADRATIC))
    np.testing.assert_allclose(found["a"], expected["a"], rtol=1e-10)
    np.testing.assert_allclose(found["b"], expected["b"], rtol=1e-10)


def test_first_order():
    surrogate = taylor_surrogate(QUADRATIC, POINT)
    assert surrogate.root.shape == (4, 4) and surrogate.required == ("a", "b")
    _, expected = jax.jvp(
        QUADRATIC.predict,
        ({"a": jnp.asarray(0.1), "b": POINT["b"]},),
        ({"a": ELSEWHERE["a"] - 0.1, "b": ELSEWHERE["b"] - POINT["b"]},),
    )
    start = QUADRATIC.predict({"a": jnp.asarray(0.1), "b": POINT["b"]})
    np.testing.assert_allclose(surrogate.predict(ELSEWHERE), start + expected, atol=1e-12)
    np.testing.assert_allclose(surrogate.chi2(ELSEWHERE), AbstractGaussianLikelihood.chi2(surrogate, ELSEWHERE))
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), ELSEWHERE)
    np.testing.assert_allclose(jax.jit(jax.vmap(surrogate.chi2))(batch), 2 * [surrogate.chi2(ELSEWHERE)], rtol=1e-12)


def test_of_several_data_sets():
    first, _, _ = linear()
    joint = JointLikelihood({"first": first, "second": linear(1, names=("b", "d"))[0]})
    point = {"a": 0.0, "b": 0.1, "c": 0.2, "d": 0.3}
    surrogate = taylor_surrogate(joint, point)
    values = {name: jnp.asarray(value + 1.0) for name, value in point.items()}
    assert surrogate.names == joint.names and surrogate.required == joint.required
    for name, chi2 in joint.chi2(values).items():
        np.testing.assert_allclose(surrogate.chi2(values)[name], chi2, rtol=1e-10)
    held = taylor_surrogate(joint, point, names=("a", "b", "c"))
    assert held.members[1].required == ("b",) and held.members[1].optional == ("d",)


def exact_differences(posterior, surrogate):
    """Surrogate less exact log L on a fine grid, and the weights of the exact posterior."""
    fit = best_fit(posterior)
    omega_m, h_r_d = np.meshgrid(np.linspace(0.25, 0.35, 121), np.linspace(97.5, 106.0, 121), indexing="ij")
    grid = {"Omega_m": jnp.asarray(omega_m.ravel()), "h_r_d": jnp.asarray(h_r_d.ravel())}
    exact, found = (jax.jit(jax.vmap(m.log_likelihood))(grid) for m in (posterior.likelihood, surrogate))
    weights = np.exp(exact - posterior.likelihood.log_likelihood(fit.parameters))
    return np.asarray(found - exact), np.asarray(weights / weights.sum())


@pytest.mark.slow
def test_errors_are_what_they_are_said_to_be():
    posterior = cf.Posterior(cf.Prior(LCDM), BAO)
    point = best_fit(posterior).parameters
    means = []
    for order in (1, 2):
        surrogate = taylor_surrogate(BAO, point, order=order)
        estimate = surrogate_error(posterior, surrogate, num_draws=1000, key=jr.key(order))
        differences, weights = exact_differences(posterior, surrogate)
        mean = weights @ np.abs(differences)
        sd = np.sqrt(weights @ (differences - weights @ differences) ** 2)
        np.testing.assert_allclose(estimate.mean, mean, rtol=0.3)
        np.testing.assert_allclose(estimate.sd, sd, rtol=0.5)
        assert estimate.largest > estimate.sd
        means.append(mean)
    assert means[1] < 0.1 * means[0]


@pytest.mark.slow
def test_single_precision():
    with jax.enable_x64(False):
        bao = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())
        surrogate = taylor_surrogate(bao, {"Omega_m": 0.3, "h_r_d": 101.0}, order=2)
        point = {"Omega_m": jnp.asarray(0.305), "h_r_d": jnp.asarray(100.5)}
        assert surrogate.log_likelihood(point).dtype == jnp.float32
        np.testing.assert_allclose(surrogate.chi2(point), bao.chi2(point), atol=0.01)


def test_refusals():
    mixture = GaussianMixture(["a"], [1.0], [[0.3]])
    root = Model(jnp.zeros(2), jnp.eye(2), lambda a, b: jnp.stack([jnp.sqrt(b), a]), ("a", "b"))
    for likelihood, point, settings, words in (
        (mixture, {"a": 0.0}, {}, "no Gaussian data vector"),
        (QUADRATIC, POINT, {"order": 3}, "order"),
        (QUADRATIC, {"a": 0.0}, {}, "'b' of the likelihood 'Model'"),
        (QUADRATIC, POINT, {"names": ["c"]}, "a parameter to expand in"),
        (root, {"a": 0.1, "b": 0.0}, {}, "model of the likelihood 'Model' .* not finite"),
    ):
        with pytest.raises(ValueError, match=words):
            taylor_surrogate(likelihood, point, **settings)
