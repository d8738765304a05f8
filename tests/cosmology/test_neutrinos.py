import jax.numpy as jnp
import numpy as np
from scipy.integrate import quad
from scipy.special import zeta

from cosmoflow.cosmology._neutrinos import fermi_dirac_energy


def test_equals_adaptive_quadrature():
    ratios = np.geomspace(1e-3, 1e4, 40)
    for y in ratios:
        exact = sum(
            quad(lambda x, y=y: x**2 * np.sqrt(x**2 + y**2) / (np.exp(x) + 1), *limits, epsabs=0, epsrel=1e-12)[0]
            for limits in ((0, 1), (1, 10), (10, 80))
        )
        np.testing.assert_allclose(fermi_dirac_energy(jnp.array(y)), 120 / (7 * np.pi**4) * exact, rtol=5e-9)


def test_limits():
    np.testing.assert_allclose(fermi_dirac_energy(jnp.array(0.0)), 1.0, rtol=1e-14)
    np.testing.assert_allclose(fermi_dirac_energy(jnp.array(1e6)), 180 * zeta(3) / (7 * np.pi**4) * 1e6, rtol=5e-9)
