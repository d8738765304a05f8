"""Transcription of BAO measurements in the layout of Cobaya's data, shared by the scripts beside this file."""

import sys
from pathlib import Path

import numpy as np
from plain_tables import DATA, write_checksums, write_columns, write_matrix


def transcribe(name: str, mean: Path, covariance: Path, tracers: dict[float, str]) -> None:
    """Write `measurements.csv` and `covariance.csv` of one set.

    Args:
        name: Of the set.
        mean: Lines of redshift, value and quantity.
        covariance: A matrix, symmetric up to rounding.
        tracers: Tracer at each redshift.
    """
    lines = (line for line in mean.read_text().splitlines() if not line.startswith("#"))
    redshift, value, quantity = zip(*(line.split() for line in lines if line.strip()), strict=True)
    matrix = np.loadtxt(covariance)
    if matrix.shape != (len(value), len(value)) or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        sys.exit("The covariance is not symmetric or does not fit the values.")
    columns = {
        "redshift": map(float, redshift),
        "quantity": [name.replace("_over_rs", "_over_rd") for name in quantity],
        "value": map(float, value),
        "tracer": [tracers[float(z)] for z in redshift],
    }
    folder = DATA / name
    folder.mkdir(exist_ok=True)
    write_columns(folder / "measurements.csv", columns)
    write_matrix(folder / "covariance.csv", matrix)
    write_checksums(folder)
