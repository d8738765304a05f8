import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from cosmoflow import cosmology as co
from cosmoflow.cosmology import Cosmology

REDSHIFTS = np.array([0.001, 0.05, 0.5, 1.0, 2.33, 30.0, 1100.0])
UNIVERSES = {
    "concordance": {"Omega_m": 0.3},
    "radiation": {"Omega_m": 0.3, "T_cmb": 2.7255},
    "massive neutrino": {"Omega_m": 0.3, "T_cmb": 2.7255, "m_nu": 0.06},
    "heavy neutrino": {"Omega_m": 0.3, "T_cmb": 2.7255, "m_nu": 0.6},
    "open": {"Omega_m": 0.3, "Omega_k": 0.3, "T_cmb": 2.7255},
    "closed": {"Omega_m": 0.3, "Omega_k": -0.2},
    "nearly empty": {"Omega_m": 0.01, "T_cmb": 2.7255},
    "phantom": {"Omega_m": 0.05, "w0": -3.0, "wa": -3.0},
    "thawing": {"Omega_m": 0.3, "w0": 1.0, "wa": -3.0, "Omega_k": 0.1},
    "early dark energy": {"Omega_m": 0.1, "w0": -2.0, "wa": 1.95, "T_cmb": 2.7255},
    "corner": {"Omega_m": 0.99, "w0": -3.0, "wa": 2.0, "Omega_k": -0.1},
}
PLANCK = {"Omega_m": 0.315524, "h": 0.672653, "Omega_b": 0.02225203 / 0.672653**2, "T_cmb": 2.7255, "N_eff": 3.046}


def expansion_squared(a, Omega_m, Omega_k=0.0, w0=-1.0, wa=0.0, T_cmb=0.0, m_nu=0.0, h=0.7, N_eff=3.044):
    """An independent E^2(a), with the neutrino integral by adaptive quadrature."""
    gamma = 2.472975329e-5 * (T_cmb / 2.7255) ** 4 / h**2  # 4 sigma T^4 / c^3 over the critical density
    species = 7 / 8 * (4 / 11) ** (4 / 3) * N_eff / 3 * gamma
    massless = gamma + species * (2 if m_nu else 3)
    dark = 1 - Omega_m - Omega_k - massless
    total = Omega_k / a**2 + massless / a**4 + dark * a ** (-3 * (1 + w0 + wa)) * np.exp(-3 * wa * (1 - a))
    if not m_nu:
        return total + Omega_m / a**3
    y = m_nu / (8.617333262e-5 * (4 / 11) ** (1 / 3) * (N_eff / 3) ** 0.25 * T_cmb)

    def energy(y):
        peak, tail = (
            quad(lambda x: x**2 * np.sqrt(x**2 + y**2) / (np.exp(x) + 1), *limits, epsabs=0, epsrel=1e-11)[0]
            for limits in ((0, 5), (5, 60))
        )
        return 120 / (7 * np.pi**4) * (peak + tail)

    return total + (Omega_m - species * energy(y)) / a**3 + species * energy(y * a) / a**4


@pytest.mark.parametrize("name", UNIVERSES)
def test_distance_is_the_integral_of_the_inverse_rate(name):
    universe = UNIVERSES[name]
    exact = 2 * np.array(
        [
            quad(
                lambda x: 1 / np.sqrt(x**6 * expansion_squared(x**2, **universe)),
                *(1 / np.sqrt(1 + z), 1),
                epsabs=0,
                epsrel=1e-11,
                limit=200,
            )[0]
            for z in REDSHIFTS
        ]
    )
    distance = co.comoving_distance(Cosmology(**universe), REDSHIFTS) * 70.0 / 299792.458
    np.testing.assert_allclose(distance, exact, rtol=3e-8)


@pytest.mark.soon(3)
@pytest.mark.parametrize("name", UNIVERSES)
def test_few_nodes_suffice_at_low_redshift(name):
    cosmology = Cosmology(**UNIVERSES[name])
    few = co.distance_modulus(cosmology, REDSHIFTS[:5], num_nodes=24)
    np.testing.assert_allclose(few, co.distance_modulus(cosmology, REDSHIFTS[:5], num_nodes=200), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", UNIVERSES)
def test_rate_today_is_the_hubble_constant(name):
    np.testing.assert_allclose(co.hubble_squared(Cosmology(**UNIVERSES[name]), 0.0), 1.0, rtol=1e-14)


@pytest.mark.slow
def test_distances_are_consistent():
    cosmology = Cosmology(0.3, Omega_k=-0.1, w0=-0.9, wa=0.2)
    transverse = co.transverse_comoving_distance(cosmology, REDSHIFTS)
    np.testing.assert_allclose(co.luminosity_distance(cosmology, REDSHIFTS), (1 + REDSHIFTS) * transverse)
    np.testing.assert_allclose(co.angular_diameter_distance(cosmology, REDSHIFTS), transverse / (1 + REDSHIFTS))
    volume = REDSHIFTS * transverse**2 * co.hubble_distance(cosmology, REDSHIFTS)
    np.testing.assert_allclose(co.volume_averaged_distance(cosmology, REDSHIFTS) ** 3, volume)
    modulus = 5 * np.log10((1 + REDSHIFTS) * transverse * 1e5)
    np.testing.assert_allclose(co.distance_modulus(cosmology, REDSHIFTS), modulus)
    slope = jax.vmap(jax.grad(lambda z: co.comoving_distance(cosmology, z)))(jnp.asarray(REDSHIFTS))
    np.testing.assert_allclose(slope, co.hubble_distance(cosmology, REDSHIFTS), rtol=1e-7)


@pytest.mark.parametrize("Omega_k", [-0.9, -0.3, -1e-3, 1e-3, 0.3, 0.9])
def test_curved_distance_is_the_textbook_formula(Omega_k):
    cosmology = Cosmology(1.2, Omega_k=Omega_k)
    depth = co.comoving_distance(cosmology, REDSHIFTS) * 70 / 299792.458
    root = np.sqrt(abs(Omega_k))
    expected = (np.sinh if Omega_k > 0 else np.sin)(root * depth) / root
    np.testing.assert_allclose(
        co.transverse_comoving_distance(cosmology, REDSHIFTS) * 70 / 299792.458, expected, rtol=1e-13
    )


@pytest.mark.soon(1)
@pytest.mark.parametrize("Omega_k", [-0.1, 0.0, 1e-9, 0.1])
def test_gradients_equal_finite_differences(Omega_k):
    names = ("Omega_m", "Omega_k", "w0", "wa", "h", "N_eff", "m_nu")
    point = np.array([0.3, Omega_k, -0.9, 0.2, 0.68, 3.0, 0.1])

    def modulus(values):
        cosmology = Cosmology.from_parameters(dict(zip(names, values, strict=True)), T_cmb=2.7255)
        return co.distance_modulus(cosmology, jnp.array([0.01, 0.5, 2.0, 8.0]))

    jacobian = jax.jit(jax.jacrev(modulus))(jnp.asarray(point))
    np.testing.assert_allclose(jax.jit(jax.jacfwd(modulus))(jnp.asarray(point)), jacobian, rtol=1e-9, atol=1e-13)
    value = jax.jit(modulus)
    for i in range(len(names)):
        step = 1e-3 * np.eye(len(names))[i]
        inner, outer = ((value(point + k * step) - value(point - k * step)) / (2e-3 * k) for k in (1, 2))
        np.testing.assert_allclose(jacobian[:, i], (4 * inner - outer) / 3, rtol=1e-6, atol=1e-9, err_msg=names[i])


@pytest.mark.slow
def test_mass_derivative_is_finite_at_zero_mass():
    slope = jax.grad(lambda m: co.comoving_distance(Cosmology(0.3, T_cmb=2.7255, m_nu=m), 2.0))(jnp.array(0.0))
    assert slope == 0.0


def test_species_of_zero_mass_is_radiation():
    """It still counts as a part of Omega_m, so the cold matter is less by its density."""
    massive = Cosmology(0.3, T_cmb=2.7255, m_nu=jnp.array(0.0))
    massless = Cosmology(0.3 - massive.Omega_nu, T_cmb=2.7255)
    for function in (co.hubble_squared, co.luminosity_distance):
        np.testing.assert_allclose(function(massive, REDSHIFTS), function(massless, REDSHIFTS), rtol=1e-12)


def test_equals_jax_cosmo_where_both_apply():
    for universe in ({}, {"Omega_k": 0.2}, {"w0": -0.7, "wa": -0.5, "Omega_k": -0.1}):
        cosmology = Cosmology(0.3, **universe)
        theirs = co.to_jax_cosmo(cosmology, sigma8=0.8, n_s=0.96)
        import jax_cosmo

        a = jnp.array([1.0, 0.9, 0.5, 0.1])
        with jax.numpy_dtype_promotion("standard"):
            expected = jax_cosmo.background.Esqr(theirs, a)
        np.testing.assert_allclose(co.hubble_squared(cosmology, 1 / a - 1), expected, rtol=3e-14)


@pytest.mark.parametrize("m_nu", [0.0, 0.06])
def test_equals_astropy(m_nu):
    import astropy.units as u
    from astropy.cosmology import w0waCDM

    cosmology = Cosmology(0.31, h=0.68, Omega_k=0.05, w0=-0.9, wa=-0.3, T_cmb=2.7255, N_eff=3.046, m_nu=m_nu)
    theirs = w0waCDM(
        H0=68.0,
        Om0=0.31 - float(cosmology.Omega_nu),  # astropy counts massive neutrinos apart
        Ode0=float(cosmology.Omega_de),
        w0=-0.9,
        wa=-0.3,
        Tcmb0=2.7255,
        Neff=3.046,
        m_nu=[0, 0, m_nu] * u.eV,
    )
    # astropy's neutrino density is a fit good to 0.1 %, so that its universe of the same densities is slightly curved.
    tolerance = 2e-5 if m_nu else 1e-10
    np.testing.assert_allclose(
        co.luminosity_distance(cosmology, REDSHIFTS), theirs.luminosity_distance(REDSHIFTS).value, rtol=tolerance
    )
    np.testing.assert_allclose(co.hubble_rate(cosmology, REDSHIFTS), theirs.H(REDSHIFTS).value, rtol=2 * tolerance)


@pytest.mark.parametrize("m_nu", [0.0, 0.06])
def test_equals_camb(m_nu):
    camb = pytest.importorskip("camb")
    settings = camb.set_params(
        ombh2=0.02225203, omch2=0.1198657, H0=67.2653, mnu=m_nu, num_massive_neutrinos=int(m_nu > 0), nnu=3.046
    )
    results = camb.get_background(settings)
    cosmology = Cosmology(**{**PLANCK, "Omega_m": settings.omegam}, m_nu=m_nu)
    # CAMB's conversion of mass to density is 5e-4 off the exact integral.
    distance = results.comoving_radial_distance(REDSHIFTS)
    np.testing.assert_allclose(co.comoving_distance(cosmology, REDSHIFTS), distance, rtol=1e-6)
    np.testing.assert_allclose(co.hubble_rate(cosmology, REDSHIFTS), results.hubble_parameter(REDSHIFTS), rtol=2e-6)
    np.testing.assert_allclose(co.sound_horizon(cosmology), results.get_derived_params()["rdrag"], rtol=1e-3)


@pytest.mark.slow
def test_single_precision_keeps_its_digits_at_low_redshift():
    double = Cosmology(0.3, Omega_k=0.1, T_cmb=2.7255, m_nu=0.06)
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), double)
    modulus = co.distance_modulus(single, REDSHIFTS)
    assert modulus.dtype == jnp.float32
    np.testing.assert_allclose(modulus, co.distance_modulus(double, REDSHIFTS), rtol=5e-7)


@pytest.mark.slow
def test_shapes_jit_and_vmap():
    redshift = jnp.linspace(0.1, 2.0, 6).reshape(2, 3)
    batch = jax.vmap(lambda m: co.distance_modulus(Cosmology(m, T_cmb=2.7255, m_nu=0.06), redshift))
    densities = jnp.array([0.2, 0.3, 0.4])
    moduli = jax.jit(batch)(densities)
    assert moduli.shape == (3, 2, 3)
    single = co.distance_modulus(Cosmology(0.3, T_cmb=2.7255, m_nu=0.06), redshift)
    np.testing.assert_allclose(moduli[1], single, rtol=1e-13)
