"""Configurations to begin with: those of every set, and of combinations, load and build."""

import os
import re
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import pytest
from helpers import official_supernovae

from cosmoflow.config import PROBES, ConfigError, build_posterior, loads, starter
from cosmoflow.datasets import find

NEEDS = {"des_y1_3x2pt": "sacc", "planck2018_lite": "cosmopower_jax"}
TOGETHER = [
    ("desi_dr2_bao", "union3"),
    ("desi_dr2_bao", "bbn_schoeneberg2024"),
    ("desi_dr2_bao", "h0_shoes2022"),
    ("desi_dr2_bao", "desi_compressed_cmb", "pantheon_plus"),
    ("desi_dr2_bao", "des_y1_3x2pt", "fsigma8_gold2018"),
    ("cosmic_chronometers", "union3", "fsigma8_gold2018"),
    ("planck2018_lite", "desi_dr2_bao", "union3"),
    ("planck2018_lite", "des_y1_3x2pt"),
    ("sdss_dr16_qso_full_shape", "planck2018_distance_priors"),
]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Fetched sets, or a skipped test where they are not here."""

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


def marked(probes):
    """Large sets take seconds to be read."""
    marks = [pytest.mark.slow] if {"des_dovekie", "pantheon_plus", "des_y1_3x2pt"} & set(probes) else []
    return pytest.param(probes, marks=marks, id="-".join(probes))


@pytest.mark.parametrize("probes", [marked(probes) for probes in (*((name,) for name in PROBES), *TOGETHER)])
def test_it_loads_and_builds(probes, data):
    data(probes)
    text = starter(probes, "mine.toml")
    posterior = build_posterior(loads(text, "mine.toml"))
    assert posterior.dim > 0
    assert ("m_nu" in posterior.prior.names) <= ("planck2018_lite" not in probes)


@pytest.mark.parametrize("probes", [("desi_dr2_bao",), ("union3", "desi_compressed_cmb")], ids="-".join)
def test_what_is_in_comments_works_too(probes):
    text = re.sub(
        r"^# (\"w0, wa\"|Omega_k|until_ess|until_rhat|num_maps|\[flow\])", r"\1", starter(probes, "a.toml"), flags=re.M
    )
    flow = re.search(r"\[flow\].*\n.*\n", text).group()
    config = loads(text.replace(flow, "") + flow, "a.toml")
    assert {"w0", "wa", "Omega_k"} <= set(build_posterior(config).prior.names)
    assert config.flow is not None and config.run.until_ess == 1000.0


def test_pairs_load_or_are_refused_in_one_sentence():
    for pair in combinations(PROBES, 2):
        try:
            config = loads(starter(pair, "mine.toml"), "mine.toml")
        except ConfigError as error:
            assert "keep one of them" in str(error), pair
        except ValueError as error:
            assert "leave one of them out" in str(error) and "planck2018_lite" in pair, pair
        else:
            assert set(config.likelihood) == set(pair)


def test_the_head_says_what_is_needed():
    text = starter(("desi_dr2_bao", "des_y1_3x2pt"), "mine.toml")
    assert "cosmoflow data fetch des_y1_3x2pt" in text and "cosmoflow[sacc]" in text
    assert "cosmoflow sample mine.toml" in text and "mine.h5" in text and max(map(len, text.splitlines())) <= 120
