"""`cosmoflow sample`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from .._results import CosmoflowError, RunError, Status
from ._options import ConfigFile, Force, MaxTime, Output, Quiet, Resume
from ._signals import StopOnSignal

if TYPE_CHECKING:
    from ._clock import CompileClock
    from ._run import Run

REHEARSAL_SECONDS = 60.0
"""Longest time that a stage takes of a rehearsal, compiling apart."""


def sample(
    config: ConfigFile,
    resume: Resume = False,
    force: Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Rehearse: say what it takes, and write nothing.")] = False,
    output: Output = None,
    max_time: MaxTime = None,
    quiet: Quiet = False,
) -> None:
    """Draw chains; leave a table and a corner plot."""
    start = time.monotonic()
    with StopOnSignal() as stop:
        from ._environment import configure_jax

        configure_jax()
        from ._clock import CompileClock

        clock = CompileClock()
        from ._report import report
        from ._run import Run

        run = Run.prepare(config, output=output, max_time=max_time, quiet=quiet, stop=stop, start=start)
        if dry_run:
            print(run.description(), flush=True)
            _rehearse(run, clock)
            return
        with run.store(resume=resume, force=force) as store:
            chain = run.sample(store)
        if not chain.status.resumable:
            report(chain, run)
    if chain.status not in (Status.SUCCESSFUL, Status.CONVERGED):
        raise RunError(chain.status)


def _rehearse(run: "Run", clock: "CompileClock") -> None:
    from ._rehearsal import rehearse

    try:
        print(f"\n{rehearse(run, clock, REHEARSAL_SECONDS)}")
    except RunError as error:
        if error.status.resumable:
            raise CosmoflowError("The rehearsal was stopped; nothing was written.") from error
        raise
