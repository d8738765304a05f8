"""SACC files, FITS or HDF5, and the DES Y1 data in one of them."""

from pathlib import Path
from typing import Any

import numpy as np

from ._covariance import checked_covariance
from ._location import DataError
from ._official import official_file, official_folder
from ._two_point import RedshiftDistribution, TwoPointData

_STATISTICS = {
    "galaxy_shear_xi_plus": "xi_plus",
    "galaxy_shear_xi_minus": "xi_minus",
    "galaxy_shearDensity_xi_t": "gamma_t",
    "galaxy_density_xi": "w",
    "galaxy_shear_cl_ee": "cl_ee",
    "galaxy_shearDensity_cl_e": "cl_ge",
    "galaxy_density_cl": "cl_gg",
}


def read_sacc(path: str | Path) -> TwoPointData:
    """The galaxy two-point functions of a SACC file, with windows where they are bandpowers.

    Needs the package sacc. Other data in the file, such as B modes, are left out with their rows of the covariance.

    Args:
        path: A file of SACC FITS (`.fits`, `.sacc`) or SACC HDF5 (`.h5`, `.hdf5`).

    Raises:
        DataError: If it is missing, no SACC file, or holds something wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"The SACC file {path} is missing; check its name.")
    try:
        import sacc
    except ImportError as error:
        raise DataError(f"Reading {path} needs the package sacc; pip install 'cosmoflow[sacc]'.") from error
    try:
        load = sacc.Sacc.load_hdf5 if path.suffix in (".h5", ".hdf5") else sacc.Sacc.load_fits
        file = load(str(path))
    except Exception as error:
        raise DataError(f"The file {path} is no SACC file that can be read: {error}") from error
    index = [i for i, point in enumerate(file.data) if point.data_type in _STATISTICS]
    if not index:
        raise DataError(f"The SACC file {path} holds none of {', '.join(_STATISTICS)}; add one.")
    if file.covariance is None:
        raise DataError(f"The SACC file {path} has no covariance; add it.")
    points = [file.data[i] for i in index]
    covariance = np.asarray(file.covariance.dense, float)[np.ix_(index, index)]
    covariance = checked_covariance(covariance, f"The covariance in {path}")
    distributions = {}
    for name in dict.fromkeys(name for point in points for name in point.tracers):
        tracer = file.tracers[name]
        try:
            distributions[name] = RedshiftDistribution(np.asarray(tracer.z, float), np.asarray(tracer.nz, float))
        except (AttributeError, ValueError) as error:
            raise DataError(f"The bin {name!r} in {path} has no usable redshift distribution: {error}.") from error
    sources = _sources(file, points, path)
    pairs = [_ordered(_STATISTICS[point.data_type], point.tracers, sources) for point in points]
    angles = [point.tags.get("theta", point.tags.get("ell")) for point in points]
    try:
        return TwoPointData(
            statistic=tuple(_STATISTICS[point.data_type] for point in points),
            first=tuple(first for first, _ in pairs),
            second=tuple(second for _, second in pairs),
            angle=np.array(angles, float),
            value=np.array([point.value for point in points], float),
            covariance=covariance,
            distributions=distributions,
            window=_window(points),
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"The SACC file {path} is not usable: {error}") from error


def des_y1_3x2pt(folder: str | Path | None = None) -> TwoPointData:
    """DES Y1: cosmic shear, galaxy-galaxy lensing and clustering, 457 numbers within the published scale cuts.

    The angles are centres of twenty bins, equal in the logarithm, from 2.5 to 250 arcmin.

    Args:
        folder: Where `des_y1_3x2pt_sacc.hdf5` lies; if None, where `cosmoflow data fetch des_y1_3x2pt` puts it.

    Raises:
        DataError: If the file is missing or damaged.

    References:
        Abbott et al. 2018, arXiv:1708.01530.
    """
    name = "des_y1_3x2pt"
    return read_sacc(official_file(name, official_folder(name, folder), "des_y1_3x2pt_sacc.hdf5"))


def _sources(file: Any, points: list[Any], path: Path) -> set[str]:
    """Names of the tracers whose shapes are used."""
    sources = {name for point in points if "shear_" in point.data_type for name in point.tracers}
    lenses = {name for point in points if "density_" in point.data_type for name in point.tracers}
    for name, tracer in file.tracers.items():
        if getattr(tracer, "quantity", "") == "galaxy_shear":
            sources.add(name)
        if getattr(tracer, "quantity", "") == "galaxy_density":
            lenses.add(name)
    for point in points:
        if "shearDensity" in point.data_type and len(sources & set(point.tracers)) != 1:
            first, second = point.tracers
            if first in lenses or second in lenses:
                sources.add(second if first in lenses else first)
            else:
                raise DataError(f"{path} does not say which of {first} and {second} has shapes; set their quantity.")
    return sources


def _ordered(statistic: str, tracers: tuple[str, str], sources: set[str]) -> tuple[str, str]:
    """Lens before source."""
    first, second = tracers
    return (second, first) if statistic in ("gamma_t", "cl_ge") and first in sources else (first, second)


def _window(points: list[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """The windows of bandpowers on one range of multipoles."""
    windows = [point.tags.get("window") for point in points]
    if any(window is None for window in windows):
        return None
    multipole = np.unique(np.concatenate([np.asarray(window.values) for window in windows])).astype(float)
    multipole = multipole[multipole >= 1]
    weights = np.zeros((len(points), multipole.size))
    for row, (point, window) in enumerate(zip(points, windows, strict=True)):
        weight = np.asarray(window.weight)
        weight = weight[:, point.tags["window_ind"]] if weight.ndim == 2 else weight
        values = np.asarray(window.values)
        weights[row, np.searchsorted(multipole, values[values >= 1])] = weight[values >= 1]
    return multipole, weights
