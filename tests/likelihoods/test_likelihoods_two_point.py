import os
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.linalg import solve_triangular
from scipy.stats import multivariate_normal

from cosmoflow.datasets import RedshiftDistribution, TwoPointData, des_y1_3x2pt
from cosmoflow.likelihoods import TwoPoint

COSMOLOGY = {"Omega_m": 0.3, "Omega_b": 0.05, "h": 0.7, "n_s": 0.96, "A_s": 2e-9}
EXTENSIONS = {"Omega_k": 0.0, "w0": -1.0, "wa": 0.0, "T_cmb": 2.7255, "N_eff": 3.044, "m_nu": 0.1}
NUISANCE = {
    "b_lens0": 1.6, "A_IA": 0.5, "eta_IA": 1.0, "m_src0": 0.01,
    "dz_src0": 0.01, "dz_lens0": -0.005, "width_src0": 1.02, "width_lens0": 0.97, "s_lens0": 0.7,
}  # fmt: skip
POINT = {name: jnp.asarray(value) for name, value in (COSMOLOGY | EXTENSIONS | NUISANCE).items()}
DEFAULTS = {
    "Omega_k": 0.0, "w0": -1.0, "wa": 0.0, "T_cmb": 2.7255, "N_eff": 3.044, "m_nu": 0.0, "A_IA": 0.0, "eta_IA": 0.0,
    "m_src0": 0.0, "dz_src0": 0.0, "dz_lens0": 0.0, "width_src0": 1.0, "width_lens0": 1.0, "s_lens0": 0.4,
}  # fmt: skip
FULL = POINT | {name: jnp.asarray(value) for name, value in DEFAULTS.items()}
BARE = {name: POINT[name] for name in (*COSMOLOGY, "b_lens0")}
COARSE = {"num_redshifts": 50}

DES = os.environ.get("COSMOFLOW_DATA")
needs_des = pytest.mark.skipif(DES is None, reason="COSMOFLOW_DATA does not name the folder of des_y1_3x2pt")


def bell(mean, width):
    z = np.linspace(0, 2, 201)
    density = z**2 * np.exp(-((z - mean) ** 2) / (2 * width**2))
    return RedshiftDistribution(z, density / np.trapezoid(density, z))


def synthetic(statistic, angle, **others):
    """One source and one lens bin, errors of some per cent with correlations."""
    first = tuple("src0" if kind in ("xi_plus", "xi_minus", "cl_ee") else "lens0" for kind in statistic)
    second = tuple("lens0" if kind in ("w", "cl_gg") else "src0" for kind in statistic)
    scale = {"xi_plus": 1e-5, "xi_minus": 1e-6, "gamma_t": 3e-4, "w": 2e-2, "cl_ee": 2e-9, "cl_ge": 2e-8, "cl_gg": 1e-5}
    value = np.array([scale[kind] for kind in statistic])
    error = 0.1 * value
    covariance = np.outer(error, error) * (0.3 + 0.7 * np.eye(value.size))
    distributions = {"src0": bell(0.8, 0.25), "lens0": bell(0.5, 0.08)}
    return TwoPointData(
        tuple(statistic), first, second, np.asarray(angle, float), value, covariance, distributions, **others
    )


STATISTICS = ("xi_plus", "xi_plus", "xi_minus", "xi_minus", "gamma_t", "gamma_t", "w", "w")
REAL = synthetic(STATISTICS, [10.0, 60.0, 20.0, 80.0, 20.0, 100.0, 30.0, 120.0])


@eqx.filter_jit
def predict(likelihood, parameters):
    return likelihood.predict(parameters)


@eqx.filter_jit
def value_and_gradient(likelihood, parameters):
    return jax.value_and_grad(lambda p: likelihood.log_likelihood(p))(parameters)


def chi2(likelihood, prediction):
    residual = solve_triangular(likelihood.cholesky, prediction - likelihood.data, lower=True)
    return residual @ residual


@pytest.fixture(scope="module")
def likelihood():
    return TwoPoint(REAL, magnification=True, **COARSE)


def steps(parameters):
    """Small for redshifts: the interpolated n(z) has jumps in its second derivative."""
    special = {"A_s": 1e-12, "T_cmb": 1e-2, "m_nu": 1e-2}
    return {name: special.get(name, 1e-5 if name[:2] in ("dz", "wi") else 1e-4) for name in parameters}


def check_gradient(likelihood, parameters, scale):
    """Every derivative against a Richardson step of central differences."""
    gradient = value_and_gradient(likelihood, parameters)[1]
    for name, h in scale.items():
        shifted = [
            value_and_gradient(likelihood, parameters | {name: parameters[name] + sign * h})[0]
            for sign in (1, -1, 2, -2)
        ]
        inner, outer = (shifted[0] - shifted[1]) / (2 * h), (shifted[2] - shifted[3]) / (4 * h)
        np.testing.assert_allclose(
            gradient[name], (4 * inner - outer) / 3, rtol=3e-4, atol=1e-5 + 1e-9 / h, err_msg=name
        )


@pytest.mark.slow
def test_gradient_equals_finite_differences(likelihood):
    assert set(POINT) == {*likelihood.required, *likelihood.optional}
    check_gradient(likelihood, POINT, steps(POINT))


@pytest.mark.slow
def test_normalisation(likelihood):
    """Value and log-determinant are those of SciPy's normal, in units in which it finds no eigenvalue too small."""
    error = np.sqrt(np.diagonal(REAL.covariance))
    normal = multivariate_normal(predict(likelihood, POINT) / error, REAL.covariance / np.outer(error, error))
    expected = normal.logpdf(REAL.value / error) - np.sum(np.log(error))
    np.testing.assert_allclose(value_and_gradient(likelihood, POINT)[0], expected, rtol=1e-10)


@pytest.mark.slow
def test_order_of_the_rows_does_not_matter(likelihood):
    order = np.array([1, 4, 6, 0, 7, 3, 2, 5])
    shuffled = replace(
        REAL,
        statistic=tuple(np.array(REAL.statistic)[order].tolist()),
        first=tuple(np.array(REAL.first)[order].tolist()),
        second=tuple(np.array(REAL.second)[order].tolist()),
        angle=REAL.angle[order],
        value=REAL.value[order],
        covariance=REAL.covariance[np.ix_(order, order)],
    )
    other = TwoPoint(shuffled, magnification=True, **COARSE)
    np.testing.assert_allclose(predict(other, POINT), predict(likelihood, POINT)[order], rtol=1e-10)
    np.testing.assert_allclose(
        value_and_gradient(other, POINT)[0], value_and_gradient(likelihood, POINT)[0], rtol=1e-10
    )


@pytest.mark.slow
def test_defaults_are_those_documented(likelihood):
    assert set(DEFAULTS) == set(likelihood.optional)
    np.testing.assert_allclose(predict(likelihood, BARE), predict(likelihood, FULL), rtol=1e-3)


def test_nuisance_parameters_do_what_they_say(likelihood):
    """Bias and shear calibration are factors; shifted redshifts are those of a shifted n(z)."""
    base = predict(likelihood, FULL)
    calibrated = predict(likelihood, FULL | {"m_src0": jnp.asarray(0.1)})
    np.testing.assert_allclose(calibrated / base, [1.21] * 4 + [1.1] * 2 + [1] * 2, rtol=1e-10)
    biased = predict(likelihood, FULL | {"b_lens0": 2 * FULL["b_lens0"]})
    np.testing.assert_allclose(biased / base, [1] * 4 + [2] * 2 + [4] * 2, rtol=1e-10)
    lens = REAL.distributions["lens0"]
    moved = RedshiftDistribution(lens.redshift, np.interp(lens.redshift - 0.05, lens.redshift, lens.density, left=0))
    shifted = replace(REAL, distributions=REAL.distributions | {"lens0": moved})
    expected = predict(TwoPoint(shifted, magnification=True, **COARSE), FULL)
    np.testing.assert_allclose(predict(likelihood, FULL | {"dz_lens0": jnp.asarray(0.05)}), expected, rtol=2e-3)


def test_missing_parameter_is_named(likelihood):
    with pytest.raises(ValueError, match="needs the parameter 'b_lens0'"):
        likelihood.predict({name: value for name, value in BARE.items() if name != "b_lens0"})


@pytest.mark.slow
def test_single_precision(likelihood):
    single = TwoPoint(REAL, magnification=True, precision="single", **COARSE)
    assert jax.eval_shape(single.angular_power, POINT).dtype == jnp.float32
    np.testing.assert_allclose(predict(single, POINT), predict(likelihood, POINT), rtol=3e-5)


@pytest.mark.slow
def test_all_in_single_precision(likelihood):
    """As without JAX's double precision: every leaf is single."""
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf, likelihood)
    parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), POINT)
    assert jax.eval_shape(lambda p: value_and_gradient(single, p)[1]["h"], parameters).dtype == jnp.float32
    prediction = predict(single, parameters)
    assert prediction.dtype == jnp.float32
    np.testing.assert_allclose(prediction, predict(likelihood, POINT), rtol=3e-5)


@pytest.mark.slow
def test_batches(likelihood):
    batch = jax.tree.map(lambda leaf: leaf * jnp.array([1.0, 1.01]), POINT)
    values = eqx.filter_jit(eqx.filter_vmap(lambda p: likelihood.predict(p)))(batch)
    np.testing.assert_allclose(values[0], predict(likelihood, POINT), rtol=1e-10)


def test_bandpowers():
    """A top-hat window gives the mean of the spectrum over it."""
    kinds, ell = ("cl_ee", "cl_ge", "cl_gg"), np.arange(100.0, 120.0)
    banded = TwoPoint(synthetic(kinds, [110.0] * 3, window=(ell, np.full((3, ell.size), 1 / ell.size))), **COARSE)
    single = TwoPoint(synthetic(np.repeat(kinds, ell.size).tolist(), np.tile(ell, 3)), **COARSE)
    assert banded.pairs == single.pairs
    np.testing.assert_allclose(banded.rows, single.rows.reshape(3, ell.size, -1).mean(axis=1), atol=1e-12)


def test_angles_with_edges(likelihood):
    """Correlations averaged over narrow bins are those at their centres."""
    narrow = replace(REAL, edges=REAL.angle[:, None] * np.array([0.999, 1.001]))
    averages = predict(TwoPoint(narrow, magnification=True, **COARSE), POINT)
    np.testing.assert_allclose(averages, predict(likelihood, POINT), rtol=1e-4)


@pytest.mark.slow
def test_redshift_space_adds_to_clustering_on_large_scales():
    kinds = ("cl_ee",) * 4 + ("cl_ge",) * 2 + ("cl_gg",) * 2
    data = synthetic(kinds, [15.0, 50.0, 100.0, 1500.0, 15.0, 1500.0, 15.0, 1500.0])
    plain, moving = (
        predict(TwoPoint(data, magnification=True, redshift_space=on, **COARSE), POINT) for on in (False, True)
    )
    assert moving[6] > 1.02 * plain[6]
    np.testing.assert_allclose(moving[:4], plain[:4], rtol=1e-10)
    np.testing.assert_allclose(moving[5::2], plain[5::2], rtol=1e-3)


# DES Y1 at the point of Cobaya's test suite

DES_POINT = {
    "Omega_m": 0.315524, "Omega_b": 0.02225203 / 0.672653**2, "h": 0.672653, "n_s": 0.9647522, "sigma8": 0.83073,
    "A_IA": 1.0, "eta_IA": 1.0, "m_nu": 0.06, "N_eff": 3.046,
    **{f"m_src{i}": 0.012 for i in range(4)},
    **{f"dz_src{i}": shift for i, shift in enumerate((0.002, -0.015, 0.007, -0.018))},
    **{f"dz_lens{i}": shift for i, shift in enumerate((0.002, 0.001, 0.003, 0.0, 0.0))},
    **{f"b_lens{i}": bias for i, bias in enumerate((1.45, 1.55, 1.65, 1.8, 2.0))},
}  # fmt: skip
DES_POINT = {name: jnp.asarray(value) for name, value in DES_POINT.items()}


@pytest.fixture(scope="module")
def des_data():
    return des_y1_3x2pt()


@pytest.fixture(scope="module")
def des(des_data):
    return TwoPoint(des_data, amplitude="sigma8")


@needs_des
def test_des_y1(des_data, des):
    """Cobaya's suite has 242.83, 208.01 and 570.43, CCL on CAMB 242.85, 207.23 and 573.39."""
    prediction = predict(des, DES_POINT)
    kinds = np.array(des_data.statistic)
    for statistics, expected, tolerance in (
        (("xi_plus", "xi_minus"), 242.83, 0.3),
        (("gamma_t",), 208.01, 1.5),
        (("w",), 102.58, 2.5),  # CCL's on CAMB; Cobaya has 100.78
        (("xi_plus", "xi_minus", "gamma_t", "w"), 570.43, 5.0),
    ):
        part = TwoPoint(des_data.only(*statistics), amplitude="sigma8")
        np.testing.assert_allclose(chi2(part, prediction[np.isin(kinds, statistics)]), expected, atol=tolerance)


@pytest.mark.slow
@needs_des
def test_des_y1_equals_ccl(des_data, des):
    """Every correlation of one source and one lens bin, in units of its error; CCL sums on the flat sky."""
    ccl = pytest.importorskip("pyccl")
    point = DES_POINT | {name: jnp.asarray(0.0) for name in DES_POINT if name[:2] in ("dz", "m_")}
    universe = ccl.Cosmology(
        Omega_c=float(point["Omega_m"] - point["Omega_b"]), Omega_b=float(point["Omega_b"]), h=float(point["h"]),
        n_s=float(point["n_s"]), sigma8=float(point["sigma8"]), Neff=3.046, T_CMB=2.7255,
        transfer_function="eisenstein_hu", matter_power_spectrum="halofit",
    )  # fmt: skip
    prediction, error = predict(des, point), np.sqrt(np.diagonal(des_data.covariance))
    source, lens = (des_data.distributions[name] for name in ("src2", "lens1"))
    ia = (source.redshift, (1 + source.redshift) / 1.62)
    shapes = ccl.WeakLensingTracer(universe, dndz=(source.redshift, source.density), ia_bias=ia)
    bias = (lens.redshift, np.full_like(lens.redshift, 1.55))
    galaxies = ccl.NumberCountsTracer(universe, has_rsd=False, dndz=(lens.redshift, lens.density), bias=bias)
    ell = np.unique(np.geomspace(1, 6e4, 250).astype(int)).astype(float)
    for statistic, kind, first, second, a, b in (
        ("xi_plus", "GG+", "src2", "src2", shapes, shapes),
        ("xi_minus", "GG-", "src2", "src2", shapes, shapes),
        ("gamma_t", "NG", "lens1", "src2", galaxies, shapes),
        ("w", "NN", "lens1", "lens1", galaxies, galaxies),
    ):
        keys = zip(des_data.statistic, des_data.first, des_data.second, strict=True)
        rows = [i for i, key in enumerate(keys) if key == (statistic, first, second)]
        assert len(rows) > 5
        spectrum = ccl.angular_cl(universe, a, b, ell)
        theta = des_data.angle[rows] / 60
        order = np.argsort(theta)
        theirs = ccl.correlation(universe, ell=ell, C_ell=spectrum, theta=theta[order], type=kind, method="FFTLog")
        difference = (prediction[np.array(rows)][order] - theirs) / error[rows][order]
        np.testing.assert_allclose(difference, 0, atol=0.1, err_msg=statistic)


@pytest.mark.slow
@needs_des
def test_theory_of_des_y1_in_single_precision(des_data, des):
    single = TwoPoint(des_data, amplitude="sigma8", precision="single")
    rng = np.random.default_rng(1)
    for _ in range(4):
        point = DES_POINT | {
            name: jnp.asarray(rng.uniform(low, high))
            for name, (low, high) in {
                "Omega_m": (0.15, 0.6), "Omega_b": (0.03, 0.07), "h": (0.55, 0.91), "n_s": (0.87, 1.07),
                "sigma8": (0.6, 1.0), "A_IA": (-2, 2), "eta_IA": (-3, 3), "b_lens0": (0.8, 3.0),
            }.items()
        }  # fmt: skip
        double_chi2, single_chi2 = (chi2(likelihood, predict(likelihood, point)) for likelihood in (des, single))
        np.testing.assert_allclose(single_chi2, double_chi2, atol=0.01, rtol=1e-5)


@pytest.mark.slow
@needs_des
def test_gradient_of_des_y1(des):
    assert len(DES_POINT) == 27  # the 25 of the analysis, mass and number of neutrinos
    check_gradient(des, DES_POINT, steps(DES_POINT))
