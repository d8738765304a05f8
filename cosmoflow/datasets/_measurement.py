"""Single numbers with a Gaussian error."""

from typing import NamedTuple

from ._location import locate
from ._tables import read_columns


class Measurement(NamedTuple):
    """A number with a Gaussian error, in the order of the arguments of `likelihoods.GaussianConstraint`.

    Attributes:
        quantity: What was measured.
        mean: The value.
        sd: Its standard deviation.
    """

    quantity: str
    mean: float
    sd: float


def bbn_schoeneberg2024() -> Measurement:
    """omega_b = 0.02218 +- 0.00055 from the abundances of light elements, for three neutrino species.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Schöneberg 2024, arXiv:2401.15054.
    """
    return _read("bbn_schoeneberg2024")


def h0_shoes2022() -> Measurement:
    """H0 = 73.04 +- 1.04 km/s/Mpc from supernovae calibrated by Cepheids.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Riess et al. 2022, arXiv:2112.04510.
    """
    return _read("h0_shoes2022")


def _read(name: str) -> Measurement:
    columns = read_columns(locate(name) / "measurements.csv")
    return Measurement(columns["quantity"][0], float(columns["value"][0]), float(columns["sd"][0]))
