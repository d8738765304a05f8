"""Measurements of the user's own, in text files whose content is checked line by line."""

import math
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ._covariance import checked_covariance
from ._location import DataError


@dataclass(frozen=True, eq=False)
class Measurements:
    """Values at redshifts and their covariance; `quantity` says what each value is, where the file does."""

    redshift: Float[np.ndarray, " data"]
    quantity: tuple[str, ...]
    value: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]


def read_measurements(
    values: Path, covariance: Path | None = None, *, quantities: tuple[str, ...] = ()
) -> Measurements:
    """Read a table of values, and their covariance or standard deviations.

    Columns are divided by blanks or commas, and what follows a # is a comment. They are redshift, value and, without
    a covariance, standard deviation. Where the values are of several quantities, the name of each stands before or
    after the value; names in r_s (`DM_over_rs`) mean r_d.

    Args:
        values: The table.
        covariance: A text file of as many lines and columns as there are values.
        quantities: What the values may be, if there are several; then every line must say which.

    Raises:
        DataError: A file cannot be read or holds what is no measurement; the sentence names file and line.
    """
    rows = _rows(values)
    num_words = len(rows[0][1])
    num_columns = 2 + bool(quantities) + (covariance is None)
    if num_words != num_columns:
        names = f"redshift, {'quantity, ' if quantities else ''}value{', standard deviation' * (covariance is None)}"
        hint = (
            "name the file of their covariance, or add a column of standard deviations"
            if num_words == num_columns - 1
            else "keep either the covariance or the standard deviations"
            if num_words == num_columns + 1 and covariance is not None
            else "write one value in each line"
        )
        raise DataError(f"{values} has {num_words} columns, but needs {num_columns} ({names}); {hint}.")
    quantity = tuple(_take_quantity(values, line, words, quantities) for line, words in rows) if quantities else ()
    table = np.array([[_number(values, line, word) for word in words] for line, words in rows])
    _check_positive(values, rows, table[:, 0], "redshift")
    if covariance is None:
        _check_positive(values, rows, table[:, 2], "standard deviation")
        matrix = np.diag(table[:, 2] ** 2)
    else:
        matrix = read_covariance(covariance)
        if len(matrix) != len(table):
            size = f"{len(matrix)} x {len(matrix)}"
            raise DataError(
                f"{covariance} is {size}, but {values} has {len(table)} values; name files that belong together."
            )
    return Measurements(table[:, 0], quantity, table[:, 1], matrix)


def read_covariance(path: Path) -> Float[np.ndarray, "data data"]:
    """Read a covariance matrix, one row in each line.

    Raises:
        DataError: The file cannot be read, or its matrix is not square, not symmetric or not positive definite.
    """
    rows = _rows(path)
    if len(rows) != len(rows[0][1]):
        raise DataError(f"{path} is {len(rows)} x {len(rows[0][1])}, but a covariance is square; write one row a line.")
    matrix = np.array([[_number(path, line, word) for word in words] for line, words in rows])
    return checked_covariance(matrix, str(path), rows=[f"line {line}" for line, _ in rows])


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The words of each line that is not empty, with its number."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}; name it relative to the folder of the configuration.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); name a text file.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file; write its numbers as text.") from error
    split = ((number, line.partition("#")[0].replace(",", " ").split()) for number, line in enumerate(lines, 1))
    rows = [(number, words) for number, words in split if words]
    if not rows:
        raise DataError(f"{path} holds no numbers; write one measurement in each line.")
    first, words = rows[0]
    for number, others in rows:
        if len(others) != len(words):
            raise DataError(
                f"{path}, line {number}, has {len(others)} columns, but line {first} has {len(words)}; complete the "
                "shorter one."
            )
    return rows


def _take_quantity(path: Path, line: int, words: list[str], quantities: tuple[str, ...]) -> str:
    """What a line says that its value is; the word is removed from the line."""
    for place in (1, 2):
        name = words[place].replace("_over_rs", "_over_rd")
        if name in quantities:
            del words[place]
            return name
    close = get_close_matches(words[1], quantities, n=1) or get_close_matches(words[2], quantities, n=1)
    hint = f"the nearest known is {close[0]}" if close else f"write one of {', '.join(quantities)} beside the value"
    raise DataError(f"{path}, line {line}, does not say which quantity it holds; {hint}.")


def _number(path: Path, line: int, word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        raise DataError(f"{path}, line {line}: {word!r} is not a number; begin comments with #.") from None
    if not math.isfinite(number):
        name = "NaN" if math.isnan(number) else word
        raise DataError(f"{path}, line {line}, holds {name}; give a finite number or leave the measurement out.")
    return number


def _check_positive(
    path: Path, rows: list[tuple[int, list[str]]], numbers: Float[np.ndarray, " data"], name: str
) -> None:
    for (line, _), number in zip(rows, numbers, strict=True):
        if number <= 0:
            raise DataError(f"{path}, line {line}: the {name} {number:g} is not positive; correct it.")
