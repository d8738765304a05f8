"""`cosmoflow new` and `cosmoflow schema`."""

import json

import pytest


def test_probe_sets_are_listed(cosmoflow, folder):
    outcome = cosmoflow("new")
    assert outcome.code == 0 and outcome.out.startswith("desi_dr2_bao")
    assert "(to be fetched)" in outcome.out and "gaussian_mixture" not in outcome.out
    assert [path.name for path in folder.iterdir()] == ["bao.toml"]


@pytest.mark.slow
def test_a_configuration_that_runs(cosmoflow, folder):
    outcome = cosmoflow("new", "run.toml", "--probes", "desi_dr2_bao, union3")
    assert outcome.code == 0 and outcome.out.endswith("to run it: cosmoflow sample run.toml\n")
    outcome = cosmoflow("sample", "run.toml", "--dry-run")
    assert outcome.code == 0 and "2 dimensions, parameters Omega_m, h_r_d" in outcome.out, outcome
    assert "cosmoflow report run.h5" in (folder / "run.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bao.toml", "--probes", "union3"), ("bao.toml", "is there already")),
        (("run.toml", "--probes", "union4"), ("'union4'", "'union3'")),
        (("run.toml", "--probes", "union3,pantheon_plus"), ("union3 holds as well", "keep one of them")),
        (("run.toml", "--probes", "planck2018_lite,fsigma8_gold2018"), ("A_s", "sigma8", "leave one")),
        (("run.toml",), ("--probes",)),
        (("--probes", "union3"), ("name of a file",)),
        (("missing/run.toml", "--probes", "union3"), ("missing/run.toml", "cannot be written")),
    ],
)
def test_bad_input(cosmoflow, folder, arguments, words):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    outcome = cosmoflow("new", *arguments)
    assert outcome.code == 2 and outcome.is_one_sentence(*words), outcome
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_schema_is_json(cosmoflow):
    outcome = cosmoflow("schema")
    assert outcome.code == 0 and json.loads(outcome.out)["required"] == ["likelihood", "prior"]
