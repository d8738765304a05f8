import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from cosmoflow import datasets
from cosmoflow.cosmology import Cosmology
from cosmoflow.datasets import GrowthData, fsigma8_gold2018
from cosmoflow.likelihoods import BAO, GrowthRate
from cosmoflow.likelihoods._growth_rate import f_sigma8

POINT = {"Omega_m": jnp.asarray(0.3), "sigma8": jnp.asarray(0.8)}
FULL = {"h": 0.68, "Omega_k": 0.02, "w0": -0.9, "wa": -0.3, "T_cmb": 2.7, "N_eff": 3.1, "m_nu": 0.1}
FULL = POINT | {name: jnp.asarray(value) for name, value in FULL.items()}


def test_chi2_of_the_authors_likelihood():
    """cosmofit 2.2.0 has its formula, with the theory divided by H D_A / (H D_A)_fid."""
    np.testing.assert_allclose(eqx.filter_jit(GrowthRate(fsigma8_gold2018()).chi2)(POINT), 14.451778, atol=1e-4)


@pytest.mark.slow
def test_the_package_cosmofit_agrees():
    cosmofit = pytest.importorskip("cosmofit")
    universe = cosmofit.CosmologyParameters(H0=70.0, Omega_m=0.25, sigma8=0.85, m_nu=0.0, N_eff=0.0)
    theirs = cosmofit.FSigma8Likelihood(cosmofit.LCDM(universe))
    ours = GrowthRate(fsigma8_gold2018())
    point = {"Omega_m": jnp.asarray(0.25), "sigma8": jnp.asarray(0.85)}
    np.testing.assert_allclose(ours.predict(point), theirs.model(), rtol=1e-5)
    np.testing.assert_allclose(ours.chi2(point), theirs.chi2(), atol=1e-4)


def test_best_fit_of_gold2018():
    """Low, as all of redshift-space distortions in 2018: Planck's Omega_m .3155, sigma8 .8307 has chi^2 20.7."""
    likelihood = GrowthRate(fsigma8_gold2018())
    chi2 = jax.jit(lambda x: likelihood.chi2({"Omega_m": x[0], "sigma8": x[1]}))
    best = minimize(lambda x: float(chi2(jnp.asarray(x))), [0.3, 0.8], method="Nelder-Mead", options={"fatol": 1e-7})
    np.testing.assert_allclose(best.x, (0.2565, 0.8002), atol=2e-3)
    np.testing.assert_allclose(best.fun, 12.238, atol=1e-3)
    np.testing.assert_allclose(chi2(jnp.asarray([0.315524, 0.83073])), 20.709, atol=1e-3)


@pytest.mark.slow
def test_limits():
    """Einstein and de Sitter's universe has f = 1 and D = a; others nearly f = Omega_m(z)^0.55."""
    redshift = jnp.asarray([0.1, 0.5, 1.5])
    matter = jax.jit(f_sigma8)(Cosmology(Omega_m=1.0, h=0.7), redshift, jnp.asarray(0.8))
    np.testing.assert_allclose(matter, 0.8 / (1 + redshift), rtol=1e-5)
    scaled = jax.jit(f_sigma8)(Cosmology(Omega_m=0.3, h=0.7), jnp.asarray([0.0]), jnp.asarray(0.8))
    np.testing.assert_allclose(scaled, 0.8 * 0.3**0.55, rtol=0.01)


@pytest.mark.soon(1)
@pytest.mark.parametrize("mass, tolerance", [(0.0, 6e-5), (0.06, 4e-4), (0.3, 8e-3)])
def test_camb(mass, tolerance):
    camb = pytest.importorskip("camb")
    redshift = [0.0, 0.38, 0.698, 1.48]
    settings = camb.set_params(
        ombh2=0.0222, omch2=0.12, H0=67.0, mnu=mass, num_massive_neutrinos=int(mass > 0), nnu=3.046
    )
    settings.set_matter_power(redshifts=redshift, kmax=2.0)
    results = camb.get_results(settings)
    universe = Cosmology(Omega_m=settings.omegam, h=0.67, T_cmb=2.7255, N_eff=3.046, m_nu=mass)
    ours = f_sigma8(universe, jnp.asarray(redshift), jnp.asarray(results.get_sigma8_0()))
    np.testing.assert_allclose(ours, results.get_fsigma8()[::-1], rtol=tolerance)


@pytest.mark.soon(1)
@pytest.mark.parametrize("name, published", [("sdss_dr16_lrg_full_shape", 5.96), ("sdss_dr16_qso_full_shape", 8.78)])
def test_published_chi2_of_full_shapes(name, published):
    """Cobaya's test suite, which states a tolerance of 0.04 for CAMB itself."""
    point = {"Omega_m": 0.315524, "h": 0.672653, "r_d": 147.2595, "sigma8": 0.83073, "N_eff": 3.046, "m_nu": 0.06}
    likelihood = BAO(getattr(datasets, name)(), sound_horizon="given", radiation=True)
    chi2 = eqx.filter_jit(likelihood.chi2)({name: jnp.asarray(value) for name, value in point.items()})
    np.testing.assert_allclose(chi2, published, atol=0.06)


def test_full_shapes_need_an_amplitude():
    data = datasets.sdss_dr16_qso_full_shape()
    likelihood = BAO(data)
    assert likelihood.required == ("Omega_m", "h_r_d", "sigma8")
    point = POINT | {"h_r_d": jnp.asarray(100.0)}
    log_likelihood = eqx.filter_jit(likelihood.log_likelihood)
    gradient = eqx.filter_jit(lambda l, p: jax.grad(l.log_likelihood)(p))(likelihood, point)
    step = 1e-4

    def change(name):
        high, low = (log_likelihood(point | {name: point[name] * (1 + s)}) for s in (step, -step))
        return (high - low) / (2 * step * point[name])

    for name in point:
        np.testing.assert_allclose(gradient[name], change(name), rtol=1e-5)
    with pytest.raises(ValueError, match="sigma8"):
        likelihood.predict({"Omega_m": jnp.asarray(0.3), "h_r_d": jnp.asarray(100.0)})


def test_normalisation_and_names():
    data, likelihood = fsigma8_gold2018(), GrowthRate(fsigma8_gold2018())
    expected = multivariate_normal(likelihood.predict(POINT), data.covariance).logpdf(data.f_sigma8)
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), expected, rtol=1e-12)
    assert likelihood.required == ("Omega_m", "sigma8") and likelihood.optional == ("Omega_k", "w0", "wa")
    assert GrowthRate(data, radiation=True).required == ("Omega_m", "sigma8", "h")


def test_without_a_fiducial_cosmology():
    data = fsigma8_gold2018()
    plain = GrowthRate(GrowthData(data.redshift, data.f_sigma8, data.covariance))
    expected = f_sigma8(Cosmology(0.3, h=1.0), jnp.asarray(data.redshift), POINT["sigma8"])
    np.testing.assert_allclose(plain.predict(POINT), expected, rtol=1e-12)


@pytest.mark.slow
def test_gradient_equals_finite_differences():
    likelihood = GrowthRate(fsigma8_gold2018(), radiation=True)
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
        np.testing.assert_allclose(gradient[i], (4 * inner - outer) / 3, rtol=1e-6, atol=1e-6, err_msg=names[i])


@pytest.mark.slow
def test_single_precision():
    likelihood = GrowthRate(fsigma8_gold2018(), radiation=True)
    single, parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (likelihood, FULL))
    value = jax.jit(lambda p: single.log_likelihood(p))(parameters)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, eqx.filter_jit(likelihood.log_likelihood)(FULL), rtol=1e-4)
