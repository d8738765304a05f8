"""A run killed with SIGKILL a hundred times, in every stage of its life, against an uninterrupted one."""

import contextlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from string import Template

import h5py
import numpy as np
import pytest

from cosmoflow.chains import ChainStore, check

CONFIG = Template("""
[likelihood.desi_dr2_bao]
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
[flow]
num_steps = 2
width = 16
depth = 1
[training]
num_steps = $num_steps
num_samples = 64
[warmup]
max_gradients = 20000
[sampler]
kind = "zig_zag"
[run]
seed = 3
num_chains = 4
num_draws = $num_draws
chunk = 25
commit_seconds = $commit_seconds
""")


class Process:
    """`cosmoflow sample kill.toml`, watched through the files it writes."""

    def __init__(self, folder: Path, output: str, *options: str):
        self.segments = folder / f"{output}.segments"
        self.final = folder / output
        command = [sys.executable, "-m", "cosmoflow", "sample", "kill.toml", "--output", output, *options]
        environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONUNBUFFERED": "1"}
        self.popen = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)

    def wait_for_line(self, start: str) -> None:
        for line in self.popen.stdout:
            if line.startswith(start):
                return
        pytest.fail(f"The run ended before it said {start!r}.")

    def wait_for_news(self, pattern: str) -> None:
        """Until a file of this pattern appears or is replaced."""
        before = self.stamps(pattern)
        while self.stamps(pattern) == before:
            assert self.popen.poll() is None, f"The run ended before it wrote {pattern}."
            time.sleep(0.002)

    def stamps(self, pattern: str) -> set:
        stamps = set()
        for path in self.segments.glob(pattern):
            try:
                stamps.add((path.name, path.stat().st_mtime_ns))
            except FileNotFoundError:
                continue
        return stamps

    def kill(self) -> None:
        self.popen.kill()
        self.popen.communicate()

    def finish(self) -> None:
        self.popen.communicate()
        assert self.popen.returncode == 0

    def has(self, stage: str) -> bool:
        return (self.segments / f"stage-{stage}.h5").exists()


def kill_in_training(process: Process, delay: float) -> None:
    process.wait_for_line("Training")
    process.wait_for_news("stage-training.h5")
    time.sleep(0.2 * delay)
    process.kill()
    assert process.has("training") and not process.has("evidence")


def kill_in_warmup(process: Process, delay: float) -> None:
    process.wait_for_line("Warming up")
    time.sleep(delay)
    process.kill()
    assert process.has("evidence") and not process.has("warmup")


def kill_in_sampling(process: Process, delay: float) -> None:
    process.wait_for_line("Sampling")
    process.wait_for_news("seg-*.h5")
    time.sleep(0.5 * delay)
    process.kill()
    assert process.stamps("seg-*.h5") and not process.final.exists()


def arrays(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {
            f"{group}/{name}": file[group][name][()] for group in ("posterior", "sample_stats") for name in file[group]
        }


def configure(folder: Path, **settings) -> None:
    settings = {"num_steps": 3000, "num_draws": 3000, "commit_seconds": 0.001} | settings
    (folder / "kill.toml").write_text(CONFIG.substitute(settings))


def assert_same(folder: Path) -> None:
    whole, killed = arrays(folder / "whole.h5"), arrays(folder / "killed.h5")
    assert whole.keys() == killed.keys()
    for name in whole:
        assert whole[name].tobytes() == killed[name].tobytes(), name


@pytest.mark.slow
def test_killed_in_every_stage(tmp_path):
    configure(tmp_path)
    Process(tmp_path, "whole.h5").finish()
    times = random.Random(0)
    stages = [kill_in_training, kill_in_training, kill_in_warmup, kill_in_warmup, kill_in_sampling, kill_in_sampling]
    for number, kill in enumerate(stages):
        kill(Process(tmp_path, "killed.h5", *(["--resume"] if number else [])), times.random())
    Process(tmp_path, "killed.h5", "--resume").finish()
    assert_same(tmp_path)


@pytest.mark.slow
def test_killed_a_hundred_times(tmp_path):
    """Nothing acknowledged is lost; then the run is ended a little later, and compared with one of that length."""
    configure(tmp_path, num_steps=20_000, num_draws=100_000_000)
    path, times = tmp_path / "killed.h5", random.Random(1)
    kills = dict.fromkeys(("none", "training", "sampling"), 0)
    steps = draws = 0
    for _ in range(100):
        process = Process(tmp_path, "killed.h5", "--resume")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.popen.communicate(timeout=times.uniform(0.2, 8.0))
        assert process.popen.poll() is None
        acknowledged = [int(name.split("-")[2].removesuffix(".h5")) for name, _ in process.stamps("seg-*.h5")]
        process.kill()
        kills["sampling" if acknowledged else "training" if process.has("training") else "none"] += 1
        with contextlib.closing(ChainStore(path, mode="resume")) as store:
            assert store.num_draws >= max([draws, *acknowledged])
            saved = store.load_stage("training")
            assert (saved is not None or steps == 0) and (saved is None or len(saved[0]["history_losses"]) >= steps)
            steps, draws = 0 if saved is None else len(saved[0]["history_losses"]), store.num_draws
        assert check(path).problems == ()
    print(f"kills by stage {kills}, {steps} training steps, {draws} draws")
    assert min(kills["training"], kills["sampling"]) >= 10

    configure(tmp_path, num_steps=20_000, num_draws=draws + 110, commit_seconds=1000.0)
    Process(tmp_path, "killed.h5", "--resume").finish()
    Process(tmp_path, "whole.h5").finish()
    assert_same(tmp_path)
