from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.cosmology import MULTIPOLE, T_CMB, Cosmology, Halofit, Projection, linear_power
from cosmoflow.cosmology._projection import redshift_grid

ELL = MULTIPOLE[(MULTIPOLE > 10) & (MULTIPOLE < 3000)]
N_S, SIGMA8, END = jnp.asarray(0.96), jnp.asarray(0.8), 2.6
A_IA, ETA_IA, PIVOT, BIAS, SLOPE = 0.7, 1.5, 0.62, 1.6, 0.8
UNIVERSES = {
    "flat": {},
    "open": {"Omega_k": 0.05},
    "closed": {"Omega_k": -0.05},
}


projected = jax.jit(lambda universe, num_cells: Projection(universe, END, num_cells), static_argnums=1)


def bell(z, mean, width):
    density = np.exp(-((z - mean) ** 2) / (2 * width**2))
    return density / (np.sqrt(2 * np.pi) * width)


def source(z):
    return bell(z, 0.9, 0.2)


def lens(z):
    return bell(z, 0.5, 0.07)


@partial(jax.jit, static_argnames="num_cells")
def ours(universe, *, num_cells=200):
    """Spectra by name."""
    projection = Projection(universe, END, num_cells)
    power = Halofit(universe, linear_power(universe, n_s=N_S, sigma8=SIGMA8), projection.redshift)(
        projection.log_wavenumber(ELL)
    )
    z, _ = redshift_grid(END, num_cells)
    shapes = jnp.asarray(source(z))
    shear = projection.lensing(shapes)
    aligned = shear + projection.alignment(shapes, jnp.asarray(A_IA), jnp.asarray(ETA_IA), PIVOT)
    positions = jnp.asarray(lens(z))
    galaxies = BIAS * projection.density(positions)
    magnified = galaxies + (5 * SLOPE - 2) * projection.lensing(positions)
    moving = galaxies[None, :] + projection.redshift_space(positions, ELL)
    pairs = {
        "shear": (shear, shear),
        "aligned": (aligned, aligned),
        "lensing": (galaxies, aligned),
        "lensing magnified": (magnified, aligned),
        "clustering": (galaxies, galaxies),
        "clustering magnified": (magnified, magnified),
        "clustering in redshift space": (moving, moving),
    }
    return {name: projection.angular_power(power, a[None], b[None])[0] for name, (a, b) in pairs.items()}


def ccls(extensions):
    """The same by CCL, whose spectra of shear have the factor sqrt((l + 2)! / (l - 2)!) / (l + 1/2)^2."""
    import pyccl as ccl

    universe = ccl.Cosmology(
        Omega_c=0.25, Omega_b=0.05, h=0.7, sigma8=0.8, n_s=0.96, T_CMB=T_CMB,
        transfer_function="eisenstein_hu", matter_power_spectrum="halofit", **extensions,
    )  # fmt: skip
    z = np.linspace(0, END, 1500)
    ia = (z, A_IA * ((1 + z) / (1 + PIVOT)) ** ETA_IA)
    bias, slope = (z, np.full_like(z, BIAS)), (z, np.full_like(z, SLOPE))

    def galaxies(**terms):
        return ccl.NumberCountsTracer(universe, **{"has_rsd": False, "dndz": (z, lens(z)), "bias": bias, **terms})

    shear = ccl.WeakLensingTracer(universe, dndz=(z, source(z)))
    aligned = ccl.WeakLensingTracer(universe, dndz=(z, source(z)), ia_bias=ia)
    plain, magnified, moving = galaxies(), galaxies(mag_bias=slope), galaxies(has_rsd=True)
    pairs = {
        "shear": (shear, shear),
        "aligned": (aligned, aligned),
        "lensing": (plain, aligned),
        "lensing magnified": (magnified, aligned),
        "clustering": (plain, plain),
        "clustering magnified": (magnified, magnified),
        "clustering in redshift space": (moving, moving),
    }
    spin = np.sqrt((ELL + 2) * (ELL + 1) * ELL * (ELL - 1)) / (ELL + 0.5) ** 2
    spins = {"shear": 2, "aligned": 2, "lensing": 1, "lensing magnified": 1}
    return {name: ccl.angular_cl(universe, a, b, ELL) / spin ** spins.get(name, 0) for name, (a, b) in pairs.items()}


@pytest.mark.soon(1)
@pytest.mark.parametrize("extensions", UNIVERSES.values(), ids=UNIVERSES)
def test_equals_ccl(extensions):
    """In a curved universe CCL has k = (l + 1/2) / chi in the place of (l + 1/2) / f_K, which makes half a per cent."""
    pytest.importorskip("pyccl")
    expected = ccls(extensions)
    for name, spectrum in ours(Cosmology(0.3, T_cmb=T_CMB, **extensions)).items():
        # What follows is about multipoles at which the Limber approximation of CCL fails.
        multipoles = slice(np.searchsorted(ELL, 100) if "redshift space" in name else 0, None)
        np.testing.assert_allclose(spectrum[multipoles], expected[name][multipoles], rtol=5e-3, err_msg=name)


@pytest.mark.filterwarnings("ignore:chi_min must be greater than zero")
def test_redshift_space_equals_the_exact_projection():
    """The three distances carry the Limber approximation to l = 12, where that of CCL is wrong by 14 %."""
    ccl = pytest.importorskip("pyccl")
    universe = ccl.Cosmology(
        Omega_c=0.25, Omega_b=0.05, h=0.7, sigma8=0.8, n_s=0.96, T_CMB=T_CMB,
        transfer_function="eisenstein_hu", matter_power_spectrum="halofit",
    )  # fmt: skip
    z = np.linspace(1e-3, END, 1500)
    tracer = ccl.NumberCountsTracer(universe, has_rsd=True, dndz=(z, lens(z)), bias=(z, np.full_like(z, BIAS)))
    ell = ELL[ELL < 120]
    exact = ccl.angular_cl(
        universe, tracer, tracer, ell, l_limber=200, non_limber_integration_method="FKEM", fkem_Nchi=1000
    )
    spectrum = ours(Cosmology(0.3, T_cmb=T_CMB))["clustering in redshift space"]
    np.testing.assert_allclose(spectrum[: ell.size], exact, rtol=0.012)


@pytest.mark.slow
def test_converges_with_the_cells():
    universe = Cosmology(0.3, T_cmb=T_CMB, Omega_k=0.05)
    fine, coarse = ours(universe, num_cells=800), ours(universe)
    for name, spectrum in coarse.items():
        np.testing.assert_allclose(spectrum, fine[name], rtol=2e-3, err_msg=name)


@pytest.mark.soon(1)
@pytest.mark.parametrize("curvature", [-0.1, 0.0, 0.1])
def test_lensing_kernel_equals_the_double_integral(curvature):
    universe = Cosmology(0.3, T_cmb=T_CMB, Omega_k=curvature)
    projection = projected(universe, 200)
    fine = projected(universe, 2000)
    chi, transverse, z = (np.asarray(x) for x in (fine.distance, fine.transverse, fine.redshift))
    root = np.sqrt(abs(curvature)) / 2997.92458
    between = (chi - chi[:, None]).clip(0)
    distance = between if curvature == 0 else (np.sinh if curvature > 0 else np.sin)(root * between) / root
    efficiency = np.sum(source(z) * np.asarray(fine.width) * distance / transverse, axis=1)
    expected = 1.5 * 0.3 / 2997.92458**2 * (1 + z) * transverse * efficiency
    kernel = projection.lensing(jnp.asarray(source(np.asarray(projection.redshift))))
    expected = np.interp(np.asarray(projection.distance), chi, expected)
    np.testing.assert_allclose(kernel, expected, rtol=1e-3, atol=1e-3 * expected.max())


@pytest.mark.slow
def test_gradient_is_finite_and_exact_in_a_flat_universe():
    def log_spectra(curvature):
        universe = Cosmology(0.3, T_cmb=T_CMB, Omega_k=curvature)
        projection = Projection(universe, END, 60)
        shear = projection.lensing(jnp.asarray(source(redshift_grid(END, 60)[0])))
        power = jnp.exp(-1.5 * projection.log_wavenumber(ELL[::6])) * projection.growth**2
        return jnp.log(projection.angular_power(power, shear[None], shear[None])[0])

    log_spectra = jax.jit(log_spectra)
    gradient = jax.jit(jax.jacfwd(log_spectra))(jnp.asarray(0.0))
    expected = (log_spectra(jnp.asarray(1e-4)) - log_spectra(jnp.asarray(-1e-4))) / 2e-4
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)
