"""SLURM as far as a job script can tell: sbatch, scontrol and srun, and a daemon that runs one job at a time.

Run as `python fake_slurm.py ROLE ARGUMENTS`. All files lie in the folder that FAKE_SLURM names: `jobs`, `requeued` and
`ended` have a line for each event. The daemon sends the signal of `#SBATCH --signal=B:...` to the shell, once, as soon as
a file appears in the job's folder that matches FAKE_SLURM_SIGNAL_AT.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

JOB_ID = "4711"
PATIENCE = 900.0


def install(folder, monkeypatch, signal_at):
    """Put the commands on the PATH; they write into the folder."""
    for role in ("sbatch", "scontrol", "srun"):
        command = folder / role
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(__file__)} {role} "$@"\n')
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(folder))
    monkeypatch.setenv("FAKE_SLURM_SIGNAL_AT", signal_at)


def note(name, text):
    with (Path(os.environ["FAKE_SLURM"]) / name).open("a") as file:
        file.write(f"{text}\n")


def lines(name, folder=None):
    path = Path(folder or os.environ["FAKE_SLURM"]) / name
    return path.read_text().splitlines() if path.exists() else []


def wait_for_end(folder):
    """The exit code of the last launch of the job."""
    deadline = time.monotonic() + PATIENCE
    while not (ended := lines("ended", folder)):
        assert time.monotonic() < deadline, "The job did not end."
        time.sleep(0.02)
    return int(ended[0])


def directives(script):
    """The options in the `#SBATCH` lines, without a value True."""
    options = {}
    for line in Path(script).read_text().splitlines():
        if line.startswith("#SBATCH "):
            for word in shlex.split(line.removeprefix("#SBATCH ")):
                name, _, value = word.removeprefix("--").partition("=")
                options[name] = value or True
    return options


def sbatch(script):
    if "partition" in directives(script) and directives(script)["partition"] == "none":
        sys.exit("sbatch: error: invalid partition specified: none")
    note("jobs", script)
    command = [sys.executable, __file__, "daemon", str(Path(script).resolve())]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen(command, start_new_session=True, **quiet)
    print(f"Submitted batch job {JOB_ID}")


def daemon(script):
    options = directives(script)
    target, _, _ = options["signal"].removeprefix("B:").partition("@")
    number = signal.Signals[f"SIG{target}"]
    nodes, per_node = int(options["nodes"]), int(options["ntasks-per-node"])
    log = Path(options["chdir"]) / options["output"].replace("%j", JOB_ID)
    signalled, restarts = False, 0
    while True:
        environment = os.environ | {
            "SLURM_JOB_ID": JOB_ID,
            "SLURM_JOB_NAME": options["job-name"],
            "SLURM_JOB_NUM_NODES": str(nodes),
            "SLURM_NTASKS": str(nodes * per_node),
            "SLURM_NTASKS_PER_NODE": str(per_node),
            "SLURM_JOB_NODELIST": "localhost",
        }
        if restarts:
            environment["SLURM_RESTART_COUNT"] = str(restarts)
        before = len(lines("requeued"))
        with log.open("a") as output:
            shell = subprocess.Popen(
                ["bash", script], cwd=options["chdir"], env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            while shell.poll() is None:
                if not signalled and any(Path(options["chdir"]).glob(os.environ["FAKE_SLURM_SIGNAL_AT"])):
                    signalled = True
                    shell.send_signal(number)
                time.sleep(0.005)
        if len(lines("requeued")) == before or "requeue" not in options:
            note("ended", shell.returncode)
            return
        restarts += 1


def scontrol(*arguments):
    note("requeued", " ".join(arguments))


def srun(*arguments):
    """All tasks at once, on this machine; signals go to each of them."""
    command = [word for word in arguments if not word.startswith("--cpus-per-task")]
    count = int(os.environ["SLURM_NTASKS"])
    per_node = int(os.environ["SLURM_NTASKS_PER_NODE"])
    tasks = []
    for rank in range(count):
        place = {
            "SLURM_PROCID": rank,
            "SLURM_LOCALID": rank % per_node,
            "SLURM_NODEID": rank // per_node,
            "SLURM_STEP_NUM_TASKS": count,
            "SLURM_STEP_NODELIST": "localhost",
        }
        environment = os.environ | {name: str(value) for name, value in place.items()}
        tasks.append(subprocess.Popen(command, env=environment))
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, lambda number, _: [task.send_signal(number) for task in tasks])
    sys.exit(max(task.wait() for task in tasks))


if __name__ == "__main__":
    role, *given = sys.argv[1:]
    {"sbatch": sbatch, "scontrol": scontrol, "srun": srun, "daemon": daemon}[role](*given)
