import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cosmoflow.cosmology import Cosmology, hubble_rate
from cosmoflow.datasets import ChronometerData, cosmic_chronometers
from cosmoflow.likelihoods import Chronometers

POINT = {"Omega_m": jnp.asarray(0.31), "h": jnp.asarray(0.68)}
FULL = {"Omega_k": 0.02, "w0": -0.9, "wa": -0.3, "T_cmb": 2.7, "N_eff": 3.1, "m_nu": 0.1}
FULL = POINT | {name: jnp.asarray(value) for name, value in FULL.items()}


def test_normalisation():
    data, likelihood = cosmic_chronometers(), Chronometers(cosmic_chronometers())
    expected = multivariate_normal(hubble_rate(Cosmology(0.31, h=0.68), data.redshift), data.covariance)
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), expected.logpdf(data.hubble_rate), rtol=1e-12)


def test_names():
    likelihood = Chronometers(cosmic_chronometers())
    assert likelihood.required == ("Omega_m", "h")
    assert likelihood.optional == ("Omega_k", "w0", "wa")
    assert Chronometers(cosmic_chronometers(), radiation=True).optional[3:] == ("T_cmb", "N_eff", "m_nu")
    with pytest.raises(ValueError, match="'h'"):
        likelihood.predict({"Omega_m": jnp.asarray(0.3)})


def test_radiation_matters_little():
    """0.1 % of H at redshift 2."""
    with_, without = (Chronometers(cosmic_chronometers(), radiation=r).predict(POINT) for r in (True, False))
    assert 1e-4 < with_[-1] / without[-1] - 1 < 1e-3


def test_gradient_equals_finite_differences():
    likelihood = Chronometers(cosmic_chronometers(), radiation=True)
    names, point = tuple(FULL), jnp.stack(list(FULL.values()))

    @jax.jit
    def log_likelihood(values):
        return likelihood.log_likelihood(dict(zip(names, values, strict=True)))

    gradient = jax.jit(jax.grad(log_likelihood))(point)
    for i in range(len(names)):
        step = 1e-4 * jnp.eye(len(names))[i]
        inner, outer = (
            (log_likelihood(point + k * step) - log_likelihood(point - k * step)) / (2e-4 * k) for k in (1, 2)
        )
        np.testing.assert_allclose(gradient[i], (4 * inner - outer) / 3, rtol=1e-6, atol=1e-7, err_msg=names[i])


def test_single_precision():
    likelihood = Chronometers(cosmic_chronometers(), radiation=True)
    single, parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (likelihood, FULL))
    value = jax.jit(lambda p: single.log_likelihood(p))(parameters)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, likelihood.log_likelihood(FULL), rtol=1e-5)


def test_bad_covariance():
    data = cosmic_chronometers()
    inverse = -np.linalg.inv(data.covariance)
    with pytest.raises(ValueError, match="covariance of the chronometers is not positive definite"):
        Chronometers(ChronometerData(data.redshift, data.hubble_rate, 0.5 * (inverse + inverse.T)))


def test_published_posterior():
    """H0 about 66-67 +- 5.4 km/s/Mpc; by a grid integral under H0 U[45, 95] and Omega_m U[.05, .8] 65.9 +- 5.6."""
    likelihood = Chronometers(cosmic_chronometers())
    density, rate = np.linspace(0.05, 0.8, 151), np.linspace(45.0, 95.0, 151)
    grid = jnp.stack(jnp.meshgrid(jnp.asarray(density), jnp.asarray(rate), indexing="ij"), -1).reshape(-1, 2)
    log = jax.jit(jax.vmap(lambda p: likelihood.log_likelihood({"Omega_m": p[0], "h": p[1] / 100})))(grid)
    weight = np.exp(log - log.max())
    mean = np.average(grid, axis=0, weights=weight)
    sd = np.sqrt(np.average((np.asarray(grid) - mean) ** 2, axis=0, weights=weight))
    np.testing.assert_allclose(mean, (0.368, 65.9), rtol=0.005)
    np.testing.assert_allclose(sd, (0.106, 5.6), rtol=0.01)
