import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.cosmology import LABELS, Cosmology


def test_densities_close_the_budget():
    cosmology = Cosmology(0.3, Omega_k=0.1, T_cmb=2.7255, m_nu=0.06)
    total = cosmology.Omega_m + cosmology.Omega_k + cosmology.Omega_radiation + cosmology.Omega_de
    np.testing.assert_allclose(total, 1.0, rtol=1e-15)


def test_photon_and_neutrino_densities_are_the_published_ones():
    cosmology = Cosmology(0.3, h=0.7, T_cmb=2.7255, N_eff=3.046, m_nu=0.06)
    np.testing.assert_allclose(cosmology.Omega_gamma * 0.49, 2.473e-5, rtol=5e-5)
    # omega_nu = m_nu / 94.07 eV (N_eff / 3)^(3/4) for non-relativistic neutrinos
    np.testing.assert_allclose(cosmology.Omega_nu * 0.49, 0.06 / 94.07 * (3.046 / 3) ** 0.75, rtol=1e-3)


def test_fields_have_one_strong_dtype():
    for given, dtype in ((0.3, jnp.float64), (jnp.float32(0.3), jnp.float32), (np.float64(0.3), jnp.float64)):
        cosmology = Cosmology(given, Omega_k=0, T_cmb=2.7255)
        for leaf in (cosmology.Omega_m, cosmology.Omega_k, cosmology.w0, cosmology.T_cmb):
            assert leaf.dtype == dtype
            assert not leaf.weak_type


def test_from_parameters_takes_what_it_knows():
    cosmology = Cosmology.from_parameters({"Omega_m": 0.31, "w0": -0.9, "h_r_d": 101.0}, h=0.68, w0=-1.0)
    assert (cosmology.Omega_m, cosmology.w0, cosmology.h) == (0.31, -0.9, 0.68)


def test_zero_switches_off():
    cosmology = Cosmology(0.3)
    assert cosmology.T_cmb is None
    assert cosmology.m_nu is None
    assert cosmology.Omega_radiation == 0.0


def test_mass_without_radiation_is_refused():
    with pytest.raises(ValueError, match="T_cmb"):
        Cosmology(0.3, m_nu=0.06)


def test_every_parameter_has_a_label():
    assert set(Cosmology.__annotations__) <= set(LABELS)
