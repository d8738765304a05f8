"""The supernovae of the Dark Energy Survey, recalibrated."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float

from ._location import DataError
from ._official import check_covariance, official_file, official_folder, read_table
from ._supernovae import SupernovaData

NAME = "des_dovekie"


def des_dovekie(folder: str | Path | None = None) -> SupernovaData:
    """DES-SN5YR in the Dovekie calibration: 1820 supernovae at redshifts from 0.025 to 1.14.

    The release holds the *inverse* covariance of the distance moduli, as the upper triangle in single precision.

    Args:
        folder: Where the Hubble diagram `*_HD.csv` and the matrix `*STAT+SYS.npz` lie; if None, where
            `cosmoflow data fetch des_dovekie` puts them.

    Raises:
        DataError: If a file is missing or damaged.

    References:
        Popovic et al. 2025, arXiv:2511.07517; DES Collaboration 2024, arXiv:2401.02929.
    """
    place = official_folder(NAME, folder)
    columns = read_table(official_file(NAME, place, "*_HD.csv"), ("zHD", "zHEL", "MU"))
    precision = _precision(official_file(NAME, place, "*STAT+SYS.npz"), columns["zHD"].size)
    covariance = np.linalg.inv(precision)
    return SupernovaData(
        redshift=columns["zHD"],
        distance_modulus=columns["MU"],
        covariance=(covariance + covariance.T) / 2,
        heliocentric_redshift=columns["zHEL"],
    )


def _precision(path: Path, size: int) -> Float[np.ndarray, "row row"]:
    """The number of rows `nsn` and the upper triangle `cov`, row by row."""
    try:
        with path.open("rb") as file, np.load(file) as archive:
            count, elements = int(archive["nsn"].item()), np.asarray(archive["cov"], float)
    except (BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
        raise DataError(f"{path} is no archive of `nsn` and `cov`; fetch it again.") from error
    if count != size or elements.shape != (size * (size + 1) // 2,):
        raise DataError(
            f"{path} holds {elements.size} elements of a triangle of {count} rows, but there are {size} supernovae; "
            "fetch it again."
        )
    precision = np.zeros((size, size))
    precision[np.triu_indices(size)] = elements
    precision += np.triu(precision, 1).T
    check_covariance(path, precision)
    return precision
