"""Type Ia supernovae."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._location import locate
from ._tables import read_columns, read_matrix


@dataclass(frozen=True, eq=False)
class SupernovaData:
    """Distance moduli up to one additive constant.

    Args:
        redshift: Redshift of each supernova or node, that of the expansion: in the frame of the microwave background
            and corrected for peculiar velocities.
        distance_modulus: Measured distance modulus, or magnitude, which is that plus an unknown constant [mag].
        covariance: Covariance of the distance moduli [mag^2].
        heliocentric_redshift: Redshift as seen from the Sun, by which the light is dimmed; the same unless given.

    Raises:
        ValueError: If the lengths disagree or a value is not finite.
    """

    redshift: Float[np.ndarray, " data"]
    distance_modulus: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]
    heliocentric_redshift: Float[np.ndarray, " data"] | None = None

    def __post_init__(self):
        size = self.redshift.size
        if self.distance_modulus.shape != (size,) or self.covariance.shape != (size, size):
            raise ValueError(f"{size} redshifts need as many distance moduli and a square covariance.")
        if self.heliocentric_redshift is not None and self.heliocentric_redshift.shape != (size,):
            raise ValueError(f"{size} redshifts need as many heliocentric ones.")
        for name, values in vars(self).items():
            if values is not None and not np.all(np.isfinite(values)):
                raise ValueError(f"`{name}` is not finite in row {np.argwhere(~np.isfinite(values))[0][0] + 1}.")


def union3() -> SupernovaData:
    """Union3 with UNITY1.5: 22 nodes from redshift 0.05 to 2.26 that stand for 2087 supernovae.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Rubin et al. 2023, arXiv:2311.12098.
    """
    folder = locate("union3")
    columns = read_columns(folder / "measurements.csv")
    return SupernovaData(
        redshift=np.array(columns["redshift"], float),
        distance_modulus=np.array(columns["distance_modulus"], float),
        covariance=read_matrix(folder / "covariance.csv"),
    )
