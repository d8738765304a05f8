"""Baryon acoustic oscillations."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._location import locate
from ._tables import read_columns, read_matrix

QUANTITIES = ("DM_over_rd", "DH_over_rd", "DV_over_rd")


@dataclass(frozen=True, eq=False)
class BAOData:
    """Distances in units of the sound horizon.

    Args:
        redshift: Effective redshift of each value.
        quantity: What each value is: `DM_over_rd`, `DH_over_rd` or `DV_over_rd`.
        value: The measured ratio.
        covariance: Covariance of the values.

    Raises:
        ValueError: If a quantity is unknown or the lengths disagree.
    """

    redshift: Float[np.ndarray, " data"]
    quantity: tuple[str, ...]
    value: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]

    def __post_init__(self):
        size = len(self.quantity)
        if not self.redshift.shape == self.value.shape == (size,) or self.covariance.shape != (size, size):
            raise ValueError(f"{size} quantities need as many redshifts and values and a square covariance.")
        for quantity in self.quantity:
            if quantity not in QUANTITIES:
                raise ValueError(f"{quantity!r} is no BAO quantity; use one of {', '.join(QUANTITIES)}.")


def desi_dr2_bao() -> BAOData:
    """DESI DR2: 13 distances at 7 redshifts from 0.295 to 2.33.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        DESI Collaboration 2025, arXiv:2503.14738 and arXiv:2503.14739.
    """
    folder = locate("desi_dr2_bao")
    columns = read_columns(folder / "measurements.csv")
    return BAOData(
        redshift=np.array(columns["redshift"], float),
        quantity=tuple(columns["quantity"]),
        value=np.array(columns["value"], float),
        covariance=read_matrix(folder / "covariance.csv"),
    )
