"""Write data/fsigma8_gold2018 from the compilation's files: python scripts/data/fsigma8_gold2018.py FOLDER."""

import sys
from pathlib import Path

import numpy as np
from plain_tables import DATA, write_checksums, write_columns, write_matrix

BLOCKS = {"Cij_WiggleZ.txt": [0.44, 0.60, 0.73], "Cij_SDSS.txt": [0.978, 1.23, 1.526, 1.944]}


def main(published: Path) -> None:
    """Transcribe the 22 rates; the covariance is diagonal but for two blocks."""
    redshift, rate, error, fiducial = np.loadtxt(published / "fsigma8_gold2018.txt", unpack=True)
    covariance = np.diag(error**2)
    for file, members in BLOCKS.items():
        first = int(np.flatnonzero(redshift == members[0])[0])
        rows = np.arange(first, first + len(members))
        block = np.loadtxt(published / file)
        if not np.array_equal(redshift[rows], members) or not np.allclose(np.diag(block), error[rows] ** 2):
            sys.exit(f"The block of {file} does not fit the rows from {first} on.")
        covariance[np.ix_(rows, rows)] = 0.5 * (block + block.T)

    folder = DATA / "fsigma8_gold2018"
    folder.mkdir(exist_ok=True)
    columns = {"redshift": redshift.tolist(), "f_sigma8": rate.tolist(), "fiducial_H_DA": fiducial.tolist()}
    write_columns(folder / "measurements.csv", columns)
    write_matrix(folder / "covariance.csv", covariance)
    write_checksums(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
