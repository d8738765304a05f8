"""Planck's compressed temperature and polarisation spectra at high multipoles."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from ._location import DataError
from ._official import official_folder

SPECTRA = {"TT": 215, "TE": 199, "EE": 199}  # bandpowers of each, in the order of the files
FIRST_MULTIPOLE = 30


@dataclass(frozen=True, eq=False)
class PlanckLiteData:
    """Bandpowers of the lensed CMB, cleaned of foregrounds: the mean of C_ell over a bin, with weights.

    Args:
        spectrum: What each bandpower is: `TT`, `TE` or `EE`, those of one spectrum side by side.
        bandpower: The measured values of C_ell [muK^2], not of D_ell.
        ell_min: First multipole of each bin.
        ell_max: Last multipole of each bin, which belongs to it.
        weight: Weight of each multipole in its bin, from ell = 0.
        covariance: Covariance of the bandpowers [muK^4].

    Raises:
        ValueError: If a spectrum is unknown, the lengths disagree or a bin goes beyond the weights.
    """

    spectrum: tuple[str, ...]
    bandpower: Float[np.ndarray, " data"]
    ell_min: Int[np.ndarray, " data"]
    ell_max: Int[np.ndarray, " data"]
    weight: Float[np.ndarray, " ell"]
    covariance: Float[np.ndarray, "data data"]

    def __post_init__(self):
        size = len(self.spectrum)
        lengths = (self.bandpower.shape, self.ell_min.shape, self.ell_max.shape)
        if set(lengths) != {(size,)} or self.covariance.shape != (size, size):
            raise ValueError(f"{size} spectra need as many bandpowers and bins and a square covariance.")
        for spectrum in self.spectrum:
            if spectrum not in SPECTRA:
                raise ValueError(f"{spectrum!r} is no CMB spectrum; use one of {', '.join(SPECTRA)}.")
        if not np.all((self.ell_min >= 0) & (self.ell_min <= self.ell_max) & (self.ell_max < self.weight.size)):
            raise ValueError(f"The bins must lie between the multipoles 0 and {self.weight.size - 1} of the weights.")


def planck2018_lite(folder: str | Path | None = None, *, spectra: Literal["TT", "TTTEEE"] = "TTTEEE") -> PlanckLiteData:
    """Planck 2018 `plik_lite`: 215 bandpowers of TT, 199 of TE and 199 of EE, from ell = 30 to 2508 or 1996.

    Foregrounds and instrument are marginalised in the covariance; the calibration `A_planck` is left. The official
    files are `cl_cmb_plik_v22.dat`, `blmin.dat`, `blmax.dat`, `bweight.dat` and `c_matrix_plik_v22.dat`, in whose place
    `c_matrix_plik_v22_tril.npz` may stand, the lower triangle row by row under the name `tril`.

    Args:
        folder: Where the files lie; if None, where `cosmoflow data fetch planck2018_lite` puts them.
        spectra: `"TTTEEE"`, or `"TT"` for the temperature alone, with its part of the covariance.

    Raises:
        DataError: If a file is missing or damaged.
        ValueError: If `spectra` is neither.

    References:
        Planck Collaboration V 2020, arXiv:1907.12875; Prince & Dunkley 2019, arXiv:1909.05869.
    """
    if spectra not in ("TT", "TTTEEE"):
        raise ValueError(f"`spectra` is 'TT' or 'TTTEEE', not {spectra!r}.")
    root = official_folder("planck2018_lite", folder)
    size, num_bins = sum(SPECTRA.values()), SPECTRA["TT"]
    first, last = _bins(root, num_bins)
    num_weights = int(last[-1]) + 1
    weight = _numbers(root / "bweight.dat", num_weights, columns=1)[:num_weights, 0]
    table = _numbers(root / "cl_cmb_plik_v22.dat", size, columns=3)[:size]
    covariance = _covariance(root, size)
    wrong = np.flatnonzero(~np.isclose(table[:, 2] ** 2, np.diagonal(covariance), rtol=1e-6, atol=0))
    if wrong.size:
        raise DataError(
            f"Row {wrong[0] + 1} of {root / 'cl_cmb_plik_v22.dat'}: its error {table[wrong[0], 2]:g} is not that of "
            f"the covariance, {np.sqrt(covariance[wrong[0], wrong[0]]):g}; the files do not belong together."
        )
    kept = SPECTRA if spectra == "TTTEEE" else {"TT": SPECTRA["TT"]}
    size = sum(kept.values())
    bins = np.concatenate([np.arange(count) for count in kept.values()])
    return PlanckLiteData(
        spectrum=tuple(name for name, count in kept.items() for _ in range(count)),
        bandpower=table[:size, 1],
        ell_min=FIRST_MULTIPOLE + first[bins],
        ell_max=FIRST_MULTIPOLE + last[bins],
        weight=np.concatenate([np.zeros(FIRST_MULTIPOLE), weight]),
        covariance=covariance[:size, :size],
    )


def _numbers(path: Path, num_rows: int, *, columns: int) -> Float[np.ndarray, "rows columns"]:
    """A table of finite numbers with at least so many rows."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError as error:
        raise _missing(path) from error
    except UnicodeDecodeError as error:
        raise DataError(f"The data file {path} is no text; fetch it again.") from error
    if len(lines) < num_rows:
        raise DataError(f"The data file {path} has {len(lines)} rows where {num_rows} are needed; fetch it again.")
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(entry) for entry in line.split()]
        except ValueError:
            row = []
        if len(row) != columns or not np.all(np.isfinite(row)):
            raise DataError(
                f"Row {number} of {path} does not hold {columns} finite numbers: {line.strip()[:60]!r}; fetch it again."
            )
        rows.append(row)
    return np.array(rows)


def _bins(root: Path, num_bins: int) -> Int[np.ndarray, "2 bins"]:
    """First and last multipole of neighbouring bins, as offsets from the first multipole of all."""
    first, last = (_numbers(root / name, num_bins, columns=1)[:num_bins, 0] for name in ("blmin.dat", "blmax.dat"))
    previous = np.concatenate([[-1], last[:-1]])
    wrong = np.flatnonzero((first != previous + 1) | (last < first) | (last != np.round(last)))
    if wrong.size:
        row = wrong[0]
        raise DataError(
            f"Row {row + 1} of {root / 'blmin.dat'} and blmax.dat: the bin from {first[row]:g} to {last[row]:g} does "
            f"not follow the one before, which ends at {previous[row]:g}; fetch both again."
        )
    return np.array([first, last], int)


def _covariance(root: Path, size: int) -> Float[np.ndarray, "data data"]:
    """The symmetric matrix of which the files hold the lower triangle."""
    original, compact = root / "c_matrix_plik_v22.dat", root / "c_matrix_plik_v22_tril.npz"
    lower = np.zeros((size, size))
    if original.exists():
        content, payload = original.read_bytes(), 8 * size**2
        marker = payload.to_bytes(4, "little")  # Fortran writes the length before and after a record
        if len(content) != payload + 8 or content[:4] != marker or content[-4:] != marker:
            raise DataError(
                f"The data file {original} is no Fortran record of {size} x {size} doubles; fetch it again."
            )
        lower = np.tril(np.frombuffer(content, "<f8", size**2, offset=4).reshape(size, size))
        path = original
    elif compact.exists():
        try:
            with np.load(compact, allow_pickle=False) as archive:
                lower[np.tril_indices(size)] = archive["tril"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"The data file {compact} does not hold the triangle `tril` of a {size} x {size} matrix; fetch it "
                "again."
            ) from error
        path = compact
    else:
        raise _missing(original)
    wrong = np.flatnonzero(~np.all(np.isfinite(lower), axis=1) | (np.diagonal(lower) <= 0))
    if wrong.size:
        raise DataError(f"Row {wrong[0] + 1} of {path} is no row of a covariance; fetch the file again.")
    return lower + lower.T - np.diag(np.diagonal(lower))


def _missing(path: Path) -> DataError:
    return DataError(f"The data file {path} is missing; fetch it with `cosmoflow data fetch planck2018_lite`.")
