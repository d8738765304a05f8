"""Write data/union3 from the official files: python scripts/data/union3.py FOLDER (needs astropy)."""

import sys
from pathlib import Path

import numpy as np
from astropy.io import fits
from plain_tables import DATA, write_checksums, write_columns, write_matrix


def main(official: Path) -> None:
    """Transcribe the 22 nodes and their covariance, after comparing the text files with the FITS image."""
    redshift, modulus = np.loadtxt(official / "lcparam_full.txt", usecols=(1, 4), unpack=True)
    size, *elements = np.loadtxt(official / "mag_covmat.txt")
    covariance = np.reshape(elements, (int(size), int(size)))

    image = fits.getdata(official / "mu_mat_union3_cosmo=2_mu.fits")  # row 0: z, column 0: mu, rest: inverse covariance
    identity = covariance @ image[1:, 1:]
    print(f"redshift: {np.max(np.abs(image[0, 1:] - redshift)):.1e}")
    print(f"modulus: {np.max(np.abs(image[1:, 0] - modulus)):.1e} mag")
    print(f"covariance times inverse covariance - 1: {np.max(np.abs(identity - np.eye(len(redshift)))):.1e}")
    print(f"asymmetry: {np.max(np.abs(covariance - covariance.T)):.1e}")

    folder = DATA / "union3"
    write_columns(folder / "measurements.csv", {"redshift": redshift.tolist(), "distance_modulus": modulus.tolist()})
    write_matrix(folder / "covariance.csv", covariance)
    write_checksums(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
