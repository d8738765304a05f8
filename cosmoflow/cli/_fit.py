"""`cosmoflow fit`."""

import time

from .._results import Status
from .._status_file import read_status, write_status
from ._options import ConfigFile, Devices, Force, MaxTime, Output, Quiet, Resume
from ._signals import StopOnSignal


def fit(
    config: ConfigFile,
    resume: Resume = False,
    force: Force = False,
    output: Output = None,
    max_time: MaxTime = None,
    quiet: Quiet = False,
    devices: Devices = None,
) -> None:
    """Train the flow alone; sample --resume goes on."""
    start = time.monotonic()
    with StopOnSignal() as stop:
        from ._environment import configure_jax

        configure_jax()
        from ..config import ConfigError
        from ._run import Run

        run = Run.prepare(
            config, output=output, max_time=max_time, quiet=quiet, stop=stop, start=start, devices=devices
        )
        if (table := run.config.flow) is None:
            raise ConfigError(config, "flow is missing, so there is none to train; add the table [flow]")
        with run.store(resume=resume, force=force) as store:
            run.train(store, table)
            begun = store.num_draws > 0
        trained = {"stage": "stopped", "status": Status.STOPPED.name, "message": "The flow is trained."}
        if not begun:
            write_status(run.config.output, (read_status(run.config.output) or {}) | trained)
    run.say(f"The flow is committed; to draw: cosmoflow sample {config} --output {run.config.output} --resume")
