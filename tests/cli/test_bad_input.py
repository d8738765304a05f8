"""Bad input: one sentence, exit code 2, no traceback, nothing written and nothing lost."""

import os
import subprocess
import sys

import pytest

MISTAKES = {
    "not TOML": ("[run]", "[run", ("bao.toml", "not TOML", "line")),
    "unknown key": ("num_draws", "num_draw", ("bao.toml", "run.num_draw", "'num_draws'")),
    "wrong type": ("= 300", '= "many"', ("bao.toml", "run.num_draws", "integer", "'many'")),
    "bounds reversed": ("0.01", "1.01", ("bao.toml", "prior.Omega_m.low", "below high")),
    "missing parameter": ("h_r_d", "#", ("bao.toml", "prior.h_r_d is missing", "likelihood.desi_dr2_bao")),
    "superfluous parameter": ("h_r_d", "h_rd", ("bao.toml", "prior.h_r_d is missing")),
    "NaN at the start": ("low = 0.01, high = 0.99", "low = -9.0, high = -8.0", ("Omega_m", "desi_dr2_bao")),
}


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("name", MISTAKES)
def test_configurations(folder, cosmoflow, name):
    old, new, words = MISTAKES[name]
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace(old, new, 1))
    before = contents(folder)
    outcome = cosmoflow("sample", "bao.toml")
    assert outcome.code == 2 and outcome.is_one_sentence(*words), outcome
    assert outcome.out == "" and contents(folder) == before


def test_files(folder, cosmoflow):
    for arguments, words in (
        (("sample", "missing.toml"), ("missing.toml", "no such file")),
        (("sample", "."), (".", "folder")),
        (("fit", "bao.toml"), ("bao.toml", "flow is missing")),
        (("sample", "bao.toml", "--output", "a.txt"), ("a.txt", ".h5")),
        (("sample", "bao.toml", "--output", "missing/a.h5"), ("missing/a.h5", "folder is missing")),
        (("sample", "bao.toml", "--output", "bao.toml/a.h5"), ("bao.toml/a.h5", "file stands where a folder")),
        (("summarize", "missing.h5"), ("missing.h5",)),
        (("summarize", "bao.toml"), ("bao.toml",)),
        (("plot", "missing.h5"), ("missing.h5",)),
    ):
        before = contents(folder)
        outcome = cosmoflow(*arguments)
        assert outcome.code == 2 and outcome.is_one_sentence(*words), outcome
        assert contents(folder) == before


def test_unwritable_folder(folder, cosmoflow):
    (folder / "closed").mkdir(mode=0o555)
    closed = "closed" if os.geteuid() else "/sys"  # root writes everywhere but there
    outcome = cosmoflow("sample", "bao.toml", "--output", f"{closed}/a.h5")
    assert outcome.code == 2 and outcome.is_one_sentence(f"{closed}/a.h5", "permission"), outcome


def test_resume_and_force_exclude_each_other(cosmoflow):
    outcome = cosmoflow("sample", "bao.toml", "--resume", "--force")
    assert outcome.code == 2 and outcome.is_one_sentence("--resume", "--force")


def test_as_a_process(folder):
    command = [sys.executable, "-m", "cosmoflow", "sample", "missing.toml"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith("cosmoflow: missing.toml:") and ended.stderr.count("\n") == 1
