"""The rows of the published posteriors: what they sample, and how they are written."""

import importlib.util
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import official_supernovae

import cosmoflow as cf

PATH = Path(__file__).parents[2] / "scripts" / "figures" / "published_posteriors.py"
spec = importlib.util.spec_from_file_location("published_posteriors", PATH)
assert spec is not None and spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


@pytest.mark.soon(3)
@pytest.mark.parametrize("name", script.ROWS)
def test_priors_cover_what_is_compared(name, tmp_path, monkeypatch):
    for official in ("pantheon_plus", "des_dovekie"):
        (tmp_path / official).symlink_to(official_supernovae(official))
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path))
    row = script.ROWS[name]
    names = cf.Prior(row.prior).names
    assert {*row.likelihood().required, *row.published, *row.reference} <= set(names)


def test_physical_baryons():
    inner = cf.likelihoods.CompressedCMB(cf.datasets.desi_compressed_cmb())
    point = {name: jnp.asarray(value) for name, value in {"Omega_m": 0.317, "h": 0.67, "omega_b": 0.0222}.items()}
    expected = inner.log_likelihood(point | {"Omega_b": jnp.asarray(0.0222 / 0.67**2)})
    np.testing.assert_allclose(script.PhysicalBaryons(inner).log_likelihood(point), expected, rtol=1e-12)


def test_published_numbers_are_written_as_in_papers():
    written = [str(script.Published(*numbers)) for numbers in [(-0.48, 0.17, 0.35), (0.2975, 0.0086, 0.0086), (-1.34,)]]
    assert written == ["-0.48 +0.35 −0.17", "0.2975 ± 0.0086", "< -1.34"]


@pytest.mark.parametrize("name", ["desi_dr2_lcdm", "desi_dr2_w0wacdm", "desi_dr2_cmb_w0wacdm"])
def test_measured_rows_agree_with_what_was_published(name):
    """Where the data are those of the paper: within a fifth of the error."""
    record = json.loads((script.FOLDER / f"{name}.json").read_text())
    for parameter, (value, lower, upper) in record["published"].items():
        found = record["parameters"][parameter]
        error, ours = (max(lower, upper), found["mean"]) if upper else (found["sd"], found["interval"][1])
        assert abs(ours - value) < 0.2 * error, parameter


def test_page_is_that_of_the_records():
    assert script.page() == (script.FOLDER.parent / "published_posteriors.md").read_text()
