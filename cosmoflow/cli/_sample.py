"""`cosmoflow sample`."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._results import CosmoflowError, RunError, Status
from ._options import ConfigFile, Devices, Force, MaxTime, Output, Quiet, Resume
from ._signals import StopOnSignal

if TYPE_CHECKING:
    from .._team import Team
    from ._clock import CompileClock
    from ._run import Run

REHEARSAL_SECONDS = 180.0
"""Longest time that a stage takes of a rehearsal, compiling apart."""


def sample(
    config: ConfigFile,
    resume: Resume = False,
    force: Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Rehearse: say what it takes, and write nothing.")] = False,
    output: Output = None,
    max_time: MaxTime = None,
    quiet: Quiet = False,
    devices: Devices = None,
    distributed: Annotated[
        bool, typer.Option("--distributed", help="With the other processes of this srun or mpirun.")
    ] = False,
    coordinator: Annotated[
        str | None,
        typer.Option("--coordinator", metavar="HOST:PORT", help="With others, who meet there.", show_default=False),
    ] = None,
    num_processes: Annotated[int | None, typer.Option("--num-processes", min=1, help="How many there are.")] = None,
    process_id: Annotated[int | None, typer.Option("--process-id", min=0, help="Which this one is, from 0.")] = None,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=1, help="How long for the other processes to come.")
    ] = 300.0,
    part: Annotated[
        str | None,
        typer.Option(
            "--part", metavar="I/N", help="As the I-th of N jobs on their own; see merge.", show_default=False
        ),
    ] = None,
) -> None:
    """Draw chains; leave a table and a corner plot."""
    start = time.monotonic()
    explicit = (coordinator, num_processes, process_id)
    if any(given is not None for given in explicit) and None in explicit:
        raise CosmoflowError("--coordinator, --num-processes and --process-id belong together; give all three.")
    together = distributed or coordinator is not None
    if together and part is not None:
        raise CosmoflowError(
            "--part is for jobs on their own, --distributed and --coordinator for several together; give one of them."
        )
    with StopOnSignal() as stop:
        from ._environment import configure_jax

        if dry_run:
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # two processes rehearse on one device
        configure_jax()
        from ._clock import CompileClock

        clock = CompileClock()
        from .._team import Team
        from ._outcome import leave
        from ._processes import draw_part, draw_together, parts_of
        from ._run import Run

        team = Team.join(*explicit, wait=wait) if together else Team.alone()
        failed = False
        try:
            run = Run.prepare(
                config, output=output, max_time=max_time, quiet=quiet or team.index > 0, start=start, devices=devices,
                stop=lambda: stop() or team.lost is not None,
            )  # fmt: skip
            if dry_run:
                run.say(run.description())
                _rehearse(run, clock, config, devices)
                return
            if part is not None:
                return draw_part(run, part, resume=resume, force=force)
            if together or (resume and parts_of(run.config.output)):
                chain = draw_together(run, team, resume=resume, force=force)
            else:
                with run.store(resume=resume, force=force) as store:
                    chain = run.sample(store)
        except Exception as error:
            early = isinstance(error, RunError) and error.status.resumable
            failed = team.failed if early else True
            if team.lost and early:
                raise _ended_by_another(team) from None
            raise
        finally:
            team.leave(failed=failed)
        if chain is None:
            return
        if not chain.status.resumable:
            leave(chain, run)
    if chain.status not in (Status.SUCCESSFUL, Status.CONVERGED):
        raise RunError(chain.status)


def _ended_by_another(team: "Team") -> CosmoflowError:
    if team.failed:
        return CosmoflowError(f"{team.lost}, so this one ended as well; see what that one says.")
    return RunError(Status.LOST, team.lost or "")


def _rehearse(run: "Run", clock: "CompileClock", config: Path, devices: int | None) -> None:
    from ._rehearsal import rehearse, rehearse_compiled

    try:
        print(f"\n{rehearse(run, clock, REHEARSAL_SECONDS).compiling}", flush=True)
        run.say("Once more with what is compiled, as the run will find it...")
        print(rehearse_compiled(run, config, devices, REHEARSAL_SECONDS))
    except RunError as error:
        if error.status.resumable:
            raise CosmoflowError("The rehearsal was stopped; nothing was written.") from error
        raise
