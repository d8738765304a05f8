"""Data and functions of the user's own on the command line."""

import sys

import pytest

OWN = """
[likelihood.mine]
observable = "DM_over_rd"
values = "mine.txt"
[likelihood.ladder]
python = "ladder_of_a_test:log_likelihood"
options = { mean = 100.0 }
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
"""


@pytest.fixture
def own(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "ladder_of_a_test", raising=False)
    (folder / "own.toml").write_text(OWN)
    (folder / "mine.txt").write_text("0.5 13.5 0.2\n0.9 20.1 0.3\n")
    (folder / "ladder_of_a_test.py").write_text("def log_likelihood(h_r_d, mean):\n    return -((h_r_d - mean) ** 2)\n")
    return folder


def test_dry_run(own, cosmoflow, monkeypatch):
    monkeypatch.setattr("cosmoflow.cli._sample._rehearse", lambda *_: None)
    shown = cosmoflow("sample", "own.toml", "--dry-run")
    assert shown.code == 0 and 'observable = "DM_over_rd"' in shown.out and "options = { mean = 100.0 }" in shown.out


def test_mistakes(own, cosmoflow):
    (own / "mine.txt").write_text("0.5 13.5 0.2\n0.9 nan 0.3\n")
    bad = cosmoflow("sample", "own.toml")
    assert bad.code == 2 and bad.is_one_sentence("mine.txt, line 2, holds NaN")
    (own / "mine.txt").unlink()
    missing = cosmoflow("sample", "own.toml")
    assert missing.code == 2 and missing.is_one_sentence("There is no file mine.txt")
    (own / "own.toml").write_text(OWN.replace(":log_likelihood", ":log_like").replace("mine.txt", "own.toml"))
    unknown = cosmoflow("sample", "own.toml")
    assert unknown.code == 2 and unknown.is_one_sentence("own.toml: likelihood.ladder: ", "has no function 'log_like'")


@pytest.mark.slow
def test_a_run_goes_on_only_with_the_same_data_and_code(own, cosmoflow):
    short = (
        '[sampler]\nkind = "nuts"\n[warmup]\nmax_gradients = 2000\n[run]\nnum_chains = 2\nnum_draws = 100\nchunk = 50\n'
    )
    (own / "own.toml").write_text(OWN + short)
    assert cosmoflow("sample", "own.toml", "--quiet").code == 0
    (own / "mine.txt").rename(own / "moved.txt")
    longer = OWN + short.replace("= 100", "= 150")
    (own / "own.toml").write_text(longer.replace("mine.txt", "moved.txt"))
    assert cosmoflow("sample", "own.toml", "--quiet", "--resume").code == 0
    (own / "moved.txt").write_text("0.5 13.6 0.2\n0.9 20.1 0.3\n")
    changed = cosmoflow("sample", "own.toml", "--quiet", "--resume")
    assert changed.code == 2 and changed.is_one_sentence("data.mine was")
    (own / "moved.txt").write_text("0.5 13.5 0.2\n0.9 20.1 0.3\n")
    (own / "ladder_of_a_test.py").write_text("def log_likelihood(h_r_d, mean):\n    return -abs(h_r_d - mean)\n")
    changed = cosmoflow("sample", "own.toml", "--quiet", "--resume")
    assert changed.code == 2 and changed.is_one_sentence("code.ladder was")
