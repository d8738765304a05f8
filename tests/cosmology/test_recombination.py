import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from cosmoflow import cosmology as co
from cosmoflow.cosmology import Cosmology

SIGMA_THETA = 2.573e-6  # of the compressed CMB of arXiv:2503.14738
UNIVERSES = [(0.0217, 0.115, 0.06), (0.0222, 0.1198, 0.06), (0.0224, 0.12, 0.06), (0.0230, 0.126, 0.06)]


def universe(omega_b, omega_c, m_nu, h=0.68, N_eff=3.044):
    """The same one in CAMB and here."""
    camb = pytest.importorskip("camb")
    settings = camb.set_params(
        ombh2=omega_b, omch2=omega_c, H0=100 * h, mnu=m_nu, num_massive_neutrinos=int(m_nu > 0), nnu=N_eff
    )
    derived = camb.get_background(settings).get_derived_params()
    return derived, Cosmology(settings.omegam, h=h, Omega_b=omega_b / h**2, T_cmb=2.7255, N_eff=N_eff, m_nu=m_nu)


@pytest.mark.parametrize("omega_b, omega_c, m_nu", UNIVERSES)
def test_boltzmann_code(omega_b, omega_c, m_nu):
    derived, cosmology = universe(omega_b, omega_c, m_nu)
    np.testing.assert_allclose(co.decoupling_redshift(cosmology), derived["zstar"], rtol=1.5e-5)
    np.testing.assert_allclose(co.theta_star(cosmology), derived["thetastar"] / 100, rtol=0, atol=0.04 * SIGMA_THETA)
    horizon = co.comoving_sound_horizon(cosmology, derived["zstar"])
    np.testing.assert_allclose(horizon, derived["rstar"], rtol=5e-6)


@pytest.mark.parametrize(
    "h, m_nu, tolerance", [(0.6, 0.06, 0.04), (0.75, 0.06, 0.04), (0.68, 0.0, 0.06), (0.68, 0.12, 0.06)]
)
def test_angle_away_from_the_calibration(h, m_nu, tolerance):
    derived, cosmology = universe(0.0224, 0.12, m_nu, h)
    np.testing.assert_allclose(
        co.theta_star(cosmology), derived["thetastar"] / 100, rtol=0, atol=tolerance * SIGMA_THETA
    )


def test_uncorrected_decoupling_would_be_noticed():
    """The fit of Hu and Sugiyama alone is 5 sigma off."""
    derived, cosmology = universe(*UNIVERSES[1])
    redshift = co.decoupling_redshift(cosmology) / 0.998221
    angle = co.comoving_sound_horizon(cosmology, redshift) / co.transverse_comoving_distance(cosmology, redshift)
    assert -6 < (angle - derived["thetastar"] / 100) / SIGMA_THETA < -4.5


@pytest.mark.parametrize("m_nu", [0.0, 0.3])
def test_sound_horizon_is_the_integral(m_nu):
    cosmology = Cosmology(0.31, h=0.68, Omega_b=0.048, w0=-0.8, wa=-0.5, T_cmb=2.7255, m_nu=m_nu)
    ratio = float(3 * cosmology.Omega_b / (4 * cosmology.Omega_gamma))

    @jax.jit
    def rate(a):
        return a**2 * jnp.sqrt(co.hubble_squared(cosmology, 1 / a - 1))

    def integrand(x):
        a = x**2
        return 2 * x / (float(rate(a)) * np.sqrt(3 * (1 + ratio * a)))

    redshifts = np.array([800.0, 1090.0])
    exact = [quad(integrand, 0, 1 / np.sqrt(1 + z), epsabs=0, epsrel=1e-10)[0] * 299792.458 / 68 for z in redshifts]
    np.testing.assert_allclose(co.comoving_sound_horizon(cosmology, redshifts), exact, rtol=1e-8)


def test_distance_priors_at_the_fit_they_summarise():
    """Chen, Huang & Wang 2019: R = 1.7502 +- .0046, l_A = 301.471 +- .090 for Planck's LCDM (omega_m .1432, H0 67.27)."""
    h = 0.6727
    cosmology = Cosmology(0.1432 / h**2, h=h, Omega_b=0.02236 / h**2, T_cmb=2.7255, N_eff=3.046, m_nu=0.06)
    np.testing.assert_allclose(co.shift_parameter(cosmology), 1.7502, atol=0.1 * 0.0046)
    np.testing.assert_allclose(co.acoustic_scale(cosmology), 301.471, atol=0.4 * 0.0895)


def test_distance_priors_are_the_integrals_of_their_paper():
    h, Omega_m, Omega_b, Omega_k, w0, wa = 0.67, 0.32, 0.049, 0.01, -0.9, -0.2
    cosmology = Cosmology(Omega_m, h=h, Omega_b=Omega_b, Omega_k=Omega_k, w0=w0, wa=wa, T_cmb=2.7255, m_nu=0.06)
    redshift, scale = float(co.decoupling_redshift(cosmology)), h**2 * (2.7255 / 2.7) ** -4
    Omega_r = Omega_m / (1 + 2.5e4 * Omega_m * scale)
    dark = 1 - Omega_m - Omega_k - Omega_r

    def rate(a):
        """a^2 E."""
        late = Omega_k * a**2 + dark * a ** (1 - 3 * (w0 + wa)) * np.exp(-3 * wa * (1 - a))
        return np.sqrt(Omega_r + Omega_m * a + late)

    end = 1 / (1 + redshift)
    depth = quad(lambda y: np.exp(y) / rate(np.exp(y)), np.log(end), 0, epsrel=1e-10)[0]
    distance = np.sinh(np.sqrt(Omega_k) * depth) / np.sqrt(Omega_k)
    sound = quad(lambda a: 1 / (rate(a) * np.sqrt(3 * (1 + 31500 * Omega_b * scale * a))), 0, end, epsrel=1e-10)[0]
    np.testing.assert_allclose(co.shift_parameter(cosmology), np.sqrt(Omega_m) * distance, rtol=1e-7)
    np.testing.assert_allclose(co.acoustic_scale(cosmology), np.pi * distance / sound, rtol=1e-7)


@pytest.mark.parametrize("function", [co.theta_star, co.shift_parameter, co.acoustic_scale])
def test_radiation_is_needed(function):
    with pytest.raises(ValueError, match="T_cmb"):
        function(Cosmology(0.3))


def test_single_precision():
    double = Cosmology(0.31, h=0.68, Omega_b=0.048, T_cmb=2.7255, m_nu=0.06)
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), double)
    for function in (co.theta_star, co.shift_parameter, co.acoustic_scale):
        value = jax.jit(function)(single)
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, function(double), rtol=2e-6)
