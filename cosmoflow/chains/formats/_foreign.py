"""What the readers share: from another program's arrays to a `Chain` that can be stored, plotted and summarised."""

import json
import re
from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from ..._results import StoreError
from .._chain import Chain

Draws = dict[str, np.ndarray]
_ENTRY = re.compile(r"(.+)\[(\d+(?:,\d+)*)\]", re.DOTALL)
_MAX_DRAWS = 10**7


def foreign_chain(
    kind: str,
    posterior: Draws,
    sample_stats: Draws,
    *,
    labels: Mapping[str, str] | None = None,
    attributes: Mapping[str, str | float] | None = None,
    notes: Sequence[str] = (),
    num_dropped: int = 0,
) -> Chain:
    """A chain of another program's draws, under names that can be stored.

    Columns `x[0]`, `x[1]`, ... become a vector `x`; characters that a file or GetDist cannot hold in a name become
    underscores.

    Args:
        kind: the format they come from.
        posterior: parameters, each of shape (chain, draw, *shape).
        sample_stats: statistics of the draws, each of shape (chain, draw, *shape).
        labels: LaTeX by name of a parameter or a column.
        attributes: what else is known about the run.
        notes: sentences about what was changed or left out.
        num_dropped: draws left out of longer chains.

    Raises:
        StoreError: there are no draws.
    """
    posterior, heads = _join_entries(posterior)
    given = {head: (labels or {})[first] for head, first in heads.items() if first in (labels or {})}
    new_names, notes = _storable(posterior), list(notes)
    notes += [f"The parameter {old!r} is now called {new!r}." for old, new in new_names.items() if old != new]
    if not posterior or 0 in next(iter(posterior.values())).shape[:2]:
        raise StoreError(f"There are no draws in this {kind} chain; check that the run was not cut short.")
    stats_names = _storable(sample_stats)
    found = dict(attributes or {}) | {"imported_from": kind}
    if given:
        found["labels"] = json.dumps(
            {new_names[head]: label.removesuffix(heads[head].removeprefix(head)) for head, label in given.items()}
        )
    if num_dropped:
        found["num_dropped_draws"] = str(num_dropped)
        notes.append(f"Draws left out at the ends of longer chains, to make all equally long: {num_dropped}.")
    if notes:
        found["import_notes"] = "\n".join(notes)
    return Chain(
        {new_names[name]: draws for name, draws in posterior.items()},
        {stats_names[name]: draws for name, draws in sample_stats.items()},
        found,
    )


def rectangular(chains: Sequence[Draws]) -> tuple[Draws, int]:
    """Chains of different lengths, cut to the shortest at their ends, and how many draws that left out.

    Args:
        chains: the columns of each chain, each of shape (draw,).

    Raises:
        StoreError: the chains have different columns.
    """
    if any(list(chain) != list(chains[0]) for chain in chains):
        raise StoreError("The chains have different columns; import those of one run at a time.")
    lengths = [len(next(iter(chain.values()))) for chain in chains]
    columns = {name: np.stack([chain[name][: min(lengths)] for chain in chains]) for name in chains[0]}
    return columns, sum(lengths) - len(chains) * min(lengths)


def expanded(columns: Draws, weights: np.ndarray, where: str) -> Draws:
    """Weighted rows as draws of equal weight: each row as often as its weight says.

    Args:
        columns: each of shape (row,).
        weights: whole numbers, or any one positive number for all rows.
        where: the file, for the message.

    Raises:
        StoreError: the weights are neither whole numbers nor all the same, or amount to too many draws.
    """
    if weights.size and weights[0] > 0 and np.all(weights == weights[0]) and weights[0] % 1 != 0:
        return columns
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0) & (weights % 1 == 0)))
    if bad.size:
        raise StoreError(
            f"Row {bad[0] + 1} of {where} has the weight {weights[bad[0]]:.6g}, which is no whole number; draw "
            "samples of equal weight from it first, for instance with GetDist's `makeSingleSamples`."
        )
    if weights.sum() > _MAX_DRAWS:
        raise StoreError(f"The weights in {where} amount to {weights.sum():.3g} draws; thin the chain first.")
    repeats = weights.astype(np.int64)
    return {name: np.repeat(column, repeats) for name, column in columns.items()}


def _join_entries(columns: Draws) -> tuple[Draws, dict[str, str]]:
    """Vectors from their entries; and the first column of each parameter."""
    entries: dict[str, dict[tuple[int, ...], str]] = {}
    for name in columns:
        if match := _ENTRY.fullmatch(name):
            entries.setdefault(match[1], {})[tuple(map(int, match[2].split(",")))] = name
    whole = {head: named for head, named in entries.items() if head not in columns and _is_whole(list(named))}
    joined, heads, taken = {}, {}, set()
    for name, draws in columns.items():
        head = match[1] if (match := _ENTRY.fullmatch(name)) else name
        if name in taken:
            continue
        if head in whole:
            indices = sorted(whole[head])
            stacked = np.stack([columns[whole[head][index]] for index in indices], axis=-1)
            shape = tuple(size + 1 for size in indices[-1])
            joined[head] = stacked.reshape(*stacked.shape[:-1], *shape)
            heads[head] = whole[head][indices[0]]
            taken |= set(whole[head].values())
        else:
            joined[name] = draws
            heads[name] = name
    return joined, heads


def _is_whole(indices: list[tuple[int, ...]]) -> bool:
    if len({len(index) for index in indices}) != 1:
        return False
    shape = [max(axis) + 1 for axis in zip(*indices, strict=True)]
    return prod(shape) == len(set(indices))


def _storable(names: Mapping[str, object]) -> dict[str, str]:
    """A name for each, all different, that HDF5, the command line and GetDist can hold."""
    new: dict[str, str] = {}
    for name in names:
        candidate = re.sub(r"[\x00-\x20/\[\],*?]+", "_", name)
        candidate = candidate if candidate == name else candidate.strip("_")
        candidate = f"{candidate}_" if candidate in ("", ".", "..", "chain", "draw") else candidate
        while candidate in new.values() or (candidate != name and candidate in names):
            candidate += "_"
        new[name] = candidate
    return new
