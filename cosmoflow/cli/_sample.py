"""`cosmoflow sample`."""

import time
from typing import Annotated

import typer

from .._results import RunError, Status
from ._options import ConfigFile, Force, MaxTime, Output, Quiet, Resume
from ._signals import StopOnSignal


def sample(
    config: ConfigFile,
    resume: Resume = False,
    force: Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show the run, and write nothing.")] = False,
    output: Output = None,
    max_time: MaxTime = None,
    quiet: Quiet = False,
) -> None:
    """Draw chains; leave a table and a corner plot."""
    start = time.monotonic()
    with StopOnSignal() as stop:
        from ._environment import configure_jax

        configure_jax()
        from ._outcome import leave
        from ._run import Run

        run = Run.prepare(config, output=output, max_time=max_time, quiet=quiet, stop=stop, start=start)
        if dry_run:
            print(run.description())
            return
        with run.store(resume=resume, force=force) as store:
            chain = run.sample(store)
        if not chain.status.resumable:
            leave(chain, run)
    if chain.status not in (Status.SUCCESSFUL, Status.CONVERGED):
        raise RunError(chain.status)
