"""DES Y1 with the linear power of the emulator."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.likelihoods import TwoPoint

pytest.importorskip("emu_pk")
pytest.importorskip("sacc")

POINT = {"Omega_m": 0.315524, "h": 0.672653, "Omega_b": 0.02225203 / 0.672653**2, "n_s": 0.9647522}
POINT |= {"A_s": float(np.exp(3.0929)) * 1e-10, "m_nu": 0.06, "N_eff": 3.046, "A_IA": 1.0, "eta_IA": 1.0}
POINT |= {f"b_lens{i}": b for i, b in enumerate((1.45, 1.55, 1.65, 1.8, 2.0))}
POINT |= {f"dz_lens{i}": z for i, z in enumerate((0.002, 0.001, 0.003, 0.0, 0.0))}
POINT |= {f"dz_src{i}": z for i, z in enumerate((0.002, -0.015, 0.007, -0.018))}
POINT |= {f"m_src{i}": 0.012 for i in range(4)}
POINT = {name: jnp.asarray(value) for name, value in POINT.items()}


@pytest.fixture(scope="module")
def data():
    if not os.environ.get("COSMOFLOW_DATA"):
        pytest.skip("COSMOFLOW_DATA names no folder with des_y1_3x2pt")
    from cosmoflow.datasets import des_y1_3x2pt

    return des_y1_3x2pt()


def test_chi2_of_des_y1(data):
    """CAMB's linear power under the same halofit has 572.39; Cobaya's, with CAMB's HMcode, 570.43."""
    likelihood = TwoPoint(data, transfer="emu_pk")
    np.testing.assert_allclose(jax.jit(lambda l, p: l.chi2(p))(likelihood, POINT), 572.4, atol=1.5)
    derived = likelihood.derived(POINT)
    np.testing.assert_allclose(derived["sigma8"], 0.83073, atol=5e-4)
    assert likelihood.ranges()["h"] == (0.55, 0.85) and TwoPoint(data).ranges() == {}


def test_nan_outside_of_the_range(data):
    likelihood = TwoPoint(data.only("w"), transfer="emu_pk")
    value = jax.jit(lambda l, p: l.log_likelihood(p))(likelihood, POINT | {"h": jnp.asarray(0.9)})
    assert jnp.isnan(value)


def test_single_precision_of_the_theory(data):
    double, single = (TwoPoint(data.only("w"), transfer="emu_pk", precision=p) for p in ("double", "single"))
    values = [jax.jit(lambda l, p: l.chi2(p))(likelihood, POINT) for likelihood in (double, single)]
    np.testing.assert_allclose(values[1], values[0], atol=0.02)
