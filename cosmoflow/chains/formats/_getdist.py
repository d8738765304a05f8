"""GetDist: samples in memory, and its text files, which CosmoMC and Cobaya write too.

`root_1.txt`, `root_2.txt`, ... hold rows of weight, -log posterior, parameters; `root.paramnames` names and LaTeX,
`root.ranges` where priors end.
Cobaya's `root.1.txt`, ... name their columns in a first line `# weight minuslogpost ...` instead.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..._results import StoreError
from .._chain import Chain
from ._columns import columns_of
from ._foreign import expanded, foreign_chain, rectangular
from ._text import chain_files, numbered, read_table, read_text, root_of, table_lines, write_lines

if TYPE_CHECKING:
    from getdist import MCSamples

KIND = "getdist"
_STATISTICS = ("minuslogprior", "chi2")
"""Columns of Cobaya that say something of a draw and are no parameters."""

_ENDLESS = "N"
"""What stands for an end of a prior that is none."""


def to_getdist(chain: Chain, parameters: Sequence[str] | None = None) -> "MCSamples":
    """The draws as GetDist samples; see `Chain.to_getdist`."""
    try:
        from getdist import MCSamples, chains
    except ImportError as error:
        raise ImportError("GetDist is not installed; install cosmoflow with the extra 'plot'.") from error

    scalars = chain.scalars(parameters)
    draws = np.stack(list(scalars.values()), axis=-1).astype(float)
    log_density = chain.sample_stats.get("lp")
    if np.any(np.ptp(draws[0], axis=0) == 0):  # GetDist would leave out what does not move in the first of its chains
        draws = draws.reshape(1, -1, draws.shape[-1])
        log_density = None if log_density is None else log_density.reshape(1, -1)
    printing, chains.print_load_details = chains.print_load_details, False
    try:
        return MCSamples(
            samples=list(draws),
            loglikes=None if log_density is None else list(-log_density),
            names=list(scalars),
            labels=[chain.label(name) for name in scalars],
            ranges={name: list(ends) for name, ends in chain.bounds.items() if name in scalars},
            sampler="mcmc",
        )
    finally:
        chains.print_load_details = printing


def getdist_files(chain: Chain, root: Path, parameters: Sequence[str] | None) -> dict[Path, Callable[[Path], None]]:
    """The files to write, each with what writes it."""
    columns = columns_of(chain, parameters, KIND)
    minus_lp = -chain.sample_stats.get("lp", np.zeros((chain.num_chains, chain.num_draws)))
    names = [f"{name}\t{chain.label(name)}\n" for name in columns]
    files: dict[Path, Callable[[Path], None]] = {
        root.with_name(f"{root.name}.paramnames"): partial(write_lines, lines=names)
    }
    ends = [
        f"{name}\t{_ENDLESS if low is None else low}\t{_ENDLESS if high is None else high}\n"
        for name, (low, high) in chain.bounds.items()
        if name in columns
    ]
    if ends:
        files[root.with_name(f"{root.name}.ranges")] = partial(write_lines, lines=ends)
    for i in range(chain.num_chains):
        rows = [np.ones(chain.num_draws, np.int64), minus_lp[i], *(draws[i] for draws in columns.values())]
        files[numbered(root, i + 1)] = partial(write_lines, lines=table_lines(rows, " "))
    return files


def read_getdist(path: Path) -> Chain:
    """Read the chains of a root, or one file of them.

    Rows are repeated as their whole-number weights say, and no burn-in is removed.

    Raises:
        StoreError: the files are not of this format, or have weights that are no whole numbers.
    """
    root = root_of(path)
    files = [path] if path.is_file() and path.suffix == ".txt" else chain_files(root)
    if not files:
        raise StoreError(f"There are no chains {root}_1.txt or {root}.1.txt; check the path.")
    labels: dict[str, str] = {}
    chains, notes = [], []
    ranges = root.with_name(f"{root.name}.ranges")
    attributes = {"bounds": json.dumps(_read_ranges(ranges))} if ranges.is_file() else {}
    paramnames = root.with_name(f"{root.name}.paramnames")
    for file in files:
        table = read_table(file)
        if table.cut_off:
            notes.append(f"The last row of {file.name} is incomplete and was left out.")
        if table.comments and table.comments[0].split()[:2] == ["weight", "minuslogpost"]:
            names = table.comments[0].split()[2:]
        elif paramnames.is_file():
            labels = _read_paramnames(paramnames)
            names = list(labels)
        else:
            raise StoreError(f"The columns of {file} have no names; put {paramnames} beside it.")
        if len(table.columns) != len(names) + 2:
            raise StoreError(
                f"{file} has {len(table.columns)} columns where a weight, -log posterior and {len(names)} named "
                "parameters are needed; check that its names belong to it."
            )
        weights, minus_lp, *columns = table.columns
        named = {"": -minus_lp.astype(np.float64)} | dict(zip(names, columns, strict=True))
        chains.append(expanded(named, weights.astype(np.float64), str(file)))
    columns, num_dropped = rectangular(chains)
    log_density = columns.pop("")
    stats = {name: columns.pop(name) for name in list(columns) if name.split("__")[0] in _STATISTICS}
    if np.any(log_density != 0):  # GetDist writes zeros where there is none
        stats = {"lp": log_density} | stats
    return foreign_chain(
        KIND, columns, stats, labels=labels, attributes=attributes, notes=notes, num_dropped=num_dropped
    )


def _read_paramnames(path: Path) -> dict[str, str]:
    labels = {}
    for line in read_text(path).splitlines():
        if line.strip():
            name, _, label = line.strip().partition("\t") if "\t" in line.strip() else line.strip().partition(" ")
            name = name.strip().rstrip("*")
            if name in labels:
                raise StoreError(f"{path} names {name!r} twice; give each parameter a name of its own.")
            labels[name] = label.split("#")[0].strip() or name
    return labels


def _read_ranges(path: Path) -> dict[str, list[float | None]]:
    """Least and greatest value by parameter, None where there is no end; what else a line says counts for nothing."""
    ranges = {}
    for line in read_text(path).splitlines():
        name, *ends = line.split()[:3] or [""]
        if len(ends) == 2:
            try:
                ranges[name.rstrip("*")] = [None if end == _ENDLESS else float(end) for end in ends]
            except ValueError:
                problem = f"{path} gives the range {' '.join(ends)!r} of {name}"
                raise StoreError(f"{problem}, which is neither numbers nor {_ENDLESS}; correct it.") from None
    return ranges
