"""Watching a run from outside: what it says while the run goes on, and how it finds that it ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from cosmoflow.chains import Chain
from cosmoflow.cli._watch import _WatchedRun


@pytest.fixture
def stopped(folder, cosmoflow):
    """A run that ran out of time, with some draws."""
    config = folder / "bao.toml"
    given = config.read_text()
    config.write_text(given.replace("num_draws = 300", "num_draws = 100"))
    assert cosmoflow("sample", "bao.toml", "--quiet").code == 0
    config.write_text(given)
    assert cosmoflow("sample", "bao.toml", "--quiet", "--resume", "--max-time", "0.01").code == 75
    return folder


def status(folder):
    return json.loads((folder / "bao.status.json").read_text())


def overwrite(folder, **entries):
    (folder / "bao.status.json").write_text(json.dumps(status(folder) | entries))


def test_a_finished_run(folder, cosmoflow):
    assert cosmoflow("sample", "bao.toml", "--quiet").code == 0
    seen = cosmoflow("watch", "bao.h5")
    assert seen.code == 0 and seen.err == ""
    assert "300/300 draws" in seen.out and "Omega_m" in seen.out and seen.out.endswith("The run is complete.\n")
    (folder / "bao.status.json").unlink()
    assert cosmoflow("watch", "bao.h5").out.endswith("The run is complete.\n")


def test_a_stopped_run_and_a_dead_one(stopped, cosmoflow):
    seen = cosmoflow("watch", "bao.h5")
    assert seen.code == 75 and "time budget" in seen.out
    assert seen.out.endswith("cosmoflow sample bao.toml --output bao.h5 --resume\n")

    gone = subprocess.Popen(["true"])
    gone.wait()
    overwrite(stopped, stage="sampling", pid=gone.pid)
    seen = cosmoflow("watch", "bao.h5")
    assert seen.code == 75 and "ended without finishing" in seen.out and "--resume" in seen.out
    overwrite(stopped, hostname="elsewhere")
    assert "ended" not in cosmoflow("watch", "bao.h5", "--once").out


def test_draws_are_read_only_when_there_are_new_ones(stopped, monkeypatch):
    overwrite(stopped, stage="sampling", pid=os.getpid(), hostname=socket.gethostname())
    reads = []
    monkeypatch.setattr(
        Chain, "from_file", lambda path, f=Chain.from_file, **options: reads.append(path) or f(path, **options)
    )
    run = _WatchedRun(stopped / "bao.h5")
    assert run.look() is None and run.look() is None and len(reads) == 1
    os.utime(stopped / "bao.h5")
    assert run.look() is None and len(reads) == 2


def test_it_needs_a_run(cosmoflow):
    outcome = cosmoflow("watch", "missing.h5")
    assert outcome.code == 2 and outcome.is_one_sentence("missing.h5")


@pytest.mark.slow
def test_while_it_runs(folder, cosmoflow):
    """Another process samples; it is watched from its first commit to its end, and its lock is not touched."""
    command = [sys.executable, "-m", "cosmoflow", "sample", "bao.toml", "--quiet"]
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace("num_draws = 300", "num_draws = 20000"))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(folder.glob("bao.h5.segments/seg-*.h5")):
        assert process.poll() is None
        time.sleep(0.02)
    once = cosmoflow("watch", "bao.h5", "--once")
    assert once.code == 0 and "Sampling: " in once.out and "h_r_d" in once.out
    waiter = threading.Timer(1.0, process.send_signal, [signal.SIGTERM])
    waiter.start()
    seen = cosmoflow("watch", "bao.h5", "--interval", "0.2")
    assert process.wait(timeout=30) == seen.code == 75
    assert "stopped on request" in seen.out and seen.out.count("Sampling: ") > 2
    process.communicate()
