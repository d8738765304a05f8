import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.cosmology import T_CMB, Cosmology, Halofit, linear_power

N_S, SIGMA8 = jnp.asarray(0.96), jnp.asarray(0.8)
REDSHIFT = np.array([0.0, 0.3, 0.5, 1.0, 2.0, 3.0])
WAVENUMBER = np.geomspace(1e-3, 20, 200)
UNIVERSES = {
    "LCDM": ({}, 1e-3),
    "wCDM": ({"w0": -0.8}, 1e-3),
    "open": ({"Omega_k": 0.05}, 2e-3),
    "w0wa": ({"w0": -0.8, "wa": -0.3}, 0.02),  # CCL takes the constant w of the same distance to last scattering
}


def nonlinear(universe, redshift=REDSHIFT, k=WAVENUMBER):
    halofit = Halofit(universe, linear_power(universe, n_s=N_S, sigma8=SIGMA8), jnp.asarray(redshift))
    return halofit(jnp.broadcast_to(jnp.log(k)[:, None], (k.size, len(redshift))))


@pytest.mark.soon(1)
@pytest.mark.parametrize(("extensions", "tolerance"), UNIVERSES.values(), ids=UNIVERSES)
def test_equals_ccl(extensions, tolerance):
    ccl = pytest.importorskip("pyccl")
    theirs = ccl.Cosmology(
        Omega_c=0.25, Omega_b=0.05, h=0.7, sigma8=0.8, n_s=0.96, T_CMB=T_CMB,
        transfer_function="eisenstein_hu", matter_power_spectrum="halofit", **extensions,
    )  # fmt: skip
    expected = [theirs.nonlin_matter_power(0.7 * WAVENUMBER, 1 / (1 + z)) * 0.7**3 for z in REDSHIFT]
    np.testing.assert_allclose(nonlinear(Cosmology(0.3, T_cmb=T_CMB, **extensions)).T, expected, rtol=tolerance)


def test_is_linear_on_large_scales():
    universe = Cosmology(0.3, T_cmb=T_CMB)
    halofit = Halofit(universe, linear_power(universe, n_s=N_S, sigma8=SIGMA8), jnp.asarray(REDSHIFT))
    log_k = jnp.full((1, REDSHIFT.size), np.log(1e-3))
    np.testing.assert_allclose(halofit(log_k), jnp.exp(halofit.log_linear(log_k)), rtol=5e-3)


def test_nonlinear_scale():
    """The radius of a Gaussian window in which the variance is one."""
    universe = Cosmology(0.3, T_cmb=T_CMB)
    linear = linear_power(universe, n_s=N_S, sigma8=SIGMA8)
    halofit = Halofit(universe, linear, jnp.asarray(REDSHIFT))
    log_k = np.linspace(np.log(1e-5), np.log(1e3), 4000)
    delta = np.exp(3 * log_k + np.asarray(linear(jnp.asarray(log_k)))) / (2 * np.pi**2)
    radius = np.exp(np.asarray(halofit.log_scale))
    variance = np.trapezoid(delta * np.exp(-((np.exp(log_k) * radius[:, None]) ** 2)), log_k, axis=1)
    np.testing.assert_allclose(variance * np.exp(2 * np.asarray(halofit.log_growth)), 1, rtol=1e-3)


@pytest.mark.slow
def test_gradients_equal_finite_differences():
    def log_power(x):
        universe = Cosmology(x[0], Omega_b=x[1], h=x[2], Omega_k=x[3], w0=x[4], wa=x[5], T_cmb=T_CMB)
        return jnp.log(nonlinear(universe, (0.2, 1.1), np.array([0.05, 0.5, 5.0]))).ravel()

    x, step = jnp.array([0.3, 0.05, 0.7, 0.0, -1.0, 0.0]), 1e-4
    both = jax.jit(lambda x: (log_power(x), jax.jacfwd(log_power)(x)))
    jacobian = both(x)[1]
    for i in range(x.size):
        expected = (both(x.at[i].add(step))[0] - both(x.at[i].add(-step))[0]) / (2 * step)
        np.testing.assert_allclose(jacobian[:, i], expected, rtol=2e-3, atol=1e-4)
