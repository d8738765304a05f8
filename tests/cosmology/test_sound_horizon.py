import numpy as np
import pytest

from cosmoflow.cosmology import Cosmology, sound_horizon


def test_published_value():
    """Planck 2018, TT,TE,EE+lowE+lensing best fit: r_drag = 147.05 Mpc (arXiv:1807.06209, Table 1, Plik)."""
    h = 0.6732
    cosmology = Cosmology(0.3158, h=h, Omega_b=0.022383 / h**2, T_cmb=2.7255, N_eff=3.046, m_nu=0.06)
    np.testing.assert_allclose(sound_horizon(cosmology), 147.05, rtol=2e-4)


@pytest.mark.parametrize("omega_b, omega_c, m_nu", [(0.0215, 0.115, 0.0), (0.0224, 0.12, 0.06), (0.023, 0.126, 0.3)])
def test_boltzmann_code(omega_b, omega_c, m_nu):
    camb = pytest.importorskip("camb")
    settings = camb.set_params(
        ombh2=omega_b, omch2=omega_c, H0=68.0, mnu=m_nu, num_massive_neutrinos=int(m_nu > 0), nnu=3.046
    )
    expected = camb.get_background(settings).get_derived_params()["rdrag"]
    cosmology = Cosmology(settings.omegam, h=0.68, Omega_b=omega_b / 0.68**2, T_cmb=2.7255, N_eff=3.046, m_nu=m_nu)
    np.testing.assert_allclose(sound_horizon(cosmology), expected, rtol=4e-4)


def test_boltzmann_code_at_the_calibration():
    """The factor takes the fit to CAMB; without it r_d is 0.028 % less."""
    camb = pytest.importorskip("camb")
    settings = camb.set_params(ombh2=0.02237, omch2=0.12, H0=67.36, mnu=0.06, num_massive_neutrinos=1, nnu=3.044)
    expected = camb.get_background(settings).get_derived_params()["rdrag"]
    h = 0.6736
    cosmology = Cosmology(settings.omegam, h=h, Omega_b=0.02237 / h**2, T_cmb=2.7255, m_nu=0.06)
    np.testing.assert_allclose(sound_horizon(cosmology), expected, rtol=2e-5)
