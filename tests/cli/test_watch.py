"""Watching a run from outside: what it says while the run goes on, and how it finds that it ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cosmoflow._status_file import status_path, write_status
from cosmoflow.chains import Chain, part_path
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


@pytest.fixture
def parts(folder):
    """Writes a part of a run of six chains and its status: of so many draws, about some mean, heard of a while ago."""
    rng = np.random.default_rng(0)

    def write(first, stop, *, draws=200, mean=0.0, ago=0.0, **entries):
        path = part_path(folder / "run.h5", range(first, stop))
        path.parent.mkdir(exist_ok=True)
        normal = mean + rng.standard_normal((2, stop - first, draws))
        attributes = {"configuration": "[run]\nnum_chains = 6\n"}
        Chain({"x": normal[0]}, {"lp": normal[1], "squared_norm": normal[1]}, attributes).save(path, overwrite=True)
        record = {"stage": "sampling", "draws": draws, "num_draws": 400, "num_chains": stop - first, "gradients": 100}
        record |= {"ess": 9999.0, "rhat": 9.0, "rate": 10.0, "seconds_left": 400.0 - draws}
        record |= {"pid": os.getpid(), "hostname": socket.gethostname()}
        record |= {"updated_at": (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(timespec="seconds")}
        write_status(path, record | entries)

    return write


def ended(status="SUCCESSFUL", stage="finished", message="The run is complete."):
    gone = subprocess.Popen(["true"])
    gone.wait()
    return {"stage": stage, "status": status, "message": message, "pid": gone.pid}


def test_parts_are_seen_together(parts, folder, cosmoflow):
    """R-hat and effective sizes are those of all chains; the slowest part says how far the run is."""
    parts(0, 2)
    parts(2, 4, draws=100)
    parts(4, 6, mean=5.0)
    seen = cosmoflow("watch", "run.h5", "--once")
    assert seen.code == 0 and "Sampling: 100/400 draws, 0:05:00 left, 6 chains, 300 gradients" in seen.out
    run = _WatchedRun(folder / "run.h5")
    assert run.look() is None and run.notes == []
    assert run.summary.num_chains == 6 and run.summary.num_draws == 100
    assert run.record["rhat"] > 1.5 and 1 < run.record["ess"] < 100
    parts(4, 6)
    assert run.look() is None and run.record["rhat"] < 1.05


def test_a_part_without_draws_does_not_hide_the_others(parts, folder):
    parts(0, 2)
    path = part_path(folder / "run.h5", range(2, 6))
    path.with_name(f"{path.name}.segments").mkdir()
    write_status(path, {"stage": "warmup", "step": 10, "num_steps": 100, "pid": os.getpid(), "hostname": "elsewhere"})
    run = _WatchedRun(folder / "run.h5")
    assert run.look() is None and run.summary.num_chains == 2
    assert run.record["stage"] == "warmup" and run.record["step"] == 10


def test_which_part_is_missing_silent_or_lost(parts, folder, cosmoflow):
    parts(0, 1, hostname="elsewhere", ago=130)
    parts(1, 3, **ended(None, "sampling"))
    parts(3, 4)
    out = cosmoflow("watch", "run.h5", "--once").out
    assert "Chain 0: No news for 0:02:1" in out and "Chains 1 to 2: The process is gone." in out
    assert "Chains 4 to 5: Not begun." in out and "Chain 3" not in out
    assert _WatchedRun(folder / "run.h5").look() is None


def test_how_parts_end(parts, cosmoflow):
    for first in (0, 2):
        parts(first, first + 2, **ended())
    once = cosmoflow("watch", "run.h5", "--once")
    assert once.code == 0 and "merge" not in once.out  # others have not begun
    parts(4, 6, **ended() | {"pid": os.getpid()})
    assert "merge" not in cosmoflow("watch", "run.h5", "--once").out  # it may join them itself
    parts(4, 6, **ended())
    seen = cosmoflow("watch", "run.h5")
    assert seen.code == 0 and seen.out.endswith("All parts are finished. To join them: cosmoflow merge run.h5\n")
    parts(2, 4, **ended("OUT_OF_TIME", "stopped", "The run reached its time budget; resume it to continue."))
    seen = cosmoflow("watch", "run.h5")
    assert seen.code == 75 and seen.out.endswith("--resume on the command line.\n")
    assert "Chains 2 to 3: The run reached its time budget" in seen.out
    parts(0, 2, **ended("NON_FINITE", "failed", "Too many."))
    assert cosmoflow("watch", "run.h5").code == 1


def test_parts_become_a_run(parts, folder, cosmoflow):
    parts(0, 6)
    run = _WatchedRun(folder / "run.h5")
    assert run.look() is None
    path = part_path(folder / "run.h5", range(6))
    path.rename(folder / "run.h5")
    status_path(path).unlink()
    write_status(folder / "run.h5", {"stage": "finished", "status": "SUCCESSFUL", "message": "The run is complete."})
    end = run.look()
    assert end is not None and end.code == 0 and end.sentence == "The run is complete."


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
    assert "stopped on request" in seen.out and seen.out.count("Sampling: ") > 1
    process.communicate()
