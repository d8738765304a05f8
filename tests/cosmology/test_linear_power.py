import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from cosmoflow.cosmology import T_CMB, Cosmology, LinearPower, linear_power, uniform_cubic
from cosmoflow.cosmology._linear_power import WAVENUMBER

N_S, SIGMA8 = jnp.asarray(0.96), jnp.asarray(0.8)
UNIVERSE = Cosmology(0.3, T_cmb=T_CMB)


@pytest.fixture(scope="module")
def power():
    return linear_power(UNIVERSE, n_s=N_S, sigma8=SIGMA8)


@pytest.fixture(scope="module")
def camb_result():
    camb = pytest.importorskip("camb")
    parameters = camb.set_params(
        H0=70, ombh2=0.05 * 0.49, omch2=0.25 * 0.49, As=2e-9, ns=0.96, mnu=0.0, num_massive_neutrinos=0
    )
    parameters.set_matter_power(redshifts=[0.0], kmax=40)
    return camb.get_results(parameters)


def test_eisenstein_hu_equals_ccl(power):
    """jax-cosmo's transfer function has T_cmb = 2.726 K where Eisenstein & Hu have 2.7 K, CCL the 2.7255 K given."""
    ccl = pytest.importorskip("pyccl")
    theirs = ccl.Cosmology(
        Omega_c=0.25, Omega_b=0.05, h=0.7, sigma8=0.8, n_s=0.96, T_CMB=T_CMB, transfer_function="eisenstein_hu"
    )
    k = np.geomspace(1e-4, 30, 500)
    np.testing.assert_allclose(jnp.exp(power(jnp.log(k))), theirs.linear_power(0.7 * k, 1.0) * 0.7**3, rtol=1e-3)
    # CCL's own integral over CCL's spectrum, against our integral over the same.
    spectrum = LinearPower(jnp.log(theirs.linear_power(0.7 * WAVENUMBER, 1.0) * 0.7**3))
    np.testing.assert_allclose(spectrum.sigma(), theirs.sigma8(), rtol=1e-4)
    np.testing.assert_allclose(spectrum.sigma(20.0), theirs.sigmaR(20 / 0.7), rtol=1e-4)


@pytest.mark.slow
def test_sigma8_of_a_boltzmann_code(camb_result):
    k, _, spectrum = camb_result.get_linear_matter_power_spectrum(hubble_units=True, k_hunit=True)
    spline = CubicSpline(np.log(k), np.log(spectrum[0]), bc_type="natural")
    inside = np.clip(np.log(WAVENUMBER), np.log(k[0]), np.log(k[-1]))
    beyond = np.log(WAVENUMBER) - inside  # where there is next to nothing: power laws
    log_power = spline(inside) + np.where(beyond < 0, 0.96, -2.6) * beyond
    np.testing.assert_allclose(LinearPower(jnp.asarray(log_power)).sigma(), camb_result.get_sigma8()[0], rtol=1e-4)


def test_primordial_amplitude(camb_result):
    """The fitting formula differs from the Boltzmann code by per cents, not its normalisation on large scales."""
    ours = linear_power(UNIVERSE, n_s=N_S, A_s=jnp.asarray(2e-9))
    k, _, spectrum = camb_result.get_matter_power_spectrum(minkh=1e-3, maxkh=1, npoints=50)
    ratio = np.exp(ours(jnp.log(k))) / spectrum[0]
    np.testing.assert_allclose(ratio[k < 5e-3], 1, atol=0.012)
    np.testing.assert_allclose(ratio, 1, atol=0.06)
    np.testing.assert_allclose(ours.sigma(), camb_result.get_sigma8()[0], rtol=0.02)


def test_two_amplitudes_of_one_spectrum(power):
    primordial = linear_power(UNIVERSE, n_s=N_S, A_s=jnp.asarray(2e-9))
    same = linear_power(UNIVERSE, n_s=N_S, sigma8=primordial.sigma())
    np.testing.assert_allclose(same.log_power, primordial.log_power, rtol=1e-12)
    np.testing.assert_allclose(power.sigma(), 0.8, rtol=1e-14)


def test_one_amplitude_is_needed():
    for amplitudes in ({}, {"sigma8": SIGMA8, "A_s": jnp.asarray(2e-9)}):
        with pytest.raises(ValueError, match="either `sigma8` or `A_s`"):
            linear_power(UNIVERSE, n_s=N_S, **amplitudes)


@pytest.mark.slow
def test_interpolation_is_exact_on_its_points_and_straight_beyond():
    table = jnp.asarray(np.sin(np.arange(10) / 3))
    np.testing.assert_allclose(uniform_cubic(table, jnp.arange(10.0)), table, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(uniform_cubic(2 + 3 * jnp.arange(10.0), jnp.array([-2.5, 3.7, 12.0])), [-5.5, 13.1, 38])
    np.testing.assert_allclose(uniform_cubic(table, jnp.array([4.5])), np.sin(1.5), atol=1e-3)


@pytest.mark.slow
def test_gradients_equal_finite_differences():
    def log_power(x):
        universe = Cosmology(x[0], Omega_b=x[1], h=x[2], Omega_k=x[3], w0=x[4], T_cmb=T_CMB)
        return linear_power(universe, n_s=x[5], A_s=x[6] * 1e-9).log_power[100::100]

    x, step = jnp.array([0.3, 0.05, 0.7, 0.0, -1.0, 0.96, 2.0]), 1e-4
    log_power = jax.jit(log_power)
    expected = np.stack(
        [(log_power(x.at[i].add(step)) - log_power(x.at[i].add(-step))) / (2 * step) for i in range(x.size)], axis=1
    )
    np.testing.assert_allclose(jax.jit(jax.jacfwd(log_power))(x), expected, rtol=1e-4, atol=1e-5)
