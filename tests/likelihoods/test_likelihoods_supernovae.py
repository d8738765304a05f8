import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from cosmoflow.cosmology import Cosmology, distance_modulus
from cosmoflow.datasets import SupernovaData, union3
from cosmoflow.likelihoods import Supernovae

POINT = {"Omega_m": jnp.asarray(0.315524)}
RADIATION = POINT | {"h": jnp.asarray(0.672653), "N_eff": jnp.asarray(3.046), "m_nu": jnp.asarray(0.06)}


def test_published_chi2():
    """Cobaya's test suite, at the Planck 2015 best fit, with radiation off."""
    np.testing.assert_allclose(Supernovae(union3()).chi2(POINT), 26.35, atol=0.01)


def test_chi2_with_radiation():
    """CAMB 2.0.5 at the same point with one neutrino of 0.06 eV."""
    np.testing.assert_allclose(Supernovae(union3(), radiation=True).chi2(RADIATION), 26.3311, atol=1e-3)


def test_chi2_is_the_minimum_over_the_offset():
    data = union3()
    residual = data.distance_modulus - np.asarray(distance_modulus(Cosmology(0.315524), data.redshift))
    precision, ones = np.linalg.inv(data.covariance), np.ones(22)
    offset = (ones @ precision @ residual) / (ones @ precision @ ones)
    minimum = (residual - offset) @ precision @ (residual - offset)
    np.testing.assert_allclose(Supernovae(data).chi2(POINT), minimum, rtol=1e-9)


def test_log_likelihood_is_the_integral_over_the_offset():
    data = union3()
    model = np.asarray(distance_modulus(Cosmology(0.315524), data.redshift))
    best = np.mean(data.distance_modulus - model)
    peak = Supernovae(data).log_likelihood(POINT)

    def density(offset):
        return np.exp(multivariate_normal(model + offset, data.covariance).logpdf(data.distance_modulus) - peak)

    integral = quad(density, best - 1.5, best + 1.5, points=[best], epsabs=0, epsrel=1e-9, limit=200)[0]
    np.testing.assert_allclose(integral, 1.0, rtol=1e-7)


def test_reference_does_not_matter():
    data, order = union3(), np.random.default_rng(1).permutation(22)
    shuffled = SupernovaData(
        data.redshift[order], data.distance_modulus[order] + 3.0, data.covariance[np.ix_(order, order)]
    )
    for method in ("chi2", "log_likelihood"):
        ours, theirs = (getattr(Supernovae(d), method)(POINT) for d in (data, shuffled))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_chi2_and_log_likelihood_are_consistent():
    likelihood = Supernovae(union3())
    other = {"Omega_m": jnp.asarray(0.4)}
    difference = likelihood.log_likelihood(other) - likelihood.log_likelihood(POINT)
    np.testing.assert_allclose(difference, -0.5 * (likelihood.chi2(other) - likelihood.chi2(POINT)), rtol=1e-10)


def test_names():
    assert Supernovae(union3()).required == ("Omega_m",)
    assert Supernovae(union3()).optional == ("Omega_k", "w0", "wa")
    assert Supernovae(union3(), radiation=True).required == ("Omega_m", "h")
    with pytest.raises(ValueError, match="'Omega_m'"):
        Supernovae(union3()).predict({})


def test_single_precision():
    likelihood = Supernovae(union3())
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), likelihood)
    value = jax.jit(lambda m: single.log_likelihood({"Omega_m": m}))(jnp.float32(0.315524))
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, likelihood.log_likelihood(POINT), atol=1e-2)


def test_published_posterior():
    """Union3, flat LCDM: .356 +.028 -.026 (arXiv:2311.12098); here by a grid integral."""
    density = np.linspace(0.2, 0.55, 701)
    log = jax.vmap(lambda m: Supernovae(union3()).log_likelihood({"Omega_m": m}))(jnp.asarray(density))
    cumulative = np.cumsum(np.exp(log - log.max()))
    low, middle, high = np.interp((0.1587, 0.5, 0.8413), cumulative / cumulative[-1], density)
    np.testing.assert_allclose((middle, high - middle, middle - low), (0.356, 0.028, 0.026), atol=0.001)
