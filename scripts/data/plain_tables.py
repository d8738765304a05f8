"""Writers of the project's plain tables, shared by the scripts beside this file."""

import csv
import hashlib
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[2] / "data"


def write_columns(path: Path, columns: dict) -> None:
    """Write named columns as comma-separated values; floats keep every digit."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_matrix(path: Path, matrix: np.ndarray) -> None:
    """Write a matrix as comma-separated values without a header."""
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(matrix.tolist())


def write_checksums(folder: Path) -> None:
    """Write `SHA256SUMS` of the tables in a folder, in the format of sha256sum."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.csv"))]
    (folder / "SHA256SUMS").write_text("".join(lines))
