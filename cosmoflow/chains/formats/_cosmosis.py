"""CosmoSIS text chains: a line of tab-separated column names, `#key=value` lines, rows that end with the posterior."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain as concatenated
from pathlib import Path

import numpy as np

from ..._results import StoreError
from .._chain import Chain
from ._columns import columns_of
from ._foreign import Draws, expanded, foreign_chain, rectangular
from ._text import chain_files, numbered, read_table, root_of, table_lines, write_lines

KIND = "cosmosis"
_SECTION = "parameters--"
_STATISTICS = {"post": "lp", "prior": "prior", "like": "like"}


def cosmosis_files(chain: Chain, root: Path, parameters: Sequence[str] | None) -> dict[Path, Callable[[Path], None]]:
    """The files to write, each with what writes it."""
    columns = columns_of(chain, parameters, KIND)
    log_density = chain.sample_stats.get("lp")
    names = [name if "--" in name else _SECTION + name for name in columns] + ["post"] * (log_density is not None)
    header = ["#" + "\t".join(names) + "\n", "#sampler=metropolis\n", f"#n_varied={len(columns)}\n"]
    files: dict[Path, Callable[[Path], None]] = {}
    for i in range(chain.num_chains):
        rows = [draws[i] for draws in columns.values()] + ([] if log_density is None else [log_density[i]])
        files[numbered(root, i + 1)] = partial(write_lines, lines=concatenated(header, table_lines(rows, "\t")))
    return files


def read_cosmosis(path: Path) -> Chain:
    """Read the chains of a root, or one file of them; the walkers of an ensemble become chains.

    Sections are left out of the names where these stay different without.

    Raises:
        StoreError: the files are not of this format, or have weights that are no whole numbers.
    """
    files = [path] if path.is_file() else chain_files(root_of(path))
    if not files:
        raise StoreError(f"There are no chains {path}.txt or {path}_1.txt; check the path.")
    chains, notes = [], []
    for file in files:
        table = read_table(file)
        if table.cut_off:
            notes.append(f"The last row of {file.name} is incomplete and was left out.")
        names = table.comments[0].split() if table.comments else []
        if not table.columns or len(names) != len(table.columns) or len(set(names)) < len(names):
            raise StoreError(
                f"The first line of {file} does not name its {len(table.columns)} columns, each differently; "
                "check that CosmoSIS wrote it."
            )
        columns = dict(zip(names, table.columns, strict=True))
        if any(name.endswith("log_weight") for name in columns):
            raise StoreError(f"{file} is weighted by `log_weight`; draw samples of equal weight from it first.")
        for weight in ("weight", "old_weight"):
            if weight in columns:
                weights = columns.pop(weight).astype(np.float64)
                columns = expanded(columns, weights, str(file))
        chains += _walkers(columns, table.comments)
    columns, num_dropped = rectangular(chains)
    stats = {new: columns.pop(old) for old, new in _STATISTICS.items() if old in columns}
    short = [name.split("--")[-1] for name in columns]
    if len(set(short)) == len(short):
        columns = dict(zip(short, columns.values(), strict=True))
    return foreign_chain(KIND, columns, stats, notes=notes, num_dropped=num_dropped)


def _walkers(columns: Draws, comments: list[str]) -> list[Draws]:
    """One chain per walker: an ensemble sampler writes them in turn."""
    settings = dict(line.split("#")[0].strip().split("=", 1) for line in comments[1:] if "=" in line.split("#")[0])
    count = settings.get("walkers", "1").strip()
    num_walkers = int(count) if count.isdecimal() else 1
    length = len(next(iter(columns.values())))
    if not 1 < num_walkers <= length or length % num_walkers:
        return [columns]
    return [{name: column[i::num_walkers] for name, column in columns.items()} for i in range(num_walkers)]
