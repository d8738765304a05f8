"""The two-point FITS files of DES."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ._covariance import checked_covariance
from ._location import DataError
from ._two_point import CORRELATIONS, RedshiftDistribution, TwoPointData

_STATISTICS = {
    ("G+R", "G+R"): "xi_plus",
    ("G-R", "G-R"): "xi_minus",
    ("GPR", "G+R"): "gamma_t",
    ("GPR", "GPR"): "w",
    ("GEF", "GEF"): "cl_ee",
    ("GPF", "GEF"): "cl_ge",
    ("GPF", "GPF"): "cl_gg",
}


def read_two_point_fits(path: str | Path) -> TwoPointData:
    """The galaxy two-point functions of a file in the format of the package `twopoint`, as DES and KiDS publish them.

    Needs the package astropy. Bins are named `src0`, `src1` where their shapes and `lens0`, `lens1` where their
    positions are used, in the order of the file; n(z) is normalised here, for the format does not ask for it. Where
    there are columns ANGLEMIN and ANGLEMAX, correlations are averages between them. Tables of other quantities, such as
    CMB lensing, are left out with their rows of the covariance.

    Args:
        path: The file.

    Raises:
        DataError: If it is missing, no such file, or holds something wrong.

    References:
        Zuntz et al. 2015, arXiv:1409.3409; https://github.com/joezuntz/2point.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"The two-point file {path} is missing; check its name.")
    try:
        from astropy.io import fits
    except ImportError as error:
        raise DataError(f"Reading {path} needs the package astropy; pip install astropy.") from error
    try:
        with fits.open(path, memmap=False) as file:
            return _two_point(list(file), path)
    except DataError:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"The two-point file {path} is not usable: {error}") from error


def _two_point(units: list[Any], path: Path) -> TwoPointData:
    tables = {unit.name: unit for unit in units if unit.header.get("2PTDATA")}
    kinds = {name: kind for name, table in tables.items() if (kind := _statistic(table.header))}
    tables = {name: tables[name] for name in kinds}
    covariances = [unit for unit in units if unit.header.get("COVDATA") or unit.name == "COVMAT"]
    if not tables:
        raise DataError(
            f"{path} has no table of galaxy two-point functions, flagged 2PTDATA; name a file of the 2-point FITS "
            "format."
        )
    if not covariances:
        raise DataError(f"{path} has no covariance COVMAT; add it.")
    rows = _rows_of_covariance(covariances[0].header, path)
    samples = {unit.name: unit for unit in units if unit.header.get("NZDATA")}
    distributions, parts, index = {}, [], []
    bases = _index_bases(tables, samples, path)
    for name, table in tables.items():
        if name not in rows:
            raise DataError(f"{path} does not say where {name} stands in the covariance; it needs NAME_n and STRT_n.")
        index.append(rows[name] + np.arange(len(table.data)))
        bins = []
        for side in (1, 2):
            sample = table.header[f"KERNEL_{side}"]
            prefix = "lens" if table.header[f"QUANT{side}"].startswith("GP") else "src"
            numbers = np.asarray(table.data[f"BIN{side}"], int) - bases[sample.upper()]
            for number in np.unique(numbers).tolist():
                found = _distribution(samples[sample.upper()], number, path)
                known = distributions.setdefault(f"{prefix}{number}", (sample.upper(), found))
                if known[0] != sample.upper():
                    raise DataError(f"{path} has {prefix}{number} of both {known[0]} and {sample}; use one of them.")
            bins.append([f"{prefix}{number}" for number in numbers.tolist()])
        parts.append(([kinds[name]] * len(table.data), *bins, *_angles(table, kinds[name])))
    statistic, first, second, angle, edges, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    index = np.concatenate(index)
    matrix = np.asarray(covariances[0].data, float)
    if matrix.shape[0] != matrix.shape[1] or index.max() >= len(matrix):
        shape = " x ".join(map(str, matrix.shape))
        raise DataError(
            f"{path} has a {shape} covariance, but its tables have rows up to {index.max() + 1}; write both anew."
        )
    return TwoPointData(
        tuple(statistic.tolist()),
        tuple(first.tolist()),
        tuple(second.tolist()),
        angle,
        value,
        checked_covariance(matrix[np.ix_(index, index)], f"The covariance in {path}"),
        {name: distributions[name][1] for name in sorted(distributions, key=lambda name: (len(name), name))},
        edges=None if np.isnan(edges).all() else edges,
    )


def _statistic(header: Any) -> str | None:
    return _STATISTICS.get((str(header.get("QUANT1")).strip(), str(header.get("QUANT2")).strip()))


def _rows_of_covariance(header: Any, path: Path) -> dict[str, int]:
    """The first row of each table."""
    names = [key for key in header if key.startswith("NAME_")]
    try:
        rows = {str(header[name]).upper(): int(header[name.replace("NAME_", "STRT_")]) for name in names}
    except KeyError as error:
        raise DataError(
            f"The covariance of {path} lacks {error.args[0]}, the first row of a table; write it whole."
        ) from error
    first = min(rows.values(), default=0)  # 0, or 1 in Fortran's manner
    return {name: row - first for name, row in rows.items()}


def _index_bases(tables: dict[str, Any], samples: dict[str, Any], path: Path) -> dict[str, int]:
    """The number of the first bin of each sample: one, or zero where a bin 0 is used."""
    used: dict[str, set[int]] = {}
    for name, table in tables.items():
        for side in (1, 2):
            sample = table.header[f"KERNEL_{side}"].upper()
            if sample not in samples:
                known = ", ".join(samples)
                raise DataError(f"{path} has no redshift distributions {sample}, which {name} names; it has {known}.")
            used.setdefault(sample, set()).update(np.unique(table.data[f"BIN{side}"]).tolist())
    bases = {sample: 0 if 0 in numbers else 1 for sample, numbers in used.items()}
    for sample, numbers in used.items():
        count = sum(name.startswith("BIN") for name in samples[sample].columns.names)
        if not set(numbers) <= set(range(bases[sample], bases[sample] + count)):
            raise DataError(
                f"{path} has bins {min(numbers)} to {max(numbers)} of {sample}, which has {count}; correct them."
            )
    return bases


def _distribution(sample: Any, number: int, path: Path) -> RedshiftDistribution:
    column = [name for name in sample.columns.names if name.startswith("BIN")][number]
    redshift, density = (np.asarray(sample.data[name], float) for name in ("Z_MID", column))
    total = np.trapezoid(density, redshift)
    try:
        return RedshiftDistribution(redshift, density / total if total > 0 else density)
    except ValueError as error:
        raise DataError(f"{column} of {sample.name} in {path} is no usable redshift distribution: {error}.") from error


def _angles(
    table: Any, statistic: str
) -> tuple[Float[np.ndarray, " row"], Float[np.ndarray, "row 2"], Float[np.ndarray, " row"]]:
    """Angles [arcmin] or multipoles, edges of their bins, and values."""
    from astropy.units import Unit

    def column(name: str) -> Float[np.ndarray, " row"]:
        unit = table.columns[name].unit
        factor = Unit(unit).to("arcmin") if unit and statistic in CORRELATIONS else 1.0
        return factor * np.asarray(table.data[name], float)

    edges = np.full((len(table.data), 2), np.nan)
    if statistic in CORRELATIONS and {"ANGLEMIN", "ANGLEMAX"} <= set(table.columns.names):
        edges = np.stack([column("ANGLEMIN"), column("ANGLEMAX")], axis=1)
    return column("ANG"), edges, np.asarray(table.data["VALUE"], float)
