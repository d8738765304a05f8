"""Tables of numbers as text, and the files of a chain that share a root."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..._results import StoreError

_WHOLE = re.compile(r"[+-]?\d+")
_BOOLEANS = ("True", "False")


class Table(NamedTuple):
    """A table in a text file.

    Attributes:
        comments: the lines that begin with #, without it.
        columns: each of shape (row,); whole numbers and booleans where all rows of the column are.
        cut_off: whether the last row was incomplete and left out.
    """

    comments: list[str]
    columns: list[np.ndarray]
    cut_off: bool


def read_table(path: Path, *, delimiter: str | None = None, skip: int = 0) -> Table:
    """Read a table of numbers.

    Args:
        path: a text file.
        delimiter: what stands between two numbers; white space by default.
        skip: lines to leave out at the top.

    Raises:
        StoreError: the file is not text, or the table is not one of numbers.
    """
    lines = [line for line in read_text(path).splitlines()[skip:] if line.strip()]
    comments = [line[1:] for line in lines if line.startswith("#")]
    rows = [line for line in lines if not line.startswith("#")]
    if not rows:
        return Table(comments, [], False)
    first = [word.strip() for word in rows[0].split(delimiter)]
    cut_off = len(rows) > 1 and len(rows[-1].split(delimiter)) < len(first)
    try:
        return Table(comments, _columns(rows[:-1] if cut_off else rows, first, delimiter), cut_off)
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip(".;")
        raise StoreError(f"{path} is not a table of numbers ({reason}); check the file and its format.") from error


def read_text(path: Path) -> str:
    """The whole of a text file.

    Raises:
        StoreError: it is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoreError(f"{path} is not text; check the path and the format.") from error


def table_lines(columns: Sequence[np.ndarray], separator: str, *, booleans: str = "%d") -> Iterable[str]:
    """The rows of a table; floating-point numbers with 17 digits, so that they are read back to the bit."""
    formats = {"b": booleans, "i": "%d", "u": "%d", "f": "%.16e"}
    row = separator.join(formats[column.dtype.kind] for column in columns) + "\n"
    return (row % numbers for numbers in zip(*(column.tolist() for column in columns), strict=True))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file line by line."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)


def numbered(root: Path, number: int) -> Path:
    """The file of one chain: `root_1.txt`, `root_2.txt`, ..."""
    return root.with_name(f"{root.name}_{number}.txt")


def chain_files(root: Path) -> list[Path]:
    """What there is of `root_1.txt`, `root_2.txt`, ..., or else of `root.1.txt`, ..., or else `root.txt`."""
    beside = list(root.parent.iterdir()) if root.parent.is_dir() else []
    for separator in "_.":
        pattern = re.compile(re.escape(root.name + separator) + r"(\d+)\.txt")
        found = {path: int(match[1]) for path in beside if (match := pattern.fullmatch(path.name))}
        if found:
            return sorted(found, key=lambda path: (found[path], path.name))
    single = root.with_name(f"{root.name}.txt")
    return [single] if single.is_file() else []


def root_of(path: Path) -> Path:
    """The root that a file of a chain belongs to, or the path itself."""
    return path.with_name(re.sub(r"(?:[._]\d+)?\.txt$|\.paramnames$", "", path.name) or path.name)


def _columns(rows: list[str], first: list[str], delimiter: str | None) -> list[np.ndarray]:
    def load(columns: list[int], dtype: type | str) -> np.ndarray:
        return np.loadtxt(rows, dtype, comments=None, delimiter=delimiter, usecols=columns, ndmin=2)

    width = len(first)
    if uneven := [i for i, row in enumerate(rows) if len(row.split(delimiter)) != width]:
        raise ValueError(f"row {uneven[0] + 1} has another number of columns than the first")
    found: dict[int, np.ndarray] = {}
    for column, word in enumerate(first):
        if word in _BOOLEANS:
            words = np.char.strip(load([column], "U6")[:, 0])
            if not np.isin(words, _BOOLEANS).all():
                raise ValueError(f"column {column + 1} is neither True nor False everywhere")
            found[column] = words == "True"
        elif _WHOLE.fullmatch(word):
            with suppress(ValueError, OverflowError):  # whole at the top, but not everywhere
                found[column] = load([column], np.int64)[:, 0]
    rest = [column for column in range(width) if column not in found]
    if rest:
        found |= dict(zip(rest, load(rest, np.float64).T, strict=True))
    return [found[column] for column in range(width)]
