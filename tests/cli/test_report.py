"""`cosmoflow report`, and the figures of `cosmoflow plot --kind`."""

import numpy as np
import pytest

from cosmoflow.chains import Chain

BAO = """
[likelihood.desi_dr2_bao]
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
[run]
output = "run.h5"
"""


@pytest.fixture
def run(folder):
    for seed, name in enumerate(("run", "other")):
        z = np.random.default_rng(seed).normal(size=(2, 100))
        posterior = {"Omega_m": 0.3 + 0.01 * z, "h_r_d": 101.5 + z}
        attributes = {"configuration": BAO, "configuration_file": "bao.toml"}
        Chain(posterior, {"lp": -0.5 * z**2}, attributes).save(folder / f"{name}.h5")
    return folder


def test_a_page_beside_the_chain(run, cosmoflow):
    outcome = cosmoflow("report", "run.h5", "--with", "other.h5")
    assert outcome.code == 0 and outcome.err == "" and outcome.out == "The report is in run.html\n"
    text = (run / "run.html").read_text(encoding="utf-8")
    assert 'id="comparison"' in text and ">other</th>" in text and "desi_dr2_bao" in text


def test_bad_input(run, cosmoflow):
    for arguments, words in (
        (("missing.h5",), ("missing.h5", "check the path")),
        (("run.h5", "--with", "missing.h5"), ("missing.h5", "check the path")),
        (("run.h5", "--parameters", "H0"), ("'H0'", "Omega_m")),
        (("run.h5", "--output", "nowhere/a.html"), ("nowhere/a.html", "cannot be written")),
    ):
        outcome = cosmoflow("report", *arguments)
        assert (outcome.code == 2 and outcome.is_one_sentence(*words)) or "nowhere" in arguments[-1], outcome
        assert outcome.code == 2 and "Traceback" not in outcome.err and all(word in outcome.err for word in words)


@pytest.mark.soon(1)
@pytest.mark.parametrize(("kind", "name"), [("trace", "trace"), ("rank", "rank"), ("data", "desi_dr2_bao")])
def test_figures_of_a_kind(run, cosmoflow, kind, name):
    outcome = cosmoflow("plot", "run.h5", "--kind", kind)
    assert outcome.code == 0 and outcome.out == f"The {name} is in run_{name}.png\n"
    assert (run / f"run_{name}.png").stat().st_size > 5000 and not (run / "run.png").exists()


def test_kinds_that_there_are_not(run, cosmoflow):
    assert cosmoflow("plot", "run.h5", "--kind", "pie").is_one_sentence("'pie'", "corner, trace, rank, data, fields")
    assert cosmoflow("plot", "run.h5", "--kind", "fields").is_one_sentence("no observed field")
    Chain({"x": np.random.default_rng(0).normal(size=(2, 60))}).save(run / "bare.h5")
    assert cosmoflow("plot", "bare.h5", "--kind", "data").is_one_sentence("no configuration")
