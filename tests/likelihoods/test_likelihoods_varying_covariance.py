from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cosmoflow.datasets import RedshiftDistribution, TwoPointData
from cosmoflow.likelihoods import TwoPoint, VaryingCovarianceTwoPoint

Z = np.linspace(0, 2, 201)
NOISE = {"src0": 1e-9, "src1": 2e-9, "lens0": 3e-8}
ROWS = [
    *(("cl_ee", "src0", "src0", band) for band in range(3)),
    *(("cl_ee", "src0", "src1", band) for band in (2, 0, 1)),
    *(("cl_ee", "src1", "src1", band) for band in range(3)),
    *(("cl_ge", "lens0", "src1", band) for band in range(2)),
    ("cl_gg", "lens0", "lens0", 0),
]
EDGES = (30, 100, 300, 900)
POINT = {
    "Omega_m": 0.3,
    "Omega_b": 0.05,
    "h": 0.7,
    "n_s": 0.96,
    "sigma8": 0.8,
    "w0": -0.95,
    "wa": 0.1,
    "A_IA": 0.5,
    "eta_IA": 0.2,
    "b_lens0": 1.5,
    "m_src0": 0.01,
    "m_src1": -0.01,
    "dz_src0": 0.01,
    "dz_src1": -0.01,
    "dz_lens0": 0.005,
    "width_src0": 1.01,
    "width_src1": 0.98,
    "width_lens0": 1.03,
}
POINT = {name: jnp.asarray(value) for name, value in POINT.items()}


def bump(mean, sd):
    density = np.exp(-(((Z - mean) / sd) ** 2) / 2)
    return RedshiftDistribution(Z, density / np.trapezoid(density, Z))


def made(rows=ROWS):
    kinds, first, second, bands = zip(*rows, strict=True)
    ell = np.arange(EDGES[0], EDGES[-1], dtype=float)
    low, high = (np.array(EDGES)[np.array(bands) + i][:, None] for i in range(2))
    window = np.where((low <= ell) & (ell < high), 2 * ell + 1, 0)
    size = len(rows)
    return TwoPointData(
        statistic=kinds,
        first=first,
        second=second,
        angle=(low + high)[:, 0] / 2,
        value=np.zeros(size),
        covariance=np.eye(size),
        distributions={"lens0": bump(0.4, 0.06), "src0": bump(0.5, 0.12), "src1": bump(0.9, 0.15)},
        window=(ell, window / window.sum(1, keepdims=True)),
    )


def likelihood_of(data, noise=NOISE, f_sky=0.1):
    return VaryingCovarianceTwoPoint(data, noise=noise, f_sky=f_sky, amplitude="sigma8")


@eqx.filter_jit
def compiled_moments(likelihood, point):
    return likelihood.theory.predict(point), likelihood.covariance(point), likelihood._spectra(point)


def moments(likelihood, point):
    return tuple(map(np.asarray, compiled_moments(likelihood, point)))


@pytest.fixture(scope="module")
def data():
    mean, covariance, _ = moments(likelihood_of(made()), POINT)
    value = np.random.default_rng(0).multivariate_normal(mean, covariance, method="cholesky", check_valid="ignore")
    return replace(made(), value=value, covariance=covariance)


@pytest.fixture(scope="module")
def likelihood(data):
    return likelihood_of(data)


@eqx.filter_jit
def log_likelihood(likelihood, point):
    return likelihood.log_likelihood(point)


@eqx.filter_jit
def value_and_gradient(likelihood, point):
    return jax.value_and_grad(lambda p: likelihood.log_likelihood(p))(point)


@pytest.mark.slow
def test_covariance_is_that_of_gaussian_fields(likelihood):
    """Bandpowers of fields that are drawn have it."""
    fields = {"src0": 0, "src1": 1, "lens0": 2}
    _, covariance, spectra = moments(likelihood, POINT)
    spectra = spectra[0] + np.diag(list(NOISE.values()))
    modes = 0.1 * np.sum(2 * np.arange(*EDGES[:2]) + 1)
    rows = [i for i, row in enumerate(ROWS) if row[3] == 0]
    pairs = [(fields[ROWS[i][1]], fields[ROWS[i][2]]) for i in rows]
    expected = [[spectra[i, k] * spectra[j, l] + spectra[i, l] * spectra[j, k] for k, l in pairs] for i, j in pairs]
    np.testing.assert_allclose(covariance[np.ix_(rows, rows)], np.array(expected) / modes, rtol=1e-12)
    others = [i for i in range(len(ROWS)) if i not in rows]
    assert not covariance[np.ix_(rows, others)].any()

    scale = np.sqrt(np.diag(spectra))
    correlation = spectra / np.outer(scale, scale)
    draws = np.random.default_rng(1).multivariate_normal(np.zeros(3), correlation, size=(4000, 100))
    estimates = np.array([np.mean(draws[..., i] * draws[..., j], axis=1) for i, j in pairs])
    unit = np.array([scale[i] * scale[j] for i, j in pairs])
    expected = np.array(expected) / np.outer(unit, unit)
    np.testing.assert_allclose(100 * np.cov(estimates), expected, atol=0.15)


@pytest.mark.slow
def test_normalisation(data, likelihood):
    mean, covariance, _ = moments(likelihood, POINT)
    error = np.sqrt(np.diagonal(covariance))
    expected = multivariate_normal(mean / error, covariance / np.outer(error, error)).logpdf(data.value / error)
    np.testing.assert_allclose(log_likelihood(likelihood, POINT), expected - np.sum(np.log(error)), rtol=1e-9)


@pytest.mark.slow
def test_order_of_rows_does_not_matter(data, likelihood):
    order = np.random.default_rng(2).permutation(len(ROWS))
    moved = made([ROWS[i] for i in order])
    moved = replace(moved, value=data.value[order], covariance=data.covariance[np.ix_(order, order)])
    expected = log_likelihood(likelihood, POINT)
    np.testing.assert_allclose(log_likelihood(likelihood_of(moved), POINT), expected, rtol=1e-12)


@pytest.mark.slow
def test_fixed_covariance(data, likelihood):
    """The same at the point whose covariance is kept; everywhere, where noise is all there is in it."""
    fixed = TwoPoint(data, amplitude="sigma8")
    np.testing.assert_allclose(log_likelihood(likelihood, POINT), log_likelihood(fixed, POINT), rtol=1e-9)
    moved = POINT | {"Omega_m": jnp.asarray(0.32), "b_lens0": jnp.asarray(1.6)}
    assert abs(log_likelihood(likelihood, moved) - log_likelihood(fixed, moved)) > 1

    loud = likelihood_of(data, noise={name: 1e3 * value for name, value in NOISE.items()})
    _, covariance, spectra = moments(loud, POINT)
    kept = TwoPoint(replace(data, covariance=covariance), amplitude="sigma8")
    loud_steps, kept_steps = (log_likelihood(each, moved) - log_likelihood(each, POINT) for each in (loud, kept))
    signal = np.max(np.abs(moments(loud, moved)[2] - spectra)) / np.min(loud.noise)
    np.testing.assert_allclose(loud_steps, kept_steps, atol=20 * signal)


@pytest.mark.slow
def test_gradient_equals_finite_differences(likelihood):
    gradient = value_and_gradient(likelihood, POINT)[1]
    assert set(likelihood.required) <= set(POINT)
    for name in POINT:
        inner, outer = (
            (
                log_likelihood(likelihood, POINT | {name: POINT[name] + step})
                - log_likelihood(likelihood, POINT | {name: POINT[name] - step})
            )
            / (2 * step)
            for step in (2e-4, 4e-4)
        )
        np.testing.assert_allclose(gradient[name], (4 * inner - outer) / 3, rtol=1e-4, atol=2e-3, err_msg=name)


@pytest.mark.slow
def test_single_precision(likelihood):
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf, likelihood)
    value, gradient = value_and_gradient(single, jax.tree.map(lambda leaf: leaf.astype(jnp.float32), POINT))
    assert value.dtype == gradient["Omega_m"].dtype == jnp.float32
    np.testing.assert_allclose(value, log_likelihood(likelihood, POINT), rtol=1e-4)
    expected = value_and_gradient(likelihood, POINT)[1]
    np.testing.assert_allclose(gradient["Omega_m"], expected["Omega_m"], rtol=1e-2)


def test_spectra_at_single_multipoles(data):
    at = replace(data, window=None, angle=np.array([50.0, 150.0, 500.0])[[row[3] for row in ROWS]])
    np.testing.assert_allclose(likelihood_of(at).modes, 0.1 * np.array([101.0, 301.0, 1001.0]))


def test_derived_and_observed(data, likelihood):
    assert set(likelihood.derived(POINT)) == {"S8"}
    np.testing.assert_array_equal(likelihood.observed_data()["data"], data.value)


@pytest.mark.slow
def test_what_is_wrong_is_named(data):
    with pytest.raises(ValueError, match="noise of the bin 'src1' is missing"):
        likelihood_of(data, noise={"src0": 1.0, "lens0": 1.0})
    with pytest.raises(ValueError, match="fraction of the sky is 2"):
        likelihood_of(data, f_sky=2.0)
    with pytest.raises(ValueError, match="Row 10 is gamma_t"):
        likelihood_of(replace(data, statistic=(*data.statistic[:9], "gamma_t", *data.statistic[10:])))
    twice = made([*ROWS, ("cl_ee", "src1", "src0", 0)])
    with pytest.raises(ValueError, match="Rows 5 and 13 are the same spectrum"):
        likelihood_of(twice)
    multipole, window = data.window
    with pytest.raises(ValueError, match="share the multipole 100"):
        likelihood_of(replace(data, window=(multipole, np.where(multipole == 100, 1.0, window) + window)))
