"""A short form of a run, of which nothing is kept: what it tells of the time and the memory of the whole."""

import multiprocessing
import re
import resource
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import paramax
from jaxtyping import Array, Float

from .._blocks import Blocks, default_size
from .._results import CosmoflowError, RunError, Status
from ..config import FlowTable, build_flow, build_sampler
from ..flows import importance_sample, neural_transport
from ..targets import AbstractTarget, drift
from ..training import ReverseKL, default_optimizer, fit
from ..warmup import warmup, whiten
from ..warmup._warmup import default_budget
from ._clock import CompileClock, Stopwatch
from ._environment import configure_jax
from ._evidence import NUM_MOMENTA, NUM_SAMPLES
from ._outcome import best_fit
from ._program import Drawn, Program
from ._run import Purpose, Run

FIRST_STEPS = 50
"""Of a training, by which the others are timed."""

LEAST_GRADIENTS = 400
"""Of a warm-up, below which it tunes nothing."""

DRAWING_SECONDS = 5.0
"""For which it draws, by which a draw is timed."""


class Stage(NamedTuple):
    """A part of a run: its name, how much of what it is, what of that was rehearsed, and its time as a whole [s]."""

    name: str
    amount: int
    unit: str
    rehearsed: int
    seconds: float

    def __str__(self) -> str:
        short = "" if self.rehearsed >= self.amount else f", from {self.rehearsed} of them"
        return f"{self.name}: {duration(self.seconds)} for {self.amount} {self.unit}{short}"


class Gradient(NamedTuple):
    """Value and gradient of the log-density for all chains side by side: seconds, and operations for each chain."""

    seconds: float
    flops: float


@dataclass(frozen=True)
class Rehearsal:
    """What a short form of a run told.

    Attributes:
        run: The run.
        clock: How long was compiled.
        stages: The parts before sampling.
        gradient: What one costs.
        program: What draws.
        drawn: Some draws.
    """

    run: Run
    clock: CompileClock
    stages: tuple[Stage, ...]
    gradient: Gradient
    program: Program
    drawn: Drawn

    @property
    def seconds_per_draw(self) -> float:
        """For one draw of all chains [s]."""
        return self.drawn.seconds / self.drawn.draws

    @property
    def gradients_per_draw(self) -> float:
        """For one draw of one chain."""
        return self.drawn.gradients / (self.drawn.draws * self.run.config.run.num_chains)

    @property
    def seconds(self) -> float:
        """Of the whole run, without compiling."""
        return sum(stage.seconds for stage in self.stages) + self.run.config.run.num_draws * self.seconds_per_draw

    @property
    def compiling(self) -> str:
        """What compiling took of time, and the whole process with it of memory."""
        return f"Compiled: {self.clock.programs} programs in {self.clock.seconds:.1f} s, {peak_memory()} at the peak"

    def __str__(self) -> str:
        run, memory = self.run.config.run, self.program.memory
        sampler = self.program.sampler
        settings = ", ".join(f"{name} {float(getattr(sampler, name)):.3g}" for name in sampler.tunable)
        lines = [
            f"Gradient: {1e3 * self.gradient.seconds:.3g} ms for {run.num_chains} chains side by side, "
            f"{self.gradient.flops / 1e6:.3g} MFLOP each",
            *map(str, self.stages),
            f"Sampler: {type(sampler).__name__}" + (f", {settings}" if settings else ""),
            f"Draws: {1e3 * self.seconds_per_draw:.3g} ms for one of {run.num_chains} chains, of "
            f"{self.gradients_per_draw:.3g} gradients each; {duration(run.num_draws * self.seconds_per_draw)} for "
            f"{run.num_draws}" + (" at most" if self.run.until() else ""),
            f"Memory: {peak_memory()} at the peak, of which a chunk of {self.program.capacity} draws takes "
            + ", ".join(f"{size / 1e6:.3g} MB of {name}" for name, size in memory.items()),
            f"In all: {duration(self.seconds)} and the time of compiling, which later runs do not wait for",
        ]
        return "\n".join(lines)


def rehearse(run: Run, clock: CompileClock, seconds: float) -> Rehearsal:
    """Train and warm up for about so many seconds each, or in full where that takes less; compile a chunk, and draw.

    Args:
        run: The run.
        clock: Made before anything was compiled.
        seconds: Limit of each stage, compiling apart [s].

    Raises:
        RunError: A stage failed, or was stopped.
    """
    config, target, stages = run.config, run.posterior, []
    if (table := config.flow) is not None:
        target, *stages = _train(run, table, clock, seconds)
    starts = jr.normal(run.key(Purpose.WARMUP), (config.run.num_chains, target.dim))
    gradient = _gradient(target, starts)
    budget = config.warmup.max_gradients or default_budget(target.dim)
    affordable = seconds * config.run.num_chains / gradient.seconds
    limit = min(budget, max(LEAST_GRADIENTS, int(affordable)))
    watch, capacity = Stopwatch(clock), config.run.draws_per_call(run.posterior.dim)
    target, sampler, position = warmup(
        target,
        build_sampler(config),
        max_gradients=limit,
        num_chains=config.run.num_chains,
        key=run.key(Purpose.WARMUP),
        block=config.run.block,
        devices=run.devices,
        chunk=capacity,
        stop=run.stop,
        progress=run.progress,
    )
    stages.append(Stage("Warm-up", budget, "gradients", limit, watch.seconds * budget / limit))
    size = config.run.block or default_size(config.run.num_chains)
    blocks = Blocks.arranged(config.run.num_chains, size, target, run.devices)
    program = Program(target, sampler, position, run.key(Purpose.SAMPLING), run.record, capacity, blocks)
    drawn = program.timed(DRAWING_SECONDS)
    best_fit(drawn.chain, run)
    return Rehearsal(run, clock, tuple(stages), gradient, program, drawn)


def rehearse_compiled(run: Run, path: Path, devices: int | None, seconds: float) -> str:
    """What a second rehearsal tells, in a process of its own, which finds its programs compiled as the run will.

    Args:
        run: That of the first.
        path: Its configuration.
        devices: As on the command line.
        seconds: Limit of each stage, compiling apart [s].

    Raises:
        RunError: It was stopped.
        CosmoflowError: Its process ended early.
    """
    spawning = multiprocessing.get_context("spawn")
    answer, question = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_tell, args=(question, path, devices, seconds), daemon=True)
    process.start()
    question.close()
    while not answer.poll(0.2):
        if run.stop():
            process.terminate()
            process.join()
            raise RunError(Status.STOPPED)
    try:
        return answer.recv()
    except EOFError:
        process.join()
        raise CosmoflowError(
            f"The process of the second rehearsal ended with code {process.exitcode} and told nothing; -9 is what one "
            "without memory is killed by."
        ) from None


def _tell(question: Connection, path: Path, devices: int | None, seconds: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process answers it for both
    configure_jax()
    clock, start = CompileClock(), time.monotonic()
    run = Run.prepare(path, output=None, max_time=None, quiet=True, stop=lambda: False, start=start, devices=devices)
    question.send(str(rehearse(run, clock, seconds)))


def _train(run: Run, table: FlowTable, clock: CompileClock, seconds: float) -> tuple[Any, ...]:
    """The posterior in the coordinates of a flow, and the stages up to there."""
    training = run.config.training
    whitened = whiten(run.posterior, key=run.key(Purpose.WHITENING))
    flow = build_flow(table, whitened.dim, run.key(Purpose.FLOW))

    def trained(num_steps: int, schedule: Any) -> Any:
        return fit(
            flow,
            ReverseKL(whitened, training.num_samples),
            num_steps=num_steps,
            optimizer=schedule,
            key=run.key(Purpose.TRAINING),
            devices=run.devices,
            stop=run.stop,
            progress=run.progress,
        )[0]

    schedule = default_optimizer(training.num_steps, training.learning_rate)
    short = min(FIRST_STEPS, training.num_steps)
    watch = Stopwatch(clock)
    model = trained(short, schedule)
    steps = min(training.num_steps, max(short, int(seconds * short / watch.seconds)))
    if steps > short:
        watch = Stopwatch(clock)
        whole = steps == training.num_steps
        model = trained(steps, schedule if whole else default_optimizer(steps, training.learning_rate))
    stages = [Stage("Training", training.num_steps, "steps", steps, watch.seconds * training.num_steps / steps)]
    watch = Stopwatch(clock)
    importance_sample(model, whitened, num_samples=NUM_SAMPLES, num_momenta=NUM_MOMENTA, key=run.key(Purpose.EVIDENCE))
    stages.append(Stage("Evidence", NUM_SAMPLES, "samples", NUM_SAMPLES, watch.seconds))
    return neural_transport(whitened, model), *stages


@eqx.filter_jit
def _value_and_gradient(target: AbstractTarget, positions: Float[Array, "chain dim"]):
    return jax.vmap(jax.value_and_grad(drift(paramax.unwrap(target)).log_density))(positions)


def _gradient(target: AbstractTarget, positions: Float[Array, "chain dim"]) -> Gradient:
    program = cast(Any, _value_and_gradient).lower(target, positions).compile()
    flops = (program.compiled.cost_analysis() or {}).get("flops", jnp.nan)
    jax.block_until_ready(program(target, positions))
    repeats, start = 0, time.perf_counter()
    while repeats < 3 or time.perf_counter() - start < 0.2:
        jax.block_until_ready(program(target, positions))
        repeats += 1
    return Gradient((time.perf_counter() - start) / repeats, flops / len(positions))


def peak_memory() -> str:
    """What the process has held at most, on the host and, where it is apart and told, on its first device."""
    try:  # on Linux; there getrusage gives a process at least what the one had that started it
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        peak = 1024 * int(kilobytes)
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    device = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return f"{peak / 1e9:.2f} GB" + ("" if device is None else f" and {device / 1e9:.2f} GB of the device")


def duration(seconds: float) -> str:
    """In the unit that fits."""
    for limit, unit, length in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"
