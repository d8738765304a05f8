import math

import numpy as np
import pytest
from scipy.special import eval_jacobi, jv

from cosmoflow.cosmology import MULTIPOLE, bandpower_matrix, correlation_matrix
from cosmoflow.cosmology._correlation import _interpolation, _spin_factor, _wigner_bessel, _wigner_recurrence

ANGLES = np.geomspace(2.5, 250, 8)  # [arcmin], those of DES Y1
SPINS = {"xi_plus": (2, 2), "xi_minus": (2, -2), "gamma_t": (2, 0), "w": (0, 0)}


def spectrum(ell):
    """Falls as spectra of galaxies do, with wiggles, and fast enough that the end of a sum does not matter."""
    return 1e-6 * ell / (30 + ell) ** 2.1 * np.exp(-ell / 8000) * (1 + 0.03 * np.sin(4 * np.log(ell)))


def wigner(method, spins, ell, theta):
    m, n = (np.array([[spin]]) for spin in spins)
    return method(m, n, np.asarray(ell, float), np.array([[np.cos(theta)]]), np.ones(1))[0]


@pytest.fixture(scope="module")
def expected():
    """The sums over all multipoles, by the recurrence; spectra of shear have no power below l = 2."""
    ell = np.arange(2, 6e4 + 1)
    m, n = np.array(list(SPINS.values())).repeat(ANGLES.size, axis=0).T[:, :, None]
    theta = np.tile(np.radians(ANGLES / 60), len(SPINS))
    functions = _wigner_recurrence(m, n, ell, np.cos(theta)[:, None], np.ones(1)).reshape(4, ANGLES.size, -1)
    weights = (2 * ell + 1) / (4 * np.pi) * spectrum(ell) * _spin_factor(ell) ** np.array([[2], [2], [1], [0]])
    sums = np.einsum("sal,sl->sa", functions, weights)
    sums[3] += 3 / (4 * np.pi) * spectrum(1.0) * np.cos(np.radians(ANGLES / 60))
    return dict(zip(SPINS, sums, strict=True))


@pytest.mark.parametrize("spins", SPINS.values(), ids=SPINS)
@pytest.mark.parametrize("theta", [0.01, 0.7, 2.5])
def test_recurrence_equals_jacobi_polynomials(spins, theta):
    """Varshalovich et al. 1988, Section 4.3.4."""
    a, b = abs(spins[0] - spins[1]), abs(spins[0] + spins[1])
    values = wigner(_wigner_recurrence, spins, np.arange(2, 60), theta)
    for ell in (2, 3, 10, 59):
        k = ell - max(map(abs, spins))
        norm = math.sqrt(math.factorial(k) * math.factorial(k + a + b) / math.factorial(k + a) / math.factorial(k + b))
        expected = norm * np.sin(theta / 2) ** a * np.cos(theta / 2) ** b * eval_jacobi(k, a, b, np.cos(theta))
        np.testing.assert_allclose(values[ell - 2], expected, rtol=1e-9, atol=1e-12)


def test_closed_forms():
    theta = 0.4
    c, s = np.cos(theta), np.sin(theta)
    forms = {
        "xi_plus": [((1 + c) / 2) ** 2, ((1 + c) / 2) ** 2 * (3 * c - 2)],
        "xi_minus": [((1 - c) / 2) ** 2, ((1 - c) / 2) ** 2 * (3 * c + 2)],
        "gamma_t": [np.sqrt(6) / 4 * s**2, np.sqrt(30) / 4 * s**2 * c],
        "w": [(3 * c**2 - 1) / 2, (5 * c**3 - 3 * c) / 2],
    }
    for name, form in forms.items():
        np.testing.assert_allclose(wigner(_wigner_recurrence, SPINS[name], [2, 3], theta), form, rtol=1e-13)


@pytest.mark.parametrize("spins", SPINS.values(), ids=SPINS)
@pytest.mark.parametrize("arcmin", [2.5, 250, 1000])
def test_bessel_functions_equal_the_recurrence(spins, arcmin):
    theta, ell = np.radians(arcmin / 60), np.arange(2, 2000)
    exact, expansion = (wigner(method, spins, ell, theta)[498:] for method in (_wigner_recurrence, _wigner_bessel))
    np.testing.assert_allclose(expansion, exact, atol=3e-6 * (theta / 500) / 1e-3 * 0.1 + 1e-11)


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", SPINS)
def test_sum_over_every_multipole(expected, name):
    """Left is the interpolation between the multipoles."""
    correlation = correlation_matrix([name] * ANGLES.size, ANGLES) @ spectrum(MULTIPOLE)
    np.testing.assert_allclose(correlation, expected[name], rtol=1e-3)


def test_equals_ccl():
    """CCL has the flat sky, which begins at l = 0: without power below l = 2 the two agree,

    but for a constant of xi+, for it has a spline where the power sets in.
    """
    ccl = pytest.importorskip("pyccl")
    ell = np.unique(np.concatenate([np.arange(0, 100), np.geomspace(100, 6e4, 300).astype(int)]))
    values = np.where(ell < 2, 0, spectrum(ell.clip(1)))
    for name, kind in (("xi_plus", "GG+"), ("xi_minus", "GG-"), ("gamma_t", "NG")):
        theirs = ccl.correlation(
            ccl.CosmologyVanillaLCDM(), ell=ell, C_ell=values, theta=ANGLES / 60, type=kind, method="FFTLog"
        )
        ours = correlation_matrix([name] * ANGLES.size, ANGLES) @ spectrum(MULTIPOLE)
        np.testing.assert_allclose(ours, theirs, rtol=0.01, atol=5e-9, err_msg=name)


def test_small_angles_equal_the_flat_sky(expected):
    ell = np.arange(2, 6e4 + 1)
    x = (ell + 0.5) * np.radians(ANGLES[0] / 60)
    for name, order in (("xi_plus", 0), ("xi_minus", 4), ("gamma_t", 2)):
        flat = np.sum((ell + 0.5) / (2 * np.pi) * spectrum(ell) * jv(order, x))
        np.testing.assert_allclose(expected[name][0], flat, rtol=1e-3)


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", SPINS)
def test_average_over_a_bin(name):
    """Equal to the mean over many rings, weighted with their areas."""
    edges = np.array([[20.0, 25.0], [200.0, 250.0]])
    average = correlation_matrix([name, name], edges) @ spectrum(MULTIPOLE)
    for (low, high), value in zip(edges, average, strict=True):
        rings = np.linspace(low, high, 201)[1::2]
        ring = correlation_matrix([name] * rings.size, rings) @ spectrum(MULTIPOLE)
        np.testing.assert_allclose(value, np.average(ring, weights=np.sin(np.radians(rings / 60))), rtol=3e-5)


def test_interpolation():
    """Exact at its points, for powers of l (straight lines in logarithms after l^1.5), and close for what is smooth."""
    np.testing.assert_allclose(_interpolation(MULTIPOLE), np.eye(MULTIPOLE.size), atol=1e-12)
    ell = np.arange(1, 6e4, 7)
    linear = (2 + np.log(ell)) / ell**1.5
    np.testing.assert_allclose(_interpolation(ell) @ ((2 + np.log(MULTIPOLE)) / MULTIPOLE**1.5), linear, rtol=1e-10)
    ell = np.arange(20, 6e3)
    smooth = 1 / (100 + ell) ** 1.2
    np.testing.assert_allclose(_interpolation(ell) @ (1 / (100 + MULTIPOLE) ** 1.2), smooth, rtol=3e-4)


@pytest.mark.parametrize(("name", "spins"), [("cl_gg", 0), ("cl_ge", 1), ("cl_ee", 2)])
def test_bandpowers(name, spins):
    ell = np.arange(100, 140.0)
    window = np.stack([np.full(ell.size, 1 / ell.size), np.eye(ell.size)[5]])
    band, single = bandpower_matrix(name, ell, window) @ spectrum(MULTIPOLE)
    exact = spectrum(ell) * _spin_factor(ell) ** spins
    np.testing.assert_allclose([band, single], [exact.mean(), exact[5]], rtol=1e-3)


def test_unknown_statistic():
    with pytest.raises(ValueError, match="'xi' is no correlation function; use one of xi_plus, xi_minus, gamma_t, w"):
        correlation_matrix(["xi"], np.array([10.0]))
