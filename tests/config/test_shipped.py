"""The files of scripts/configs: each loads, builds, and has a finite density at the centre of its prior."""

import os
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import pytest
from helpers import official_supernovae

from cosmoflow.config import ConfigError, build_posterior, load
from cosmoflow.cosmology import _cosmopower
from cosmoflow.datasets import DataError, find

CONFIGS = sorted((Path(__file__).parents[2] / "scripts" / "configs").glob("*.toml"))
LARGE = ("des_dovekie", "pantheon_plus", "des_y1_3x2pt", "des_y1_shear")
NEEDS = {"des_y1_3x2pt": "sacc", "planck2018_lite": "cosmopower_jax"}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The folder of fetched sets, for the sets of one configuration."""

    def prepare(names):
        for name in names:
            if name in ("pantheon_plus", "des_dovekie"):
                (tmp_path / name).symlink_to(official_supernovae(name))
            elif not find(name).shipped:
                folder = Path(os.environ.get("COSMOFLOW_DATA", "nowhere")) / name
                if not folder.is_dir():
                    pytest.skip(f"COSMOFLOW_DATA names no folder with {name}")
                (tmp_path / name).symlink_to(folder)
            if find_spec(NEEDS.get(name, "jax")) is None:
                pytest.skip(f"{NEEDS[name]} is not installed")
        monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path))

    return prepare


def sets(path):
    tables = tomllib.loads(path.read_text())["likelihood"]
    return [name for name, table in tables.items() if name != "gaussian_mixture" and "field" not in table]


@pytest.mark.soon(7)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] * any(name in path.stem for name in LARGE), id=path.stem)
        for path in CONFIGS
    ],
)
def test_finite_at_the_centre_of_the_prior(path, data):
    data(sets(path))
    if 'transfer = "emu_pk"' in path.read_text():
        pytest.importorskip("emu_pk")
    config = load(path)
    posterior = build_posterior(config)
    assert jnp.isfinite(eqx.filter_jit(lambda p, z: p.log_density(z))(posterior, jnp.zeros(posterior.dim)))
    assert config.output == Path(f"{path.stem}.h5")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_data_that_are_not_here_are_named(path, tmp_path, monkeypatch):
    absent = [name for name in sets(path) if not find(name).shipped]
    if not absent:
        return
    monkeypatch.setenv("COSMOFLOW_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        build_posterior(load(path))
    assert f"cosmoflow data fetch {absent[0]}" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_head_says_how_to_run_it(path):
    head = re.match(r"(#.*\n)+", path.read_text()).group()
    assert f"cosmoflow sample scripts/configs/{path.name}" in head
    for name in sets(path):
        assert find(name).shipped or f"cosmoflow data fetch {name}" in head


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", ["convergence_map", "galaxy_field"])
def test_mock_fields_are_those_of_their_models(name):
    """The residuals from the model at the truth are the noise."""
    (path,) = (path for path in CONFIGS if path.stem == name)
    config = load(path)
    (field,) = build_posterior(config).likelihood.members
    residuals = field.data - eqx.filter_jit(field.predict)(field.truth)
    chi2 = float(jnp.sum((residuals / field.noise.sd) ** 2))
    num_cells = field.data.size
    assert abs(chi2 - num_cells) < 5 * (2 * num_cells) ** 0.5
    assert abs(float(jnp.mean(residuals / field.noise.sd))) < 5 / num_cells**0.5
    assert config.run.precision == "float32" and field.truth.keys() >= {*config.prior, "white_noise"}


def test_an_emulator_that_is_not_installed(data, monkeypatch):
    data(["planck2018_lite"])
    monkeypatch.setattr(_cosmopower, "find_spec", lambda name: None)
    (path,) = (path for path in CONFIGS if path.stem == "planck_lite")
    with pytest.raises(
        ConfigError, match=r"likelihood.planck2018_lite: The CMB emulator needs cosmopower-jax; install"
    ):
        build_posterior(load(path))
