"""Write data/planck2018_distance_priors and data/desi_compressed_cmb: python scripts/data/compressed_cmb.py."""

import numpy as np
from plain_tables import DATA, write_checksums, write_columns, write_matrix

# Chen, Huang & Wang 2019, arXiv:1808.05724, Table 1, LCDM; the error of l_A is +0.089 -0.090.
PLANCK_ERROR = np.array([0.0046, 0.0895, 0.00015])
PLANCK_CORRELATION = np.array([[1.0, 0.46, -0.66], [0.46, 1.0, -0.33], [-0.66, -0.33, 1.0]])

SETS = {
    "planck2018_distance_priors": (
        ["R", "l_A", "omega_b"],
        [1.7502, 301.471, 0.02236],
        np.round(PLANCK_CORRELATION * np.outer(PLANCK_ERROR, PLANCK_ERROR), 14),
    ),
    # DESI Collaboration 2025, arXiv:2503.14738, Appendix A, with the digits of the released chains' configuration.
    "desi_compressed_cmb": (
        ["theta_star", "omega_b", "omega_bc"],
        [0.01041027, 0.02223208, 0.14207901],
        np.array(
            [
                [6.6209942e-12, 1.24442058e-10, -1.19287532e-09],
                [1.24442058e-10, 2.13441666e-08, -9.40008323e-08],
                [-1.19287532e-09, -9.40008323e-08, 1.48841714e-06],
            ]
        ),
    ),
}

if __name__ == "__main__":
    for name, (quantity, value, covariance) in SETS.items():
        folder = DATA / name
        folder.mkdir(exist_ok=True)
        write_columns(folder / "measurements.csv", {"quantity": quantity, "value": value})
        write_matrix(folder / "covariance.csv", covariance)
        write_checksums(folder)
