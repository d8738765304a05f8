"""The emulator of linear power beside CAMB."""

import builtins

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.cosmology import Cosmology, EmuPk
from cosmoflow.cosmology._linear_power import WAVENUMBER, linear_power

pytest.importorskip("emu_pk")

CAMB = {  # 2.0.5 with AccuracyBoost 2, lAccuracyBoost 3: P [(Mpc/h)^3] at WAVENUMBER[100:304:12] by m_nu [eV]; sigma8
    0.06: (
        "3857.04 6396.08 10261.0 15505.5 21187.4 24355.5 20509.4 12456.8 7340.75 3213.25 1203.63 394.415 118.663 33.105 "
        "8.7139 2.19172 0.53171",
        0.8112928,
    ),
    0.0: (
        "3880.3 6433.63 10333.1 15663.0 21497.8 24828.6 20991.1 12786.0 7547.73 3306.92 1239.32 406.184 122.212 34.0962 "
        "8.97489 2.25737 0.547638",
        0.8229269,
    ),
}
AMPLITUDE = {"n_s": jnp.asarray(0.9649), "A_s": jnp.asarray(2.1e-9)}


@pytest.fixture(scope="module")
def emulator():
    return EmuPk()


def universe(m_nu=0.06, h=0.6736, omega_b=0.02237, omega_cdm=0.12, **others):
    neutrinos = Cosmology(Omega_m=0.3, h=h, T_cmb=2.7255, m_nu=m_nu).Omega_nu
    Omega_m = (omega_b + omega_cdm) / h**2 + neutrinos
    return Cosmology(Omega_m=Omega_m, h=h, Omega_b=omega_b / h**2, **{"T_cmb": 2.7255, "m_nu": m_nu, **others})


@pytest.mark.parametrize("m_nu", CAMB)
def test_camb(emulator, m_nu):
    expected, sigma8 = CAMB[m_nu]
    power = eqx.filter_jit(emulator)(universe(m_nu), **AMPLITUDE)
    np.testing.assert_allclose(jnp.exp(power.log_power[100:304:12]), list(map(float, expected.split())), rtol=1e-3)
    np.testing.assert_allclose(power.sigma(), sigma8, rtol=2e-4)


@pytest.mark.slow
def test_the_package_itself(emulator):
    """With curvature and evolving dark energy, at its own nodes of k; a neutrino has all the mass."""
    from emu_pk import PkEmulator

    parameters = [0.0224, 0.13, 0.7, 0.95, np.log(21.0), 0.2, -0.9, -0.3, 0.03, 0.0, 0.0]
    with jax.numpy_dtype_promotion("standard"):
        expected = PkEmulator().pk(WAVENUMBER[60:370], 0.0, jnp.asarray(parameters))
    cosmology = universe(0.2, 0.7, 0.0224, 0.13, w0=-0.9, wa=-0.3, Omega_k=0.03)
    ours = emulator(cosmology, n_s=jnp.asarray(0.95), A_s=jnp.asarray(2.1e-9))
    np.testing.assert_allclose(jnp.exp(ours.log_power[60:370]), expected, rtol=1e-3)


@pytest.mark.slow
def test_beyond_its_wave_numbers(emulator):
    """n_s below, and slopes that go on above; within a few per cent of Eisenstein and Hu's formula below 10 h/Mpc."""
    log_power = emulator(universe(0.0), **AMPLITUDE).log_power
    slope = np.gradient(log_power, np.log(WAVENUMBER))
    np.testing.assert_allclose(slope[:20], 0.9649, atol=0.02)
    np.testing.assert_allclose(slope[-10:], slope[-30], atol=0.1)
    formula = linear_power(universe(0.0), **AMPLITUDE).log_power
    np.testing.assert_allclose(log_power[:300], formula[:300], atol=0.08)


def test_normalisation_by_sigma8(emulator):
    power = emulator(universe(), n_s=AMPLITUDE["n_s"], sigma8=jnp.asarray(0.75))
    np.testing.assert_allclose(power.sigma(), 0.75, rtol=1e-12)
    with pytest.raises(ValueError, match="one amplitude"):
        emulator(universe(), n_s=AMPLITUDE["n_s"])
    with pytest.raises(ValueError, match="radiation"):
        emulator(Cosmology(0.3, h=0.7, Omega_b=0.05), **AMPLITUDE)


@pytest.mark.parametrize(
    "outside", [{"h": 0.9}, {"omega_b": 0.03}, {"w0": -1.6}, {"w0": -0.6, "wa": 0.6}, {"N_eff": 3.3}, {"Omega_k": 0.2}]
)
def test_nothing_outside_of_the_range(emulator, outside):
    assert jnp.all(jnp.isnan(jax.jit(lambda c: emulator(c, **AMPLITUDE).log_power)(universe(**outside))))


@pytest.mark.slow
def test_derivatives(emulator):
    names = ("Omega_m", "h", "Omega_b", "Omega_k", "w0", "wa", "m_nu", "n_s", "A_s")
    point = jnp.asarray([0.31, 0.68, 0.048, 0.01, -0.95, -0.2, 0.1, 0.96, 2.1])

    @jax.jit
    def sigma8(x):
        given = dict(zip(names[:-2], x, strict=False))
        return emulator(Cosmology(T_cmb=2.7255, **given), n_s=x[-2], A_s=1e-9 * x[-1]).sigma()

    gradient = jax.jit(jax.grad(sigma8))(point)
    for i, name in enumerate(names):
        step = 1e-4 * jnp.eye(len(names))[i]
        inner, outer = ((sigma8(point + k * step) - sigma8(point - k * step)) / (2e-4 * k) for k in (1, 2))
        np.testing.assert_allclose(gradient[i], (4 * inner - outer) / 3, rtol=1e-6, atol=1e-9, err_msg=name)


def test_single_precision(emulator):
    cosmology, amplitude = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (universe(), AMPLITUDE))
    power = emulator(cosmology, **amplitude)
    assert power.log_power.dtype == jnp.float32
    np.testing.assert_allclose(power.log_power, emulator(universe(), **AMPLITUDE).log_power, atol=2e-5)


def test_without_the_package(monkeypatch):
    found = builtins.__import__

    def missing(name, *arguments, **options):
        if name.startswith("emu_pk"):
            raise ImportError(name)
        return found(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"pip install 'cosmoflow\[emulator\]'"):
        EmuPk()
