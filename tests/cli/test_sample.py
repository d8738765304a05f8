"""A small real run: sample, summarize, plot, resume, replace, stop."""

import json
import signal
import tomllib

import h5py
import numpy as np
import pytest

from cosmoflow.chains import Chain, ChainStore
from cosmoflow.cosmology import LABELS


def arrays(path):
    """Posterior and sample statistics of a finished chain."""
    with h5py.File(path) as file:
        return {
            f"{group}/{name}": file[group][name][()] for group in ("posterior", "sample_stats") for name in file[group]
        }


def assert_identical(path, other):
    left, right = arrays(path), arrays(other)
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def test_dry_run_writes_nothing(folder, cosmoflow, monkeypatch):
    monkeypatch.setattr("cosmoflow.cli._sample.REHEARSAL_SECONDS", 0.5)
    outcome = cosmoflow("sample", "bao.toml", "--dry-run")
    assert outcome.code == 0 and outcome.err == ""
    assert "Compiled: " in outcome.out and "Sampler: ZigZag" in outcome.out and "\nIn all: " in outcome.out
    assert "2 dimensions, parameters Omega_m, h_r_d" in outcome.out and "draw_interval = 1.0" in outcome.out
    assert [path.name for path in folder.iterdir()] == ["bao.toml"]


def test_a_run_and_what_follows(folder, cosmoflow):
    outcome = cosmoflow("sample", "bao.toml")
    assert outcome.code == 0 and outcome.err == "", outcome
    assert "The run is complete." in outcome.out and "chi^2 at the best draw" in outcome.out
    assert {path.name for path in folder.iterdir()} == {
        "bao.toml",
        "bao.h5",
        "bao.status.json",
        "bao.txt",
        "bao.png",
    }
    assert (folder / "bao.txt").read_text() in outcome.out
    chain = Chain.from_file(folder / "bao.h5")
    assert chain.num_draws == 300 and chain.num_chains == 2
    assert abs(chain.posterior["Omega_m"].mean() - 0.298) < 0.005
    assert tomllib.loads(chain.attributes["configuration"])["run"]["num_draws"] == 300
    assert json.loads(chain.attributes["labels"]) == {name: LABELS[name] for name in ("Omega_m", "h_r_d")}
    assert chain.bounds == {"Omega_m": (0.01, 0.99), "h_r_d": (10.0, 1000.0)}

    summary = cosmoflow("summarize", "bao.h5")
    assert summary.code == 0 and summary.out in (folder / "bao.txt").read_text() + outcome.out

    figure = cosmoflow("plot", "bao.h5", "--parameters", "h_r_d,Omega_m", "--output", "corner.pdf")
    assert figure.code == 0 and (folder / "corner.pdf").stat().st_size > 1000
    unknown = cosmoflow("plot", "bao.h5", "--parameters", "H0")
    assert unknown.code == 2 and unknown.is_one_sentence("H0", "Omega_m")
    strange = cosmoflow("plot", "bao.h5", "--output", "corner.xyz")
    assert strange.code == 2 and strange.is_one_sentence("xyz")


def test_what_is_there_already(folder, cosmoflow):
    assert cosmoflow("sample", "bao.toml", "--quiet") == (0, "", "")
    (folder / "first.h5").write_bytes((folder / "bao.h5").read_bytes())
    refused = cosmoflow("sample", "bao.toml")
    assert refused.code == 2 and refused.is_one_sentence("bao.h5", "--resume", "--force")
    assert cosmoflow("sample", "bao.toml", "--resume", "--quiet") == (0, "", "")
    assert_identical("bao.h5", "first.h5")

    config = folder / "bao.toml"
    given = config.read_text()
    config.write_text(given.replace("low = 0.01", "low = 0.02"))
    changed = cosmoflow("sample", "bao.toml", "--resume")
    assert changed.code == 2 and changed.is_one_sentence("prior.Omega_m.low", "0.01", "0.02")
    assert_identical("bao.h5", "first.h5")

    config.write_text(given.replace("num_draws = 300", "num_draws = 400\nseed = 1"))
    assert cosmoflow("sample", "bao.toml", "--force", "--quiet") == (0, "", "")
    assert Chain.from_file("bao.h5").num_draws == 400
    assert not np.array_equal(arrays("bao.h5")["posterior/Omega_m"][:, :300], arrays("first.h5")["posterior/Omega_m"])


class Crash(BaseException):
    """The end of a process, as far as the library can tell."""


def crash_at_commit(monkeypatch, number):
    commits = []
    append = ChainStore.append_blocks

    def crashing(self, *arguments):
        append(self, *arguments)
        commits.append(arguments)
        if len(commits) == number:
            raise Crash

    monkeypatch.setattr(ChainStore, "append_blocks", crashing)


def test_interrupted_runs_end_as_uninterrupted_ones(folder, cosmoflow, monkeypatch, signal_at_first_commit):
    assert cosmoflow("sample", "bao.toml", "--quiet", "--output", "whole.h5").code == 0

    with monkeypatch.context() as patch, pytest.raises(Crash):
        crash_at_commit(patch, 1)
        cosmoflow("sample", "bao.toml", "--quiet")
    partial = cosmoflow("summarize", "bao.h5")
    assert partial.code == 0 and "2 chains of 100 draws" in partial.out

    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal_at_first_commit(number)
        stopped = cosmoflow("sample", "bao.toml", "--resume", "--quiet")
        if Chain.from_file("bao.h5").num_draws < 300:
            assert stopped.code == 75 and "--resume" in stopped.err, stopped
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert cosmoflow("sample", "bao.toml", "--resume", "--quiet").code == 0
    assert_identical("bao.h5", "whole.h5")


def test_a_time_budget(folder, cosmoflow):
    config = folder / "bao.toml"
    config.write_text(config.read_text() + "max_time = 0.001\n")
    outcome = cosmoflow("sample", "bao.toml", "--quiet")
    assert outcome.code == 75 and outcome.is_one_sentence("time budget", "--resume")
