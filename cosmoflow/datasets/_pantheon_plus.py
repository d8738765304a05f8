"""The Pantheon+ supernovae."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ._location import DataError
from ._official import check_covariance, official_file, official_folder, read_table
from ._supernovae import SupernovaData

NAME = "pantheon_plus"
MINIMUM_REDSHIFT = 0.01


def pantheon_plus(folder: str | Path | None = None) -> SupernovaData:
    """Pantheon+: 1590 light curves of supernovae at redshifts from 0.01 to 2.26, without the distances of SH0ES.

    Of the 1701 light curves of the release those with z_HD > 0.01 are taken, as in the published fits: below, peculiar
    velocities dominate. The magnitudes are `m_b_corr`, standardised and corrected for selection.

    Args:
        folder: Where `Pantheon+SH0ES.dat` and `Pantheon+SH0ES_STAT+SYS.cov` lie; if None, where
            `cosmoflow data fetch pantheon_plus` puts them.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Brout et al. 2022, arXiv:2202.04077; Scolnic et al. 2022, arXiv:2112.03863.
    """
    place = official_folder(NAME, folder)
    columns = read_table(official_file(NAME, place, "Pantheon+SH0ES.dat"), ("zHD", "zHEL", "m_b_corr"))
    covariance = _covariance(official_file(NAME, place, "Pantheon+SH0ES_STAT+SYS.cov"), columns["zHD"].size)
    kept = columns["zHD"] > MINIMUM_REDSHIFT
    return SupernovaData(
        redshift=columns["zHD"][kept],
        distance_modulus=columns["m_b_corr"][kept],
        covariance=covariance[np.ix_(kept, kept)],
        heliocentric_redshift=columns["zHEL"][kept],
    )


def _covariance(path: Path, size: int) -> Float[np.ndarray, "row row"]:
    """The number of rows, then all elements, one a line."""
    try:
        numbers = np.loadtxt(path, ndmin=1)
    except ValueError as error:
        raise DataError(f"{path} is damaged: {str(error).rstrip('.')}; fetch it again.") from error
    if numbers.size != 1 + size**2 or numbers[0] != size:
        raise DataError(
            f"{path} holds {numbers.size} numbers, but {size} light curves need {size}^2 and their count; "
            "fetch it again."
        )
    covariance = numbers[1:].reshape(size, size)
    check_covariance(path, covariance)
    return covariance
