"""`cosmoflow submit`."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError
from ._options import ConfigFile, Output
from ._slurm import LEAD, Job, read_time


class SubmitError(CosmoflowError):
    """A job could not be written or submitted."""


def _option(flag: str, text: str, metavar: str | None = None, least: int | None = None):
    return typer.Option(flag, help=text, metavar=metavar, min=least, show_default=False)


def submit(
    config: ConfigFile,
    time: Annotated[
        str, typer.Option("--time", metavar="TIME", help="What a job may take, as in 4:00:00.")
    ] = "4:00:00",
    partition: Annotated[str | None, _option("--partition", "The partition.", "NAME")] = None,
    account: Annotated[str | None, _option("--account", "Who pays.", "NAME")] = None,
    gpus: Annotated[int | None, _option("--gpus", "GPUs of each node.", "N", 1)] = None,
    cpus: Annotated[int | None, _option("--cpus", "Cores of each process.", "N", 1)] = None,
    memory: Annotated[str | None, _option("--memory", "Memory of each node, as in 16G.", "SIZE")] = None,
    nodes: Annotated[int, typer.Option("--nodes", metavar="N", min=1, help="Computers.")] = 1,
    tasks: Annotated[int, typer.Option("--tasks", metavar="N", min=1, help="Processes on each node.")] = 1,
    setup: Annotated[
        list[str] | None,
        _option("--setup", "A shell command to begin with, as in 'module load cuda'; may be repeated."),
    ] = None,
    option: Annotated[
        list[str] | None, _option("--option", "One more of sbatch, as in --option=--constraint=a100; may be repeated.")
    ] = None,
    requeues: Annotated[
        int, typer.Option("--requeues", metavar="N", min=0, help="How often a job that is not done comes back.")
    ] = 20,
    output: Output = None,
    script: Annotated[Path | None, _option("--script", "The job script [default: like the chain, .sh].")] = None,
    run: Annotated[bool, typer.Option("--run", help="Submit it, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the script that is there.")] = False,
) -> None:
    """Write a SLURM job that samples, and goes on by itself when its time is over."""
    from ..config import load

    settings = load(config, output=None if output is None else str(output))
    try:
        seconds = read_time(time)
    except ValueError as error:
        raise SubmitError(f"--time: {error}.") from error
    lead = min(LEAD, seconds // 4)
    budget = min(seconds - lead, settings.run.max_time or seconds)
    job = Job(
        name=settings.output.stem,
        command=[
            *(sys.executable, "-m", "cosmoflow", "sample", str(config)),
            *("--output", str(settings.output), "--max-time", f"{budget:g}", "--resume"),
            *(["--distributed"] if nodes * tasks > 1 else []),
        ],
        folder=Path.cwd(),
        seconds=seconds,
        lead=lead,
        requeues=requeues,
        nodes=nodes,
        tasks=tasks,
        cpus=cpus,
        gpus=gpus,
        memory=memory,
        partition=partition,
        account=account,
        options=option or (),
        setup=setup or (),
    )
    path = settings.output.with_suffix(".sh") if script is None else script
    _write(path, job.script(), force=force)
    if run:
        print(f"{_sbatch(path)}; its log is {job.log}, its script {path}")
    else:
        print(f"The job is in {path}; to submit it: sbatch {shlex.quote(str(path))}")


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise SubmitError(f"{path} is there already; submit it with sbatch, or replace it with --force.") from error
    except OSError as error:
        raise SubmitError(f"{path} cannot be written ({error.strerror}); name another with --script.") from error


def _sbatch(path: Path) -> str:
    """Hand a script to SLURM; what it answers, in one line."""
    try:
        answer = subprocess.run(["sbatch", str(path)], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SubmitError(
            f"There is no sbatch here, so {path} is written but not submitted; submit it on a machine of the cluster."
        ) from error
    if answer.returncode != 0:
        reason = " ".join(answer.stderr.split()).rstrip(".") or f"exit code {answer.returncode}"
        raise SubmitError(f"sbatch refused {path} ({reason}); correct it, and submit it with sbatch.")
    return answer.stdout.strip()
