"""What the microwave background says of the expansion, in three numbers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._location import locate
from ._tables import read_columns, read_matrix

CMB_QUANTITIES = ("R", "l_A", "theta_star", "omega_b", "omega_bc")


@dataclass(frozen=True, eq=False)
class CompressedCMBData:
    """A Gaussian summary of the spectra of the microwave background.

    Args:
        quantity: What each value is: `R` (shift parameter), `l_A` (acoustic scale), `theta_star` [rad], `omega_b`
            (baryons) or `omega_bc` (baryons and cold dark matter, without neutrinos).
        value: Their means.
        covariance: Their covariance.

    Raises:
        ValueError: If a quantity is unknown or the lengths disagree.
    """

    quantity: tuple[str, ...]
    value: Float[np.ndarray, " data"]
    covariance: Float[np.ndarray, "data data"]

    def __post_init__(self):
        size = len(self.quantity)
        if self.value.shape != (size,) or self.covariance.shape != (size, size):
            raise ValueError(f"{size} quantities need as many values and a square covariance.")
        for quantity in self.quantity:
            if quantity not in CMB_QUANTITIES:
                raise ValueError(
                    f"{quantity!r} is no quantity of the compressed CMB; use one of {', '.join(CMB_QUANTITIES)}."
                )


def desi_compressed_cmb() -> CompressedCMBData:
    """theta_*, omega_b and omega_bc of the early universe alone, as used by DESI DR2.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        DESI Collaboration 2025, arXiv:2503.14738, Appendix A; Lemos & Lewis 2023, arXiv:2302.12911.
    """
    return _read("desi_compressed_cmb")


def planck2018_distance_priors() -> CompressedCMBData:
    """R, l_A and omega_b of Planck 2018 TT,TE,EE+lowE in LCDM.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Chen, Huang & Wang 2019, arXiv:1808.05724, Table 1.
    """
    return _read("planck2018_distance_priors")


def _read(name: str) -> CompressedCMBData:
    folder = locate(name)
    columns = read_columns(folder / "measurements.csv")
    return CompressedCMBData(
        quantity=tuple(columns["quantity"]),
        value=np.array(columns["value"], float),
        covariance=read_matrix(folder / "covariance.csv"),
    )
