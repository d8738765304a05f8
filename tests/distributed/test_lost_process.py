"""A run of the command line in two processes, one of which is killed again and again."""

import os
import random
import signal
import socket
import subprocess
import sys
import time

import h5py
import pytest

from cosmoflow._results import Status
from cosmoflow._status_file import read_status
from cosmoflow.chains import Chain

CONFIG = """
[likelihood.desi_dr2_bao]
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
[warmup]
max_gradients = 4000
[sampler]
kind = "zig_zag"
[run]
seed = 3
num_chains = 8
block = 2
num_draws = $draws
chunk = 25
commit_seconds = 0.001
"""
NUM_KILLS = 20
"""Every fourth of the runs between them is in one process alone."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def start(folder, output, processes, *options):
    """Processes that meet at an address of this machine."""
    address, environment = f"localhost:{free_port()}", os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "cosmoflow", "sample", "run.toml", "--output", output, "--quiet", *options]
    together = ["--coordinator", address, "--num-processes", str(processes), "--wait", "20"]
    return [
        subprocess.Popen(
            command + ([*together, "--process-id", str(index)] if processes > 1 else []),
            cwd=folder, env=environment, stderr=subprocess.PIPE, text=True,
        )
        for index in range(processes)
    ]  # fmt: skip


def start_by_slurm(folder, output, processes, *options):
    """Processes that find each other by what srun tells them."""
    command = [sys.executable, "-m", "cosmoflow", "sample", "run.toml", "--output", output, "--distributed", *options]
    step = {"SLURM_JOB_ID": str(free_port()), "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": str(processes)}
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")} | step
    return [
        subprocess.Popen(
            command, cwd=folder, stderr=subprocess.PIPE, text=True,
            env=environment | {"SLURM_PROCID": str(index), "SLURM_LOCALID": str(index)},
        )
        for index in range(processes)
    ]  # fmt: skip


def finish(processes):
    return [process.communicate(timeout=600)[1] for process in processes], [process.returncode for process in processes]


def arrays(path):
    with h5py.File(path) as file:
        return {
            f"{g}/{n}": file[g][n][()].tobytes()
            for g in ("posterior", "sample_stats", "sampler_state")
            for n in file[g]
        }


def configure(folder, draws, more=""):
    (folder / "run.toml").write_text(CONFIG.replace("$draws", str(draws)) + more)


@pytest.mark.slow
def test_two_processes_write_what_one_does(tmp_path):
    configure(tmp_path, 300)
    for output, launch, processes in (("one.h5", start, 1), ("two.h5", start, 2), ("slurm.h5", start_by_slurm, 2)):
        errors, codes = finish(launch(tmp_path, output, processes))
        assert codes == [0] * processes, errors
        assert arrays(tmp_path / "one.h5") == arrays(tmp_path / output)
        assert not list(tmp_path.glob(f"{output}.*"))


@pytest.mark.slow
def test_processes_take_over_the_flow_of_the_first(tmp_path):
    configure(tmp_path, 100, "[flow]\nnum_maps = 2\nwidth = 8\n[training]\nnum_steps = 100\n")
    for output, processes in (("one.h5", 1), ("two.h5", 2)):
        errors, codes = finish(start(tmp_path, output, processes))
        assert codes == [0] * processes, errors
    assert arrays(tmp_path / "one.h5") == arrays(tmp_path / "two.h5")


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_one_is_killed_while_all_warm_up(tmp_path, victim):
    configure(tmp_path, 300)
    config = tmp_path / "run.toml"
    config.write_text(config.read_text().replace("max_gradients = 4000", "max_gradients = 1_000_000_000"))
    processes, pilots = start(tmp_path, "killed.h5", 2), 0
    while pilots < 10_000:  # gradients, of which what precedes the pilot runs takes fewer
        assert [process.poll() for process in processes] == [None, None]
        time.sleep(0.2)
        told = [read_status(part.with_suffix("")) for part in (tmp_path / "killed.h5.parts").glob("*.h5.segments")]
        pilots = max((one["gradients"] for one in told if one and one["stage"] == "warmup"), default=0)
    processes[victim].send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    _, error = processes[1 - victim].communicate(timeout=60)
    assert time.monotonic() - killed_at < 30
    assert processes[1 - victim].returncode == 75 and "Process" in error and "Traceback" not in error, error
    processes[victim].communicate()


@pytest.mark.slow
def test_processes_agree_when_to_stop(tmp_path):
    configure(tmp_path, 5000, "until_ess = 800.0")
    for output, processes in (("one.h5", 1), ("two.h5", 2)):
        errors, codes = finish(start(tmp_path, output, processes))
        assert codes == [0] * processes, errors
    assert arrays(tmp_path / "one.h5") == arrays(tmp_path / "two.h5")
    chain = Chain.from_file(tmp_path / "two.h5")
    assert chain.status is Status.CONVERGED and chain.num_draws < 5000


@pytest.mark.slow
def test_jobs_that_know_nothing_of_each_other(tmp_path):
    configure(tmp_path, 300)
    finish(start(tmp_path, "one.h5", 1))
    for part in ("1/3", "3/3", "2/3"):
        errors, codes = finish(start(tmp_path, "parts.h5", 1, "--part", part))
        assert codes == [0], errors
    merge = [sys.executable, "-m", "cosmoflow", "merge", "parts.h5"]
    assert (
        "8 chains of 300 draws"
        in subprocess.run(merge, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    )
    assert arrays(tmp_path / "one.h5") == arrays(tmp_path / "parts.h5")


@pytest.mark.slow
def test_one_of_two_processes_is_killed_at_random(tmp_path):
    configure(tmp_path, 30_000)
    began = time.monotonic()
    _, codes = finish(start(tmp_path, "whole.h5", 2))
    assert codes == [0, 0]
    longest = time.monotonic() - began
    chance = random.Random(0)
    kills = 0
    while kills < NUM_KILLS:
        processes = start(tmp_path, "killed.h5", 2, "--resume")
        time.sleep(chance.uniform(0, min(0.9 * longest, 25)))
        victim = chance.randrange(2)
        if processes[victim].poll() is None:
            processes[victim].send_signal(signal.SIGKILL)
            kills += 1
            killed_at = time.monotonic()
            _, error = processes[1 - victim].communicate(timeout=60)
            code, seconds = processes[1 - victim].returncode, time.monotonic() - killed_at
            processes[victim].communicate()
            if code != 0:  # zero: it was done
                assert seconds < 30, f"{seconds:.0f} s"
                assert code == 75 and "cosmoflow: " in error and "Traceback" not in error, error
                assert "Process" in error or "processes of the run came" in error, error
        else:
            finish(processes)
        if kills % 4 == 0:
            for process in start(tmp_path, "killed.h5", 1, "--resume", "--max-time", "12"):
                process.communicate()
                assert process.returncode in (0, 75)
    _, codes = finish(start(tmp_path, "killed.h5", 1, "--resume"))
    assert codes == [0]
    assert arrays(tmp_path / "whole.h5") == arrays(tmp_path / "killed.h5")
