"""How a stage is seen: the status file, plain lines, and the live view."""

import json
import os
from types import SimpleNamespace

import jax.numpy as jnp
import jax.random as jr
import pytest

import cosmoflow as cf
from cosmoflow import _progress
from cosmoflow._progress import stage
from cosmoflow._results import RunError, Status
from cosmoflow._status_file import read_status, write_status
from cosmoflow.samplers import GHMC
from cosmoflow.targets import CorrelatedGaussian

TARGET = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2))
RUN = {"num_draws": 60, "num_chains": 2, "key": jr.key(0), "chunk": 20}


@pytest.fixture
def clock(monkeypatch):
    watch = SimpleNamespace(now=100.0)
    monkeypatch.setattr(_progress, "time", SimpleNamespace(monotonic=lambda: watch.now))
    return watch


def test_what_is_not_finite_is_null(tmp_path):
    write_status(tmp_path / "run.h5", {"ess": float("nan"), "rhat": float("inf"), "draws": 3})
    assert json.loads((tmp_path / "run.status.json").read_text()) == {"ess": None, "rhat": None, "draws": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["run.status.json"]


def test_a_status_that_cannot_be_read_is_none(tmp_path):
    assert read_status(tmp_path / "run.h5") is None
    (tmp_path / "run.status.json").write_text("{")
    assert read_status(tmp_path / "run.h5") is None
    (tmp_path / "run.status.json").write_text("[]")
    assert read_status(tmp_path / "run.h5") is None


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    write_status(tmp_path / "missing" / "run.h5", {})
    write_status(tmp_path / "run.h5", {"draws": 1})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    write_status(tmp_path / "run.h5", {"draws": 2})
    assert read_status(tmp_path / "run.h5") == {"draws": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["run.status.json"]


@pytest.mark.slow
def test_the_stages_of_a_run(tmp_path):
    run = tmp_path / "run.h5"
    seen = []

    def look():
        seen.append(read_status(run))
        return False

    with cf.ChainStore(run) as store:
        target, sampler, start = cf.warmup(
            TARGET, GHMC(), max_gradients=2000, num_chains=2, key=jr.key(1), store=store, stop=look
        )
        assert read_status(run)["stage"] == "warmup" and read_status(run)["step"] > 1000
        cf.sample(target, sampler, position=start, store=store, stop=look, commit_seconds=0.0, **RUN)
    assert [one["stage"] for one in seen[-4:]] == ["warmup"] + ["sampling"] * 3
    assert [one["draws"] for one in seen[-3:]] == [0, 20, 40]
    steps = [one["step"] for one in seen[:-3]]
    assert steps[0] == 0 and steps == sorted(steps)
    assert seen[-1]["num_draws"] == 60 and seen[-1]["gradients"] == 2 * 40 * 4 and seen[-1]["divergences"] == 0
    assert seen[-1]["pid"] == os.getpid() and seen[-1]["status"] is None and seen[-1]["seconds_left"] > 0
    end = read_status(run)
    assert (end["stage"], end["draws"], end["status"]) == ("finished", 60, "SUCCESSFUL")
    assert end["message"] == Status.SUCCESSFUL.value and end.keys() == seen[0].keys()


@pytest.mark.parametrize(
    ("error", "end", "status"),
    [
        (RunError(Status.OUT_OF_TIME), "stopped", "OUT_OF_TIME"),
        (RunError(Status.STUCK), "failed", "STUCK"),
        (cf.CosmoflowError("The disk is full."), "failed", None),
        (KeyboardInterrupt(), "failed", None),
    ],
)
def test_how_it_ended(tmp_path, error, end, status):
    with pytest.raises(type(error)), stage("training", 10, visible=False, run=tmp_path / "run.h5"):
        raise error
    found = read_status(tmp_path / "run.h5")
    assert (found["stage"], found["status"]) == (end, status)
    assert found["message"] == (str(error) or "KeyboardInterrupt")


def test_the_file_is_written_seldom_and_after_commits(tmp_path, clock):
    run = tmp_path / "run.h5"
    with stage("sampling", 100, visible=False, run=run) as live:
        live.advance(1)
        assert read_status(run)["draws"] == 0
        live.advance(1, committed=True)
        assert read_status(run)["draws"] == 2
        clock.now += 3
        live.advance(1)
        assert read_status(run)["draws"] == 3


def test_lines_come_every_ten_seconds_and_at_both_ends(clock, capsys):
    with stage("training", 1000, facts=lambda: {"loss": 1.5}, visible=True, run=None) as live:
        for _ in range(500):
            clock.now += 0.125
            live.advance(2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 6 + 1
    assert lines[0] == "Training: 0/1000 steps, loss 1.5000"
    assert lines[1].startswith("Training: 160/1000 steps, 0:00:52 left, loss 1.5000")
    assert lines[-1].startswith("Training: 1000/1000 steps")


def test_long_runs_say_less(clock, capsys):
    with stage("training", 10**6, visible=True, run=None) as live:
        for _ in range(36_000):
            clock.now += 1.0
            live.advance(1)
    assert len(capsys.readouterr().out.splitlines()) < 500


@pytest.mark.slow
def test_the_live_view(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    cf.sample(TARGET, GHMC(), progress=True, **RUN)
    shown = capsys.readouterr().out
    assert "60/60 draws" in shown and "2 chains" in shown and "gradients" in shown and "\x1b[" in shown


def test_nothing_is_printed_unasked(tmp_path, capfd):
    with cf.ChainStore(tmp_path / "run.h5") as store:
        cf.sample(TARGET, GHMC(), store=store, **RUN)
    assert capfd.readouterr() == ("", "")


def test_a_view_that_breaks_does_not_end_a_run(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(_progress._Lines, "_print", broken)
    with _progress.stage("sampling", 10, visible=True, run=tmp_path / "run.h5") as live:
        live.advance(10)
    assert read_status(tmp_path / "run.h5")["draws"] == 10
