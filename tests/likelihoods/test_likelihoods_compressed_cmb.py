import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cosmoflow import cosmology as co
from cosmoflow.datasets import CompressedCMBData, desi_compressed_cmb, planck2018_distance_priors
from cosmoflow.likelihoods import CompressedCMB

READERS = [desi_compressed_cmb, planck2018_distance_priors]
POINT = {"Omega_m": 0.3169, "h": 0.6727, "Omega_b": 0.02236 / 0.6727**2, "m_nu": 0.06}
POINT = {name: jnp.asarray(value) for name, value in POINT.items()}


def test_distance_priors_fit_their_own_cosmology():
    """Planck's LCDM mean, from which the priors were made: omega_m .1432, omega_b .02236, H0 67.27."""
    point = POINT | {"Omega_m": jnp.asarray(0.1432 / 0.6727**2)}
    assert CompressedCMB(planck2018_distance_priors()).chi2(point) < 0.3


def test_angle_is_that_of_a_boltzmann_code():
    camb = pytest.importorskip("camb")
    data, h = desi_compressed_cmb(), 0.67
    settings = camb.set_params(
        ombh2=data.value[1], omch2=data.value[2] - data.value[1], H0=67.0, mnu=0.06, num_massive_neutrinos=1, nnu=3.044
    )
    angle = camb.get_background(settings).get_derived_params()["thetastar"] / 100
    point = {"Omega_m": settings.omegam, "h": h, "Omega_b": data.value[1] / h**2, "m_nu": 0.06}
    predicted = CompressedCMB(data).predict({name: jnp.asarray(value) for name, value in point.items()})
    np.testing.assert_allclose(predicted[0], angle, rtol=0, atol=0.04 * 2.573e-6)
    # CAMB's conversion of the neutrino mass to a density is 5e-4 off the exact integral.
    np.testing.assert_allclose(predicted[1:], data.value[1:], rtol=5e-6)


def test_neutrinos_are_no_part_of_omega_bc():
    data = desi_compressed_cmb()
    light, heavy = (CompressedCMB(data).predict(POINT | {"m_nu": jnp.asarray(m)}) for m in (0.06, 0.12))
    np.testing.assert_allclose((light - heavy)[2], 0.06 / 94.07 * (3.044 / 3) ** 0.75, rtol=5e-3)


@pytest.mark.parametrize("read", READERS)
def test_normalisation(read):
    data, likelihood = read(), CompressedCMB(read())
    expected = multivariate_normal(likelihood.predict(POINT), data.covariance).logpdf(data.value)
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), expected, rtol=1e-9)


def test_any_of_the_quantities():
    data = CompressedCMBData(("omega_bc", "l_A"), np.array([0.142, 301.4]), np.diag([1e-6, 1e-2]))
    cosmology = co.Cosmology.from_parameters(POINT, T_cmb=2.7255)
    np.testing.assert_allclose(
        CompressedCMB(data).predict(POINT), (cosmology.omega_bc, co.acoustic_scale(cosmology)), rtol=1e-12
    )


def test_names():
    likelihood = CompressedCMB(desi_compressed_cmb())
    assert likelihood.required == ("Omega_m", "h", "Omega_b")
    assert likelihood.optional == ("Omega_k", "w0", "wa", "T_cmb", "N_eff", "m_nu")
    with pytest.raises(ValueError, match="'Omega_b'"):
        likelihood.predict({"Omega_m": jnp.asarray(0.3), "h": jnp.asarray(0.7)})


@pytest.mark.slow
@pytest.mark.parametrize("read", READERS)
def test_gradient_equals_finite_differences(read):
    likelihood = CompressedCMB(read())
    full = POINT | {name: jnp.asarray(value) for name, value in {"Omega_k": 0.0, "w0": -0.9, "wa": -0.3}.items()}
    full = full | {"T_cmb": jnp.asarray(2.72), "N_eff": jnp.asarray(3.1)}
    names, point = tuple(full), jnp.stack(list(full.values()))

    @jax.jit
    def prediction(values):
        return likelihood.predict(dict(zip(names, values, strict=True)))

    jacobian = jax.jit(jax.jacrev(prediction))(point)
    for i in range(len(names)):
        step = 1e-3 * point[i] if point[i] != 0 else 1e-3
        step = step * jnp.eye(len(names))[i]
        inner, outer = (
            (prediction(point + k * step) - prediction(point - k * step)) / (2 * k * jnp.sum(step)) for k in (1, 2)
        )
        scale = 1e-7 * np.abs(np.asarray(jacobian)).max(axis=1)
        difference = np.abs(jacobian[:, i] - (4 * inner - outer) / 3)
        assert np.all(difference < 1e-5 * np.abs(jacobian[:, i]) + scale), names[i]
    gradient = jax.jit(jax.grad(lambda v: likelihood.log_likelihood(dict(zip(names, v, strict=True)))))(point)
    inverse = np.linalg.inv(read().covariance)
    np.testing.assert_allclose(gradient, jacobian.T @ inverse @ (likelihood.data - prediction(point)), rtol=1e-6)


def test_single_precision():
    """theta_* keeps six digits, 1e-2 of its error."""
    likelihood = CompressedCMB(desi_compressed_cmb())
    single, parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (likelihood, POINT))
    prediction = jax.jit(lambda p: single.predict(p))(parameters)
    assert prediction.dtype == jnp.float32
    np.testing.assert_allclose(prediction, likelihood.predict(POINT), rtol=2e-6)


def test_bad_covariance():
    data = desi_compressed_cmb()
    with pytest.raises(ValueError, match="covariance of the compressed CMB is not positive definite"):
        CompressedCMB(CompressedCMBData(data.quantity, data.value, -data.covariance))
