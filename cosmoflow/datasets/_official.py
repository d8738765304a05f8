"""Official files of large data sets, which the user fetches."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ._catalogue import find
from ._location import DataError


def official_folder(name: str, folder: str | Path | None = None) -> Path:
    """The folder given, or the one to which `cosmoflow data fetch` takes the set of this name.

    Raises:
        DataError: If there is no such folder.
    """
    place = find(name).folder if folder is None else Path(folder)
    if not place.is_dir():
        raise DataError(
            f"The data set {name} is not in {place}; fetch it with `cosmoflow data fetch {name}`, or name its folder."
        )
    return place


def official_file(name: str, folder: Path, pattern: str) -> Path:
    """The one file of a folder whose name fits the pattern.

    Raises:
        DataError: If there is none or more than one.
    """
    found = sorted(folder.glob(pattern))
    if not found:
        raise DataError(f"{folder} holds no file {pattern}; `cosmoflow data fetch {name}` fetches it.")
    if len(found) > 1:
        raise DataError(f"{folder} holds {found[0].name} and {found[1].name}; leave the one that is meant.")
    return found[0]


def read_table(path: Path, names: Sequence[str]) -> dict[str, Float[np.ndarray, " row"]]:
    """Columns of a table whose first line names them, all finite.

    Blanks or commas part the columns. Lines that begin with # are comments, and the words `VARNAMES:` and `SN:` that
    begin the lines of SNANA's tables are left out.

    Raises:
        DataError: If a column is missing, or a value is no finite number.
    """
    lines = path.read_text(errors="replace").splitlines()
    rows = [(number, _cells(line)) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if len(rows) < 2:
        raise DataError(f"{path} has no rows; fetch it again.")
    header = rows[0][1]
    columns = {}
    for name in names:
        if name not in header:
            raise DataError(f"{path} has no column {name}; its columns are {', '.join(header)}.")
        place = header.index(name)
        columns[name] = np.array([_number(path, line, name, cells[place:]) for line, cells in rows[1:]])
    return columns


def check_covariance(path: Path, matrix: Float[np.ndarray, "row row"]) -> None:
    """Refuse what is not finite, symmetric and positive definite.

    Raises:
        DataError: If the matrix is no covariance, with the first row that shows it.
    """
    for wrong, what in ((~np.isfinite(matrix), "not finite"), (np.abs(matrix - matrix.T) > 1e-6, "not symmetric")):
        if np.any(wrong):
            row, column = np.argwhere(wrong)[0] + 1
            raise DataError(f"The matrix of {path} is {what} in row {row}, column {column}; fetch it again.")
    if not _is_positive(matrix):
        low, high = 0, len(matrix)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _is_positive(matrix[:middle, :middle]) else (low, middle)
        raise DataError(
            f"The matrix of {path} is not positive definite: its first {high} rows are not; fetch it again."
        )


def _cells(line: str) -> list[str]:
    cells = line.replace(",", " ").split()
    return cells[1:] if cells[0] in ("VARNAMES:", "SN:") else cells


def _number(path: Path, line: int, name: str, cells: list[str]) -> float:
    try:
        value = float(cells[0])
    except (IndexError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise DataError(
            f"{path}, line {line}: {name} is {cells[0] if cells else 'missing'}, not a finite number; fetch it again."
        )
    return value


def _is_positive(matrix: Float[np.ndarray, "row row"]) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
