"""The examples of docs/data.md: each block is the file that the text before it names last."""

import re
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow.chains import Chain
from cosmoflow.cli import main
from cosmoflow.config import build_posterior, load
from cosmoflow.config._likelihoods import OBSERVABLES

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
POINT = {"Omega_m": jnp.asarray(0.3), "h": jnp.asarray(0.7), "r_d": jnp.asarray(147.0)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """With the files of the page."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for before, content in re.findall(r"(.*?)^```(?:text|toml|python)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        (tmp_path / re.findall(r"`(\w+\.(?:txt|toml|py))`", before)[-1]).write_text(content)
    return tmp_path


def test_files_of_the_page(folder):
    names = "mine.txt mine_cov.txt own.toml ladder.py ladder.toml paczynski.py ratios.txt paczynski.toml"
    assert sorted(path.name for path in folder.iterdir()) == sorted(names.split())


def test_own_measurements(folder):
    posterior = build_posterior(load(folder / "own.toml"))
    measured = cf.datasets.read_measurements(
        folder / "mine.txt", folder / "mine_cov.txt", quantities=cf.datasets.QUANTITIES
    )
    assert measured.quantity == ("DM_over_rd", "DH_over_rd") * 2
    chi2 = posterior.likelihood.chi2({"Omega_m": jnp.asarray(0.3), "h_r_d": jnp.asarray(101.0)})
    assert 0 < chi2["mine"] < 10


def test_own_function(folder):
    posterior = build_posterior(load(folder / "ladder.toml"))
    assert set(posterior.likelihood.required) == {"Omega_m", "h", "r_d"}
    ladder = posterior.likelihood.members[posterior.likelihood.names.index("ladder")]
    expected = -0.5 * (3.04 / 1.04) ** 2 - np.log(1.04 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(ladder.log_likelihood(POINT), expected, rtol=1e-12)


def test_own_class(folder):
    posterior = build_posterior(load(folder / "paczynski.toml"))
    (member,) = posterior.likelihood.members
    assert member.required == ("Omega_m",) and member.chi2(POINT) < 10
    np.testing.assert_allclose(member.data, [0.622, 1.223])


def test_every_observable_is_in_the_table():
    table = PAGE.partition("| `observable` |")[2].partition("\n\n")[0]
    assert all(f"`{name}`" in table for name in OBSERVABLES)


@pytest.mark.slow
def test_a_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for command in re.findall(r"`cosmoflow (sample own\.toml[^`]*)`", PAGE):
        monkeypatch.setattr("sys.argv", ["cosmoflow", *command.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
    assert "observable" in capsys.readouterr().out
    chain = Chain.from_file("own.h5")
    assert chain.observed_data["mine"].shape == (4,)
    assert 0.2 < chain.posterior["Omega_m"].mean() < 0.4 and 95 < chain.posterior["h_r_d"].mean() < 107
