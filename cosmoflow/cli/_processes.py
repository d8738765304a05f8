"""A run in several processes: which chains each of them draws, and how the parts become one chain."""

import re
from collections.abc import Iterator, Sequence

from .._blocks import default_size
from .._blocks import shares as divided
from .._merge import FEW, merge
from .._results import CosmoflowError, RunError, Status, StoreError
from .._status_file import write_status
from .._team import Team
from .._verdict import FAILED
from ..chains import Chain, ChainStore, arrange_parts, inherit, num_draws_at, part_path, parts_of, side_by_side, tasks
from ..config import Config, ConfigError
from ..diagnostics import Monitor, next_check
from ..training._fit import STAGE as TRAINING
from ..warmup import STAGE as WARMUP
from ._run import Run

_PART = re.compile(r"([1-9]\d*)/([1-9]\d*)")


def shares(config: Config, count: int) -> list[range]:
    """The chains of each process: whole blocks, as evenly as they go.

    Raises:
        ConfigError: There are fewer blocks than processes.
    """
    num_chains, block = config.run.num_chains, config.run.block or default_size(config.run.num_chains)
    num_blocks = num_chains // block
    if num_blocks < count:
        raise ConfigError(
            config.source,
            f"run.num_chains is {num_chains}, in blocks of {block}, too few for {count} processes; set a smaller "
            "run.block, or start fewer processes",
        )
    return divided(num_chains, block, count)


def draw_part(run: Run, part: str, *, resume: bool, force: bool) -> None:
    """Draw the chains of one of several jobs that know nothing of each other; `part` is such as "2/8".

    Raises:
        RunError: It was stopped, ran out of time, or went wrong.
        StoreError: The part is there already, and neither `resume` nor `force` is set, or some of its chains are in
            another one.
    """
    if not (match := _PART.fullmatch(part)) or int(match[1]) > int(match[2]):
        raise CosmoflowError(f"--part is {part!r}, but must be such as 2/8: the second of eight jobs; correct it.")
    if run.until() is not None:
        raise ConfigError(
            run.config.source, "run.until_ess and run.until_rhat need all chains; leave them out for --part"
        )
    output = run.config.output
    chains = shares(run.config, int(match[2]))[int(match[1]) - 1]
    path = part_path(output, chains)
    for other in parts_of(output):
        if other != chains and set(other) & set(chains):
            raise StoreError(
                f"{part_path(output, other)} has some of the chains of --part {part} too; give --part of as many jobs "
                "as before, or remove the old parts."
            )
    if chains in parts_of(output) and not (resume or force):
        raise StoreError(f"{path} is there already; go on with --resume, or replace it with --force.")
    path.parent.mkdir(exist_ok=True)
    status = _draw(run, chains, run.config.run.num_draws, force=force)
    if status in FAILED:
        raise RunError(status, str(path))
    run.say(f"{path} holds {len(chains)} of the chains; once all parts are there: cosmoflow merge {output}")


def draw_together(run: Run, team: Team, *, resume: bool, force: bool) -> Chain | None:
    """Draw all chains with the other processes; the first one returns them.

    Raises:
        RunError: The run was stopped, ran out of time, or a part of it went wrong, here or in another process.
    """
    output, wanted = run.config.output, shares(run.config, team.count)
    if team.index == 0:
        run.check_output(resume=resume, force=force)
        if force:
            discard(run)
        arrange_parts(output, wanted)
        output.with_name(f"{output.name}.parts").mkdir(exist_ok=True)
    team.meet()
    own = tasks(output, wanted[team.index])
    _warm_up(run, team, own[0])
    reached = max(team.meet(max(num_draws_at(part_path(output, chains)) for chains in own)))
    converged = None if run.until() is None else False
    for num_draws in _stops(run, reached):
        for chains in own:
            _draw(run, chains, num_draws)
        if run.until() is not None and (converged := _converged(run, team, own, num_draws)):
            break
    parts = [part for others in team.meet(own, last=True) for part in others]
    if team.index:
        return None
    chain = merge([part_path(output, part) for part in parts], output, overwrite=True, converged=converged)
    run.discard_parts()
    write_status(output, {"stage": "finished", "status": chain.status.name, "message": chain.status.value})
    return chain


def discard(run: Run) -> None:
    """Remove what there is of a run."""
    with ChainStore(run.config.output, mode="overwrite") as store:
        store.abandon()
    run.discard_parts()


def _warm_up(run: Run, team: Team, chains: range) -> None:
    """Warm up with the other processes; the first, which trains the flow if there is one, keeps what is found."""
    with run.store(resume=True, force=False, part=chains) as store:
        if team.index == 0:
            run.target(store)
        first, *_ = team.meet(chains)
        if team.index and run.config.flow is not None and store.load_stage(TRAINING) is None:
            inherit(store, part_path(run.config.output, first), TRAINING)
        run.ready(store, team)


def _draw(run: Run, chains: range, num_draws: int, *, force: bool = False) -> Status:
    """Draw some of the chains until there are so many draws, from what another process has found to start from.

    Raises:
        RunError: There are fewer.
    """
    with run.store(resume=not force, force=force, part=chains) as store:
        if store.load_stage(WARMUP) is None:
            others = (part_path(run.config.output, other) for other in parts_of(run.config.output) if other != chains)
            any(inherit(store, other, WARMUP) for other in others)
        status = run.sample(store, chains=chains, num_draws=num_draws).status
        if store.num_draws < num_draws:
            raise RunError(status)
    return status


def _stops(run: Run, reached: int) -> Iterator[int]:
    """After how many draws the processes look whether they may stop, where some have `reached` so many."""
    last = max(run.config.run.num_draws, reached)
    check = next_check(max(reached - 1, 0))
    while run.until() is not None and check < last:
        yield check
        check = next_check(check)
    yield last


def _converged(run: Run, team: Team, own: Sequence[range], num_draws: int) -> bool:
    """Whether so many draws of all chains together fulfil the stop criterion."""
    read = {part.start: Chain.from_file(part_path(run.config.output, part), max_size=FEW) for part in own}
    told = team.meet({start: Chain(part.posterior, part.sample_stats) for start, part in read.items()})
    parts = {start: part for others in told for start, part in others.items()}
    whole = side_by_side([parts[start] for start in sorted(parts)], num_draws)
    monitor = Monitor(run.config.run.num_chains, exact=True)
    monitor.update(whole.posterior, whole.sample_stats)
    until = run.until()
    return until is not None and until.holds(*monitor.worst())
