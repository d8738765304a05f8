"""Write data/desi_dr2_bao from the official files: python scripts/data/desi_dr2_bao.py FOLDER."""

import sys
from pathlib import Path

import numpy as np
from plain_tables import DATA, write_checksums, write_columns, write_matrix


def main(official: Path) -> None:
    """Transcribe the 13 values and their covariance."""
    lines = (official / "desi_gaussian_bao_ALL_GCcomb_mean.txt").read_text().splitlines()
    redshift, value, quantity = zip(*(line.split() for line in lines if not line.startswith("#")), strict=True)
    covariance = np.loadtxt(official / "desi_gaussian_bao_ALL_GCcomb_cov.txt")
    if covariance.shape != (len(value), len(value)) or not np.array_equal(covariance, covariance.T):
        sys.exit("The covariance is not symmetric or does not fit the values.")

    folder = DATA / "desi_dr2_bao"
    columns = {
        "redshift": map(float, redshift),
        "quantity": [name.replace("_over_rs", "_over_rd") for name in quantity],
        "value": map(float, value),
    }
    write_columns(folder / "measurements.csv", columns)
    write_matrix(folder / "covariance.csv", covariance)
    write_checksums(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
