"""Cosmic chronometers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._location import locate
from ._tables import read_columns, read_matrix


@dataclass(frozen=True, eq=False)
class ChronometerData:
    """Expansion rates from the ages of passive galaxies.

    Args:
        redshift: Redshift of each rate.
        hubble_rate: Measured H(z) [km/s/Mpc].
        covariance: Covariance of the rates [km^2/s^2/Mpc^2].

    Raises:
        ValueError: If the lengths disagree.
    """

    redshift: Float[np.ndarray, " data"]
    hubble_rate: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]

    def __post_init__(self):
        size = self.redshift.size
        if self.hubble_rate.shape != (size,) or self.covariance.shape != (size, size):
            raise ValueError(f"{size} redshifts need as many expansion rates and a square covariance.")


def cosmic_chronometers() -> ChronometerData:
    """Fifteen rates from redshift 0.18 to 1.97, with statistical and systematic covariance (BC03 models).

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Moresco et al. 2020, arXiv:2003.07362.
    """
    folder = locate("cosmic_chronometers")
    columns = read_columns(folder / "measurements.csv")
    return ChronometerData(
        redshift=np.array(columns["redshift"], float),
        hubble_rate=np.array(columns["hubble_rate"], float),
        covariance=read_matrix(folder / "covariance.csv"),
    )
