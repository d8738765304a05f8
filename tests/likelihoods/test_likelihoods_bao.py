import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cosmoflow import cosmology as co
from cosmoflow import datasets
from cosmoflow.datasets import BAOData, desi_dr2_bao
from cosmoflow.likelihoods import BAO

POINT = {name: jnp.asarray(value) for name, value in {"Omega_m": 0.315524, "h": 0.672653, "r_d": 147.2595}.items()}
POINT["h_r_d"] = POINT["h"] * POINT["r_d"]
RADIATION = POINT | {"N_eff": jnp.asarray(3.046), "m_nu": jnp.asarray(0.06)}


PUBLISHED = {  # Cobaya's test suite, and CAMB 2.0.5 with one neutrino of 0.06 eV, at the Planck 2015 best fit
    "desi_dr1_bao": (21.37, 21.2736),
    "desi_dr2_bao": (30.51, 30.2633),
    "sdss_dr12_lrg_bao": (2.95, 2.9174),
    "sdss_dr16_lrg_bao": (3.29, 3.2878),
    "sdss_dr16_qso_bao": (0.54, 0.5428),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_chi2(name):
    """With radiation off, as the values asserted by Cobaya have it, and on."""
    data = getattr(datasets, name)()
    published, camb = PUBLISHED[name]
    np.testing.assert_allclose(BAO(data).chi2(POINT), published, atol=0.02)
    likelihood = BAO(data, sound_horizon="given", radiation=True)
    np.testing.assert_allclose(likelihood.chi2(RADIATION), camb, atol=1e-3)


def test_published_chi2_of_one_tracer():
    """Cobaya's test suite, `desi_dr2.desi_bao_elg2`."""
    np.testing.assert_allclose(BAO(desi_dr2_bao(["ELG2"])).chi2(POINT), 2.24, atol=0.02)


def test_computed_sound_horizon_equals_a_boltzmann_code():
    """DESI DR2 with distances and r_d of CAMB at Planck 2018's best fit."""
    camb = pytest.importorskip("camb")
    data, h = desi_dr2_bao(), 0.6736
    settings = camb.set_params(ombh2=0.02237, omch2=0.12, H0=100 * h, mnu=0.06, num_massive_neutrinos=1, nnu=3.044)
    results = camb.get_background(settings)
    transverse = results.comoving_radial_distance(data.redshift)
    radial = 299792.458 / results.hubble_parameter(data.redshift)
    average = np.cbrt(data.redshift * transverse**2 * radial)
    distance = {"DM_over_rd": transverse, "DH_over_rd": radial, "DV_over_rd": average}
    expected = np.array([distance[q][i] for i, q in enumerate(data.quantity)]) / results.get_derived_params()["rdrag"]
    point = {"Omega_m": settings.omegam, "h": h, "Omega_b": 0.02237 / h**2, "m_nu": 0.06}
    parameters = {name: jnp.asarray(value) for name, value in point.items()}
    likelihood = BAO(data, sound_horizon="computed", radiation=True)
    np.testing.assert_allclose(likelihood.predict(parameters), expected, rtol=2e-5)


@pytest.mark.parametrize(
    "column, value, sentence",
    [(0, -1.0, "not positive definite, its smallest eigenvalue is -1"), (1, 2.0, "not symmetric")],
)
def test_bad_covariance(column, value, sentence):
    good = desi_dr2_bao()
    covariance = good.covariance.copy()
    covariance[0, column] = value
    with pytest.raises(ValueError, match=f"covariance of the BAO distances is {sentence}"):
        BAO(BAOData(good.redshift, good.quantity, good.value, covariance))


def test_prediction_is_the_named_distance():
    likelihood = BAO(desi_dr2_bao(), sound_horizon="given", radiation=True)
    parameters = RADIATION | {"Omega_k": jnp.asarray(0.05), "w0": jnp.asarray(-0.8), "wa": jnp.asarray(-0.4)}
    cosmology = co.Cosmology.from_parameters(parameters, T_cmb=2.7255)
    distance = {
        "DM_over_rd": co.transverse_comoving_distance,
        "DH_over_rd": co.hubble_distance,
        "DV_over_rd": co.volume_averaged_distance,
    }
    data = desi_dr2_bao()
    expected = [distance[q](cosmology, z) / 147.2595 for q, z in zip(data.quantity, data.redshift, strict=True)]
    np.testing.assert_allclose(likelihood.predict(parameters), expected, rtol=1e-9)


def test_order_of_the_rows_does_not_matter():
    data, order = desi_dr2_bao(), np.random.default_rng(0).permutation(13)
    shuffled = BAOData(
        data.redshift[order],
        tuple(data.quantity[i] for i in order),
        data.value[order],
        data.covariance[np.ix_(order, order)],
    )
    np.testing.assert_allclose(BAO(shuffled).log_likelihood(POINT), BAO(data).log_likelihood(POINT), rtol=1e-12)


def test_normalisation():
    data, likelihood = desi_dr2_bao(), BAO(desi_dr2_bao())
    expected = multivariate_normal(likelihood.predict(POINT), data.covariance).logpdf(data.value)
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), expected, rtol=1e-12)


@pytest.mark.parametrize("radiation", [False, True])
def test_sound_horizon_modes_agree(radiation):
    data = desi_dr2_bao()
    point = POINT | {"Omega_b": jnp.asarray(0.0492)} | ({"m_nu": jnp.asarray(0.06)} if radiation else {})
    cosmology = co.Cosmology.from_parameters(point, T_cmb=2.7255 if radiation else 0.0)
    point |= {"r_d": co.sound_horizon(cosmology), "h_r_d": point["h"] * co.sound_horizon(cosmology)}
    values = [BAO(data, sound_horizon=mode, radiation=radiation).chi2(point) for mode in ("free", "given", "computed")]
    np.testing.assert_allclose(values, values[0], rtol=1e-11)


def test_names(monkeypatch):
    data = desi_dr2_bao()
    assert BAO(data).required == ("Omega_m", "h_r_d")
    assert BAO(data).optional == ("Omega_k", "w0", "wa")
    assert BAO(data, radiation=True).required == ("Omega_m", "h_r_d", "h")
    assert BAO(data, sound_horizon="given").required == ("Omega_m", "h", "r_d")
    assert BAO(data, sound_horizon="computed", radiation=True).required == ("Omega_m", "h", "Omega_b")
    assert BAO(data, sound_horizon="computed", radiation=True).optional == ("Omega_k", "w0", "wa", "T_cmb", "m_nu")
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="'guessed'"):
        BAO(data, sound_horizon="guessed")
    with pytest.raises(ValueError, match="'h_r_d'"):
        BAO(data).predict({"Omega_m": jnp.asarray(0.3)})


def test_optional_names_default_to_flat_lcdm():
    likelihood = BAO(desi_dr2_bao())
    explicit = POINT | {"Omega_k": jnp.asarray(0.0), "w0": jnp.asarray(-1.0), "wa": jnp.asarray(0.0)}
    np.testing.assert_allclose(likelihood.log_likelihood(explicit), likelihood.log_likelihood(POINT), rtol=1e-14)


POINTS = {
    "free": {"Omega_m": 0.3, "h_r_d": 100.0, "h": 0.68, "Omega_k": 0.0, "w0": -0.9, "wa": -0.3, "m_nu": 0.1},
    "given": {"Omega_m": 0.3, "h": 0.68, "r_d": 147.0, "T_cmb": 2.7, "N_eff": 3.0, "Omega_k": 0.01},
    "computed": {"Omega_m": 0.3, "h": 0.68, "Omega_b": 0.048, "T_cmb": 2.7, "m_nu": 0.1, "wa": -0.3},
}


@pytest.mark.soon(1)
@pytest.mark.parametrize("sound_horizon", POINTS)
def test_gradient_equals_finite_differences(sound_horizon):
    likelihood = BAO(desi_dr2_bao(), sound_horizon=sound_horizon, radiation=True)
    names = tuple(POINTS[sound_horizon])
    point = jnp.array(list(POINTS[sound_horizon].values()))

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
    likelihood = BAO(desi_dr2_bao(), sound_horizon="given", radiation=True)
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), likelihood)
    parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), RADIATION)
    value, gradient = jax.jit(jax.value_and_grad(lambda p: single.log_likelihood(p)))(parameters)
    assert value.dtype == gradient["m_nu"].dtype == jnp.float32
    np.testing.assert_allclose(value, likelihood.log_likelihood(RADIATION), atol=1e-3)


def test_leaves_are_strong_arrays():
    leaves = jax.tree.leaves(BAO(desi_dr2_bao()))
    assert len(leaves) == 6
    assert all(leaf.dtype == jnp.float64 and not leaf.weak_type for leaf in leaves)


def test_published_posterior():
    """DESI DR2, flat LCDM: .2975 +- .0086 and 101.54 +- .73 (arXiv:2503.14738); here by a grid integral."""
    likelihood = BAO(desi_dr2_bao())
    density, scale = np.linspace(0.245, 0.36, 116), np.linspace(97.0, 106.0, 121)
    grid = jnp.stack(jnp.meshgrid(jnp.asarray(density), jnp.asarray(scale), indexing="ij"), -1)
    chi2 = jax.jit(jax.vmap(jax.vmap(lambda p: likelihood.chi2({"Omega_m": p[0], "h_r_d": p[1]}))))(grid)
    np.testing.assert_allclose(chi2.min(), 10.27, atol=0.02)
    weight = np.exp(-0.5 * np.asarray(chi2 - chi2.min()))
    points = np.asarray(grid).reshape(-1, 2)
    mean = np.average(points, axis=0, weights=weight.ravel())
    covariance = np.cov(points.T, aweights=weight.ravel())
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(mean, (0.2978, 101.52), rtol=3e-4)
    np.testing.assert_allclose(sigma, (0.0086, 0.74), rtol=0.01)
    np.testing.assert_allclose(covariance[0, 1] / np.prod(sigma), -0.92, atol=0.005)
