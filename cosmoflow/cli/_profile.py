"""`cosmoflow profile`."""

from pathlib import Path
from typing import Annotated

import typer

from .._results import CosmoflowError, RunError
from ._options import ConfigFile, Quiet
from ._signals import StopOnSignal

REHEARSAL_SECONDS = 10.0
"""Longest time of training and of warm-up before, compiling apart."""

CHUNK_SECONDS = 0.5
"""About what one chunk in the trace takes, so that the trace can be looked at."""


def profile(
    config: ConfigFile,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Of the trace [default: CONFIG_trace].", show_default=False)
    ] = None,
    chunks: Annotated[int, typer.Option("--chunks", metavar="N", min=1, help="Compiled calls in the trace.")] = 3,
    quiet: Quiet = False,
) -> None:
    """Trace a few chunks of a run, and say where its time goes."""
    import time

    start = time.monotonic()
    with StopOnSignal() as stop:
        from ._environment import configure_jax

        configure_jax()
        from ._clock import CompileClock

        clock = CompileClock()
        import jax.profiler

        from ._rehearsal import rehearse
        from ._run import Run

        run = Run.prepare(config, output=None, max_time=None, quiet=quiet, stop=stop, start=start)
        folder = Path(f"{config.stem}_trace") if folder is None else folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CosmoflowError(f"{folder} cannot be made ({error.strerror}); name another with --folder.") from error
        try:
            found = rehearse(run, clock, REHEARSAL_SECONDS)
        except RunError as error:
            if error.status.resumable:
                raise CosmoflowError(
                    "The run to be profiled was stopped before there was a trace; give it more time."
                ) from error
            raise
        count = max(2, min(found.program.capacity, int(CHUNK_SECONDS / found.seconds_per_draw)))
        found.program.draw(count)
        with jax.profiler.trace(str(folder), create_perfetto_trace=True):
            drawn = [found.program.draw(count) for _ in range(chunks)]
    seconds, gradients = sum(each.seconds for each in drawn), sum(each.gradients for each in drawn)
    rows = {
        "compiling [s]": f"{clock.seconds:.1f}, {clock.programs} programs",
        "draws in the trace": f"{chunks} x {count}, of {run.config.run.num_chains} chains",
        "one draw of all chains [ms]": f"{1e3 * seconds / (chunks * count):.3g}",
        "gradients per second": f"{gradients / seconds:.4g}",
        "the same, without a sampler": f"{run.config.run.num_chains / found.gradient.seconds:.4g}",
        "operations per second": f"{found.gradient.flops * gradients / seconds / 1e9:.3g} GFLOP",
    }
    print("\n".join(f"{name:<{max(map(len, rows))}}  {value}" for name, value in rows.items()))
    (trace,) = sorted(folder.rglob("perfetto_trace.json.gz"))[-1:]
    print(f"\nThe trace is {trace}: open it at https://ui.perfetto.dev, which reads it in the browser, or")
    print(f"pip install xprof && xprof --logdir {folder}")
