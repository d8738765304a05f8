"""Jobs of SLURM: the script, its submission, and its life under a feigned SLURM."""

import subprocess
import sys

import pytest
from cli import fake_slurm
from cli.test_sample import assert_identical

from cosmoflow.chains import Chain
from cosmoflow.cli._slurm import Job, read_time

STEP = """#!/bin/bash
# In place of Python: a launch that is asked to stop, and one that ends.
trap 'exit 75' USR1
trap 'exit 75' TERM
echo "$@" >> called
echo "${SLURM_PROCID:-none} of $SLURM_NTASKS, restart ${SLURM_RESTART_COUNT:-0}" >> places
[ -n "$SLURM_RESTART_COUNT" ] && exit CODE
until [ "$(wc -l < places)" -ge "$SLURM_NTASKS" ]; do sleep 0.01; done
touch started
for _ in $(seq 1000); do sleep 0.01; done
exit 1
"""


@pytest.fixture
def slurm(tmp_path_factory, monkeypatch):
    """The folder of a feigned SLURM."""
    folder = tmp_path_factory.mktemp("slurm")
    fake_slurm.install(folder, monkeypatch, signal_at="started")
    return folder


@pytest.fixture
def step(folder, monkeypatch):
    """In place of the Python that a job starts, a script that ends its second launch with this code."""

    def prepare(code):
        path = folder / "python"
        path.write_text(STEP.replace("CODE", str(code)))
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return prepare


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 1800), ("30:10", 1810), ("4:00:00", 14400), ("1-12", 129600), ("1-12:30", 131400), ("0-0:00:01", 1)],
)
def test_times(text, seconds):
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "4h", "0", "-1", "1:2:3:4", "4:00:00.5"])
def test_no_times(text):
    with pytest.raises(ValueError, match="4:00:00"):
        read_time(text)


def test_what_is_asked_for_is_in_the_script(folder, cosmoflow):
    asked = [
        "--time",
        "1-2:00:00",
        "--partition",
        "gpu",
        "--account",
        "me",
        "--gpus",
        "4",
        "--cpus",
        "8",
        "--tasks",
        "4",
    ]
    more = ["--nodes", "2", "--memory", "64G", "--setup", "module load cuda", "--option=--constraint=a100"]
    ended = cosmoflow("submit", "bao.toml", *asked, *more, "--output", "a b.h5", "--script", "job.sh")
    assert (ended.code, ended.err) == (0, "") and "sbatch job.sh" in ended.out
    options = fake_slurm.directives("job.sh")
    assert options == {
        "job-name": "a b", "chdir": str(folder), "output": "a b-%j.log", "open-mode": "append", "time": "26:00:00",
        "signal": "B:USR1@300", "nodes": "2", "ntasks-per-node": "4", "cpus-per-task": "8", "gpus-per-node": "4",
        "mem": "64G", "partition": "gpu", "account": "me", "requeue": True, "constraint": "a100",
    }  # fmt: skip
    text = (folder / "job.sh").read_text()
    assert "\nmodule load cuda\n" in text
    assert "srun --cpus-per-task=8 " in text and "'a b.h5' --max-time 93300 --resume --distributed &" in text
    assert subprocess.run(["bash", "-n", "job.sh"]).returncode == 0


def test_one_process_needs_no_srun(folder, cosmoflow):
    assert cosmoflow("submit", "bao.toml", "--time", "10").code == 0
    text = (folder / "bao.sh").read_text()
    assert f"\n{sys.executable} -m cosmoflow sample bao.toml" in text and "\nsrun " not in text
    assert fake_slurm.directives("bao.sh")["signal"] == "B:USR1@150" and "--max-time 450 " in text


def test_a_shorter_budget_of_the_run_stays(folder, cosmoflow):
    config = folder / "bao.toml"
    config.write_text(config.read_text() + "max_time = 60.0\n")
    assert cosmoflow("submit", "bao.toml").code == 0
    assert "--max-time 60 " in (folder / "bao.sh").read_text()


def test_bad_input(folder, cosmoflow, slurm):
    assert cosmoflow("submit", "bao.toml", "--time", "4h").is_one_sentence("--time", "'4h'", "4:00:00")
    assert cosmoflow("submit", "no.toml").is_one_sentence("no.toml")
    assert not list(folder.glob("*.sh"))
    assert cosmoflow("submit", "bao.toml").code == 0
    refused = cosmoflow("submit", "bao.toml")
    assert refused.code == 2 and refused.is_one_sentence("bao.sh", "--force")
    refused = cosmoflow("submit", "bao.toml", "--run", "--force", "--partition", "none")
    assert refused.code == 2 and refused.is_one_sentence("sbatch refused bao.sh", "invalid partition specified")
    assert not (slurm / "jobs").exists()


def test_without_sbatch(folder, cosmoflow, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    refused = cosmoflow("submit", "bao.toml", "--run")
    assert refused.code == 2 and refused.is_one_sentence("no sbatch", "bao.sh")
    assert (folder / "bao.sh").exists()


@pytest.mark.parametrize("code", [0, 2])
def test_a_job_comes_back_until_it_is_done(folder, cosmoflow, slurm, step, code):
    step(code)
    ended = cosmoflow("submit", "bao.toml", "--run")
    assert ended.code == 0 and ended.out.startswith(f"Submitted batch job {fake_slurm.JOB_ID}")
    assert fake_slurm.wait_for_end(slurm) == code
    assert (slurm / "requeued").read_text() == f"requeue {fake_slurm.JOB_ID}\n"
    command = "-m cosmoflow sample bao.toml --output bao.h5 --max-time 14100 --resume\n"
    assert (folder / "called").read_text() == 2 * command
    assert (folder / "places").read_text() == "none of 1, restart 0\nnone of 1, restart 1\n"


def test_every_task_is_asked_to_stop(folder, cosmoflow, slurm, step):
    step(0)
    assert cosmoflow("submit", "bao.toml", "--run", "--nodes", "2").code == 0
    assert fake_slurm.wait_for_end(slurm) == 0
    places = [f"{rank} of 2, restart {restart}" for restart in (0, 1) for rank in (0, 1)]
    assert sorted((folder / "places").read_text().splitlines()) == sorted(places)
    assert len(fake_slurm.lines("requeued", slurm)) == 1


def test_a_job_does_not_come_back_for_ever(folder, cosmoflow, slurm, step):
    step(75)
    assert cosmoflow("submit", "bao.toml", "--run", "--requeues", "2").code == 0
    assert fake_slurm.wait_for_end(slurm) == 75
    assert len(fake_slurm.lines("requeued", slurm)) == 2
    assert "came back 2 times" in (folder / f"bao-{fake_slurm.JOB_ID}.log").read_text()


def test_a_cancelled_job_stays_away(folder, cosmoflow, slurm, step):
    """SIGTERM comes in the place of SIGUSR1, as from scancel."""
    step(0)
    assert cosmoflow("submit", "bao.toml").code == 0
    script = folder / "bao.sh"
    script.write_text(script.read_text().replace("--signal=B:USR1", "--signal=B:TERM"))
    subprocess.run(["sbatch", "bao.sh"], check=True)
    assert fake_slurm.wait_for_end(slurm) == 75
    assert not (slurm / "requeued").exists()


def test_job_names_with_spaces_are_one_word():
    script = Job("a b", ["echo", "c d"], folder=fake_slurm.Path("/tmp/e f"), seconds=600).script()
    assert "--job-name='a b'" in script and "echo 'c d' &" in script


@pytest.mark.slow
def test_a_real_run_under_slurm_equals_an_uninterrupted_one(folder, cosmoflow, slurm, monkeypatch):
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace("num_draws = 300", "num_draws = 6_000"))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder / "xla"))
    monkeypatch.setenv("FAKE_SLURM_SIGNAL_AT", "bao.h5.segments/seg-*.h5")
    assert cosmoflow("submit", "bao.toml", "--run").code == 0
    assert fake_slurm.wait_for_end(slurm) == 0
    log = (folder / f"bao-{fake_slurm.JOB_ID}.log").read_text()
    assert "SIGUSR1 came" in log and "To go on: `cosmoflow sample bao.toml" in log and "The run is complete." in log
    assert fake_slurm.lines("requeued", slurm) == [f"requeue {fake_slurm.JOB_ID}"]
    assert Chain.from_file("bao.h5").num_draws == 6_000
    assert cosmoflow("sample", "bao.toml", "--quiet", "--output", "whole.h5").code == 0
    assert_identical("bao.h5", "whole.h5")
