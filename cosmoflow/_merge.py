"""One chain from the parts that several processes have drawn."""

from collections.abc import Sequence
from pathlib import Path

from ._results import Status
from ._verdict import FAILED, judge, total
from .chains import Chain, has_slab, join, join_slabs, side_by_side
from .diagnostics import Monitor, symptom

FEW = 64
"""Numbers of a variable above which it is not looked at."""


def merge(
    parts: Sequence[str | Path], path: str | Path, *, overwrite: bool = False, converged: bool | None = None
) -> Chain:
    """Join the parts of a run, each of some of its chains, to the chain that one process would have drawn.

    Slabs of a field that lay over several processes are joined likewise, a slab at a time, so that the whole need not
    fit into memory. The whole then has no state of the sampler; to go on, keep the parts.

    Args:
        parts: Their finished files, in any order: what `sample(..., chains=..., store=...)` left, or each process of a
            `SlabGrid` over several.
        path: The file of the whole chain.
        overwrite: Whether a run that is there may be replaced.
        converged: Whether the parts reached a stop criterion together; None where there was none.

    Returns:
        The whole chain; how it ended is judged from all its draws. Of slabs, what has few numbers.

    Raises:
        StoreError: A part is not finished, belongs to another run or has other draws than the first, chains are missing
            or there twice, or the file is there already or cannot be written.
    """
    files = [Path(part) for part in parts]
    slabs = has_slab(files[0])
    read = [Chain.from_file(part, max_size=FEW) for part in (files[:1] if slabs else files)]
    sound = {None: Status.SUCCESSFUL, True: Status.CONVERGED, False: Status.NOT_CONVERGED}[converged]
    joined = join_slabs if slabs else join
    joined(files, Path(path), attributes={"status": _verdict(read, sound).name}, overwrite=overwrite)
    return Chain.from_file(path, max_size=FEW if slabs else None)


def _verdict(parts: Sequence[Chain], sound: Status) -> Status:
    """How a run ended, from the statistics of all its chains."""
    whole = side_by_side(parts)
    status = judge(total(whole.sample_stats), whole.num_chains * whole.num_draws, sound)
    if status in FAILED:
        return status
    monitor = Monitor(whole.num_chains)
    monitor.update(whole.posterior, whole.sample_stats)
    found = symptom(monitor.draws())
    return found[0] if found else status
