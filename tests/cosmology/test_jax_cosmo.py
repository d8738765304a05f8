import subprocess
import sys

import numpy as np

from cosmoflow.cosmology import Cosmology, to_jax_cosmo


def test_carries_every_parameter():
    theirs = to_jax_cosmo(Cosmology(0.3, h=0.68, Omega_b=0.05, Omega_k=0.1, w0=-0.9, wa=0.2), sigma8=0.8, n_s=0.96)
    values = (theirs.Omega_m, theirs.Omega_b, theirs.h, theirs.Omega_k, theirs.w0, theirs.wa, theirs.sigma8, theirs.n_s)
    np.testing.assert_allclose(values, (0.3, 0.05, 0.68, 0.1, -0.9, 0.2, 0.8, 0.96), rtol=1e-15)


def test_is_imported_only_when_used():
    code = "import sys, cosmoflow.cosmology, cosmoflow.likelihoods; sys.exit('jax_cosmo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_first_import_is_silent(tmp_path):
    """Byte-compiling jax-cosmo warns of its escape sequences, importing it of pkg_resources."""
    code = "from cosmoflow.cosmology import *; to_jax_cosmo(Cosmology(0.3), sigma8=0.8, n_s=0.96)"
    command = [sys.executable, "-W", "error", "-X", f"pycache_prefix={tmp_path}", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
