"""The growth rate of structure from redshift-space distortions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._location import locate
from ._tables import read_columns, read_matrix


@dataclass(frozen=True, eq=False)
class GrowthData:
    """Growth rates times the amplitude of fluctuations, each measured in a fiducial cosmology of its own.

    Args:
        redshift: Redshift of each rate.
        f_sigma8: Measured f sigma8(z).
        covariance: Covariance of the rates.
        fiducial: H D_A of the cosmology in which distances were measured [km/s], if it matters. The rate of another
            cosmology is compared after division by H D_A / `fiducial`, which undoes the Alcock-Paczynski effect.

    Raises:
        ValueError: If the lengths disagree.
    """

    redshift: Float[np.ndarray, " data"]
    f_sigma8: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]
    fiducial: Float[np.ndarray, " data"] | None = None

    def __post_init__(self):
        size = self.redshift.size
        if self.f_sigma8.shape != (size,) or self.covariance.shape != (size, size):
            raise ValueError(f"{size} redshifts need as many rates and a square covariance.")
        if self.fiducial is not None and self.fiducial.shape != (size,):
            raise ValueError(f"{size} redshifts need as many fiducial products.")


def fsigma8_gold2018() -> GrowthData:
    """The Gold-2018 compilation: 22 rates from redshift 0.02 to 1.944, with the WiggleZ and SDSS-IV blocks.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Sagredo, Nesseris & Sapone 2018, arXiv:1806.10822.
    """
    folder = locate("fsigma8_gold2018")
    columns = read_columns(folder / "measurements.csv")
    return GrowthData(
        redshift=np.array(columns["redshift"], float),
        f_sigma8=np.array(columns["f_sigma8"], float),
        covariance=read_matrix(folder / "covariance.csv"),
        fiducial=np.array(columns["fiducial_H_DA"], float),
    )
