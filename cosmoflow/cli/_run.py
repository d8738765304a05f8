"""One run of the command line: from a configuration to a trained flow and a chain."""

import enum
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._chunk import check_start
from .._record import Record
from .._results import StoreError
from .._sample import sample
from .._status_file import status_path
from .._team import Team
from .._types import Device, Key
from ..chains import Chain, ChainStore, part_path, parts_of, remove_parts
from ..chains._labels import default_label
from ..config import (
    Config,
    FlowTable,
    build_flow,
    build_posterior,
    build_record,
    build_sampler,
    identity,
    load,
    prior_bounds,
    resolved_toml,
)
from ..diagnostics import Converged
from ..flows import HamiltonianFlow, neural_transport
from ..targets import AbstractTarget, Posterior, Pullback
from ..training import ReverseKL, default_optimizer, fit
from ..warmup import Warmed, warmup, whiten
from ._environment import devices_in_use, set_precision
from ._evidence import evidence
from ._provenance import provenance


class Purpose(enum.IntEnum):
    """What a stream of random numbers is for; the numbers are part of every chain that was ever made."""

    WHITENING = 0
    FLOW = 1
    TRAINING = 2
    EVIDENCE = 3
    WARMUP = 4
    SAMPLING = 5


@dataclass(frozen=True)
class Run:
    """A checked configuration and what was built from it.

    Attributes:
        config: The configuration.
        posterior: The posterior that it describes.
        record: What is kept of each draw.
        central_log_density: Its value at the centre of the prior.
        progress: Whether to say what is going on.
        stop: Asked between chunks.
        devices: That compute; all of this process where it is None.
        start: When the command was started, by the monotonic clock [s].
    """

    config: Config
    posterior: Posterior
    record: Record
    central_log_density: float
    progress: bool
    stop: Callable[[], bool]
    start: float
    devices: Sequence[Device] | None = None

    @classmethod
    def prepare(
        cls,
        path: Path,
        *,
        output: Path | None,
        max_time: float | None,
        quiet: bool,
        stop: Callable[[], bool],
        start: float,
        devices: int | None = None,
    ) -> "Run":
        """Read a configuration, build its posterior and evaluate it once.

        Raises:
            ConfigError: The configuration cannot be used.
            StartError: The log-density is not finite at the centre of the prior.
        """
        config = load(path, output=None if output is None else str(output), max_time=max_time, devices=devices)
        set_precision(config.run.precision)
        chosen = devices_in_use(config.run.devices)
        posterior = build_posterior(config)
        record = build_record(config, posterior)
        value = eqx.filter_jit(Posterior.log_density)(posterior, jnp.zeros(posterior.dim))
        check_start(posterior, jnp.zeros((1, posterior.dim)), value[None])
        return cls(config, posterior, record, float(value), not quiet, stop, start, chosen)

    def say(self, text: object) -> None:
        """Print, unless the run is quiet."""
        if self.progress:
            print(text, flush=True)

    def key(self, purpose: Purpose) -> Key:
        """The random key for a purpose."""
        return jr.fold_in(jr.key(self.config.run.seed), purpose)

    def time_left(self) -> float | None:
        """What remains of the time budget [s], which covers the whole command."""
        budget = self.config.run.max_time
        return None if budget is None else budget - (time.monotonic() - self.start)

    def until(self) -> Converged | None:
        """The stop criterion, where the configuration has one."""
        run = self.config.run
        given = {"ess": run.until_ess, "rhat": run.until_rhat}
        given = {name: value for name, value in given.items() if value is not None}
        return Converged(**given) if given else None

    def description(self) -> str:
        """The resolved configuration, the parameters, and the log-density at the centre of the prior."""
        names = self.posterior.prior.names
        return (
            f"{resolved_toml(self.config)}\n{self.posterior.dim} dimensions, parameters {', '.join(names)}\n"
            f"log-density at the centre of the prior {self.central_log_density:.6g}"
        )

    @contextmanager
    def store(self, *, resume: bool, force: bool, part: range | None = None) -> Iterator[ChainStore]:
        """The store of the run, or of some of its chains, identified and described.

        Raises:
            StoreError: The output is there and neither `resume` nor `force` is set, or it belongs to another run, or
                it cannot be written.
        """
        path = self.config.output if part is None else part_path(self.config.output, part)
        if part is None:
            self.check_output(resume=resume, force=force)
        text = resolved_toml(self.config)
        ends = prior_bounds(self.config)
        bounds = {name: [end if np.isfinite(end) else None for end in pair] for name, pair in ends.items()}
        description = {
            "configuration": text,
            "configuration_file": str(self.config.source),
            "configuration_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "seed": str(self.config.run.seed),
            "labels": json.dumps({name: default_label(name) for name in self.posterior.prior.names}),
            "bounds": json.dumps(bounds),
            **provenance(),
        }
        with ChainStore(path, mode="resume" if resume else "overwrite" if force else "create") as store:
            store.identify(identity(self.config))
            store.annotate(description)
            if force and part is None:
                self.discard_parts()
            if store.load_group("observed_data") is None:
                observed = self.posterior.likelihood.observed_data()
                store.save_group("observed_data", {name: np.asarray(data) for name, data in observed.items()})
            yield store

    def check_output(self, *, resume: bool, force: bool) -> None:
        """Refuse a run that would replace another.

        Raises:
            StoreError: Both `resume` and `force` are set, or the output is there and neither is.
        """
        path = self.config.output
        if resume and force:
            raise StoreError(f"--resume goes on with {path} and --force replaces it; give one of them.")
        there = path.exists() or path.with_name(f"{path.name}.segments").exists() or parts_of(path)
        if there and not (resume or force):
            raise StoreError(f"{path} already holds a run; go on with --resume, or replace it with --force.")

    def discard_parts(self) -> None:
        """Remove the parts of the run that several processes have drawn."""
        for chains in parts_of(self.config.output):
            status_path(part_path(self.config.output, chains)).unlink(missing_ok=True)
        remove_parts(self.config.output)

    def train(self, store: ChainStore, table: FlowTable) -> tuple[Pullback, HamiltonianFlow]:
        """The whitened posterior, and a flow trained on it; what the flow knows of the evidence is said and stored.

        Raises:
            RunError: The training failed, or was stopped or ran out of time.
        """
        training = self.config.training
        whitened = whiten(self.posterior, key=self.key(Purpose.WHITENING), store=store)
        flow = build_flow(table, whitened.dim, self.key(Purpose.FLOW))
        flow, history = fit(
            flow,
            ReverseKL(whitened, training.num_samples),
            num_steps=training.num_steps,
            optimizer=default_optimizer(training.num_steps, training.learning_rate),
            key=self.key(Purpose.TRAINING),
            store=store,
            devices=self.devices,
            checkpoint_seconds=self.config.run.commit_seconds,
            max_time=self.time_left(),
            stop=self.stop,
            progress=self.progress,
        )
        found = evidence(flow, whitened, key=self.key(Purpose.EVIDENCE), store=store)
        self.say(f"Trained in {history.seconds:.0f} s\n{found}")
        return whitened, flow

    def target(self, store: ChainStore) -> AbstractTarget:
        """The posterior, or where there is a flow, what the trained flow makes of it.

        Raises:
            RunError: The training failed, or was stopped or ran out of time.
        """
        if (table := self.config.flow) is None:
            return self.posterior
        return neural_transport(*self.train(store, table))

    def ready(self, store: ChainStore, team: Team | None = None) -> Warmed:
        """Train the flow if there is one, and warm up: the target, the sampler and where the chains start.

        Args:
            store: Where the training is, and what is found is committed.
            team: The processes that share the warm-up; this one alone where it is None.

        Raises:
            StartError: A chain cannot start where it was put.
            RunError: The training failed, or training or warm-up was stopped or ran out of time.
        """
        run = self.config.run
        return warmup(
            self.target(store),
            build_sampler(self.config),
            max_gradients=self.config.warmup.max_gradients,
            num_chains=run.num_chains,
            key=self.key(Purpose.WARMUP),
            store=store,
            block=run.block,
            devices=self.devices,
            team=team,
            chunk=run.draws_per_call(self.posterior.dim),
            max_time=self.time_left(),
            stop=self.stop,
            progress=self.progress,
        )

    def sample(self, store: ChainStore, *, chains: range | None = None, num_draws: int | None = None) -> Chain:
        """Get ready, and draw.

        Args:
            store: Where everything is committed.
            chains: Those that this process draws, until they have `num_draws`; all, and as the configuration says until
                when, where it is None.
            num_draws: Draws of each chain; as configured where it is None.

        Raises:
            StartError: A chain cannot start where it was put.
            RunError: The training failed, or training or warm-up was stopped or ran out of time.
        """
        run = self.config.run
        target, sampler, position = self.ready(store)
        return sample(
            target,
            sampler,
            num_draws=num_draws or run.num_draws,
            num_chains=run.num_chains,
            key=self.key(Purpose.SAMPLING),
            position=position,
            record=self.record,
            store=store,
            block=run.block,
            chains=chains,
            devices=self.devices,
            chunk=run.draws_per_call(self.posterior.dim),
            commit_seconds=run.commit_seconds,
            commit_bytes=run.commit_bytes,
            max_time=self.time_left(),
            stop=self.stop,
            until=self.until() if chains is None else None,
            progress=self.progress,
            throw=False,
        )
