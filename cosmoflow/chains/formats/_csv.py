"""Comma-separated values: one row per draw, with the columns chain, draw, the parameters, lp."""

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain as concatenated
from pathlib import Path

import numpy as np

from ..._results import StoreError
from .._chain import Chain
from ._columns import columns_of
from ._foreign import foreign_chain, rectangular
from ._text import read_table, table_lines, write_lines

KIND = "csv"
_OWN = ("chain", "draw", "lp")


def csv_files(chain: Chain, path: Path, parameters: Sequence[str] | None) -> dict[Path, Callable[[Path], None]]:
    """The file to write, with what writes it."""
    columns = columns_of(chain, parameters, KIND, refused=_OWN, spaces=True)
    chains, draws = np.indices((chain.num_chains, chain.num_draws))
    columns = {"chain": chains, "draw": draws, **columns}
    if "lp" in chain.sample_stats:
        columns["lp"] = chain.sample_stats["lp"]
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    rows = table_lines([values.reshape(-1) for values in columns.values()], ",", booleans="%s")
    return {path: partial(write_lines, lines=concatenated([header.getvalue()], rows))}


def read_csv(path: Path) -> Chain:
    """Read a table with a line of names; the columns chain, draw and lp may be missing.

    Raises:
        StoreError: the file is not of this format.
    """
    with path.open(encoding="utf-8-sig") as file:
        names = next(csv.reader([file.readline()]), [])
    table = read_table(path, delimiter=",", skip=1)
    if not table.columns or len(names) != len(table.columns) or len(set(names)) < len(names):
        raise StoreError(
            f"The first line of {path} does not name its {len(table.columns)} columns, each differently; add such a "
            "line."
        )
    columns = dict(zip((name.strip() for name in names), table.columns, strict=True))
    columns.pop("draw", None)
    number = columns.pop("chain", np.zeros(len(table.columns[0]), np.int64))
    if not columns:
        raise StoreError(f"{path} has no columns but chain and draw; check the file.")
    chains = [{name: values[number == i] for name, values in columns.items()} for i in np.unique(number)]
    columns, num_dropped = rectangular(chains)
    stats = {"lp": columns.pop("lp")} if "lp" in columns else {}
    notes = [f"The last row of {path.name} is incomplete and was left out."] if table.cut_off else []
    return foreign_chain(KIND, columns, stats, notes=notes, num_dropped=num_dropped)
