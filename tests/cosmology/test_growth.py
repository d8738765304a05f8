import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import hyp2f1

from cosmoflow.cosmology import T_CMB, Cosmology, growth_factor, growth_rate

REDSHIFT = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 10.0])
UNIVERSES = {
    "LCDM": {},
    "w0wa": {"w0": -0.7, "wa": -0.5},
    "phantom": {"w0": -1.2, "wa": 0.3},
    "open": {"Omega_k": 0.1},
    "closed": {"Omega_k": -0.1},
}


@pytest.mark.soon(1)
@pytest.mark.parametrize("extensions", UNIVERSES.values(), ids=UNIVERSES)
def test_equals_ccl(extensions):
    ccl = pytest.importorskip("pyccl")
    theirs = ccl.Cosmology(
        Omega_c=0.25, Omega_b=0.05, h=0.7, sigma8=0.8, n_s=0.96, T_CMB=T_CMB, Neff=3.044, **extensions
    )
    ours = Cosmology(0.3, T_cmb=T_CMB, **extensions)
    a = 1 / (1 + REDSHIFT)
    growth = growth_factor(ours, REDSHIFT)
    np.testing.assert_allclose(growth / growth[0], theirs.growth_factor(a), rtol=5e-6)
    np.testing.assert_allclose(growth_rate(ours, REDSHIFT), theirs.growth_rate(a), rtol=5e-6)


def test_flat_universe_without_radiation():
    """D = a 2F1(1/3, 1; 11/6; -Omega_de / Omega_m a^3)."""
    a = 1 / (1 + REDSHIFT)
    expected = a * hyp2f1(1 / 3, 1, 11 / 6, -0.7 / 0.3 * a**3)
    np.testing.assert_allclose(growth_factor(Cosmology(0.3), REDSHIFT), expected, rtol=2e-5)


def test_einstein_de_sitter():
    np.testing.assert_allclose(growth_rate(Cosmology(1.0), REDSHIFT), 1.0, rtol=1e-9)
    np.testing.assert_allclose(growth_factor(Cosmology(1.0), REDSHIFT), 1 / (1 + REDSHIFT), rtol=1e-9)


def test_light_neutrinos_are_radiation_at_the_start():
    """Without mass the third species goes from the radiation into Omega_m, which is 4e-5 of it."""
    massless, light = (Cosmology(0.3, T_cmb=T_CMB, m_nu=m) for m in (0.0, jnp.asarray(0.0)))
    np.testing.assert_allclose(growth_factor(light, REDSHIFT), growth_factor(massless, REDSHIFT), rtol=2e-4)


def test_rate_is_the_logarithmic_slope():
    universe, step = Cosmology(0.3, w0=-0.8, wa=0.2, T_cmb=T_CMB), 1e-4
    up, down = (np.log(growth_factor(universe, (1 + REDSHIFT) * np.exp(-sign * step) - 1)) for sign in (1, -1))
    np.testing.assert_allclose(growth_rate(universe, REDSHIFT), (up - down) / (2 * step), rtol=1e-6)


def test_gradients_equal_finite_differences():
    def growth(x):
        universe = Cosmology(x[0], Omega_k=x[1], w0=x[2], wa=x[3], h=x[4], N_eff=x[5], m_nu=x[6], T_cmb=T_CMB)
        return growth_factor(universe, 0.5)

    x, step = jnp.array([0.3, 0.0, -1.0, 0.0, 0.7, 3.0, 0.1]), 1e-4
    growth = jax.jit(growth)
    expected = [(growth(x.at[i].add(step)) - growth(x.at[i].add(-step))) / (2 * step) for i in range(x.size)]
    np.testing.assert_allclose(jax.jit(jax.jacrev(growth))(x), expected, rtol=1e-5, atol=1e-8)


def test_single_precision():
    names = {
        "Omega_m": 0.3,
        "h": 0.7,
        "Omega_b": 0.05,
        "Omega_k": 0.0,
        "w0": -1.0,
        "wa": 0.0,
        "T_cmb": T_CMB,
        "N_eff": 3.044,
    }
    with jax.enable_x64(False):
        growth = growth_factor(Cosmology(**{name: jnp.float32(value) for name, value in names.items()}), 0.5)
    assert growth.dtype == jnp.float32
    np.testing.assert_allclose(growth, growth_factor(Cosmology(**names), 0.5), rtol=1e-5)


def test_no_linear_solves():
    """Batched ones that are scheduled side by side lock up on the CPU in jaxlib 0.10.2."""
    text = jax.jit(jax.vmap(lambda m: growth_factor(Cosmology(m), 0.0))).lower(jnp.array([0.3, 0.4])).as_text()
    assert "custom_call" not in text
