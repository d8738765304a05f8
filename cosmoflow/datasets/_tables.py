"""Plain tables whose content is known."""

import csv
import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ._location import DataError


def read_columns(path: Path) -> dict[str, list[str]]:
    """Columns of a table of comma-separated values by the names in its first line.

    Raises:
        DataError: If the file is missing or differs from its checksum.
    """
    header, *rows = csv.reader(_verified_text(path).splitlines())
    return {name: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)}


def read_matrix(path: Path) -> Float[np.ndarray, "rows columns"]:
    """A matrix of comma-separated values without a header.

    Raises:
        DataError: If the file is missing or differs from its checksum.
    """
    return np.array([[float(value) for value in row] for row in csv.reader(_verified_text(path).splitlines())])


def _verified_text(path: Path) -> str:
    """The text of a file that agrees with `SHA256SUMS` beside it."""
    try:
        content = path.read_bytes()
        lines = (path.parent / "SHA256SUMS").read_text().splitlines()
    except FileNotFoundError as error:
        raise DataError(f"The data file {error.filename} is missing; install cosmoflow again.") from error
    expected = {name: digest for digest, name in (line.split() for line in lines)}
    if hashlib.sha256(content).hexdigest() != expected.get(path.name):
        raise DataError(f"The data file {path} is damaged: it differs from its checksum; install cosmoflow again.")
    return content.decode()
