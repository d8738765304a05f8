"""Write data/cosmic_chronometers from the published tables: python scripts/data/cosmic_chronometers.py FOLDER."""

import sys
from pathlib import Path

import numpy as np
from plain_tables import DATA, write_checksums, write_columns, write_matrix


def main(published: Path) -> None:
    """Transcribe the 15 rates and their covariance."""
    redshift, rate, error = np.loadtxt(published / "HzTable_MM_BC03.dat", usecols=(0, 1, 2), unpack=True)
    covariance = np.loadtxt(published / "cov_cc_MM_BC03.txt")
    if covariance.shape != (15, 15) or not np.array_equal(covariance, covariance.T):
        sys.exit("The covariance is not symmetric or does not fit the 15 rates.")
    print(f"total over tabulated error: {np.round(np.sqrt(np.diag(covariance)) / error, 2)}")

    folder = DATA / "cosmic_chronometers"
    folder.mkdir(exist_ok=True)
    write_columns(folder / "measurements.csv", {"redshift": redshift.tolist(), "hubble_rate": rate.tolist()})
    write_matrix(folder / "covariance.csv", covariance)
    write_checksums(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
