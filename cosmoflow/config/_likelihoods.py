"""`[likelihood.NAME]`: the known data sets, and data of the user's own, each with its table and what builds it."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError, create_model

from .. import datasets
from ..cosmology import CosmoPowerCMB
from ..datasets import (
    QUANTITIES,
    BAOData,
    ChronometerData,
    GrowthData,
    Measurements,
    SupernovaData,
    TwoPointData,
    read_measurements,
    read_sacc,
    read_two_point_fits,
)
from ..likelihoods import (
    BAO,
    AbstractLikelihood,
    Chronometers,
    CompressedCMB,
    GaussianConstraint,
    GaussianMixture,
    GrowthRate,
    PlanckLite,
    Supernovae,
    TwoPoint,
)
from ._errors import refusal, refusal_within
from ._field_tables import FieldTable
from ._fields import build_field
from ._likelihood_tables import (
    BAOTable,
    DESITable,
    GaussianMixtureTable,
    MeasurementsTable,
    PlanckLiteTable,
    RadiationTable,
    SupernovaeTable,
    TwoPointDataTable,
)
from ._python import PythonTable, from_python
from ._table import Table

Builder = Callable[..., AbstractLikelihood]


class Kind(NamedTuple):
    """A table, and what makes the likelihood: `build(folder, **keys of the table)`, with the configuration's folder."""

    table: type[Table]
    build: Builder


def _published(read: Callable[[], Any], likelihood: Builder) -> Builder:
    return lambda folder, **options: likelihood(read(), **options)


def _number(read: Callable[[], datasets.Measurement]) -> Builder:
    return lambda folder: GaussianConstraint(*read())


def _desi(read: Callable[..., BAOData]) -> Builder:
    return lambda folder, tracers, **options: BAO(read(tracers), **options)


def _planck_lite(folder: Path, *, spectra: Any, emulator: str, amplitude: Any) -> PlanckLite:
    data = datasets.planck2018_lite(spectra=spectra)
    return PlanckLite(data, CosmoPowerCMB(amplitude))


def _two_point(
    data: TwoPointData, *, statistics: tuple[str, ...] | None, scale_cuts: dict[str, Any], **options: Any
) -> TwoPoint:
    chosen = data if statistics is None else data.only(*statistics)
    return TwoPoint(chosen.between(scale_cuts), **options)


def _two_point_file(key: str, read: Callable[[Path], TwoPointData]) -> Kind:
    """Data of the user's own in a file of some format."""
    table = create_model(f"Own{key.title()}", __base__=TwoPointDataTable, **{key: (str, ...)})  # type: ignore[call-overload]
    return Kind(table, lambda folder, **options: _two_point(read(folder / options.pop(key)), **options))


def _measured(options: type[Table], make: Builder, quantities: tuple[str, ...] = ()) -> Kind:
    """Data of the user's own as `make(measurements, **options)`."""

    def build(
        folder: Path, *, observable: str, values: str, covariance: str | None, **options: Any
    ) -> AbstractLikelihood:
        matrix = None if covariance is None else folder / covariance
        return make(read_measurements(folder / values, matrix, quantities=quantities), **options)

    return Kind(create_model(f"Own{options.__name__}", __base__=(MeasurementsTable, options)), build)


def _bao(measured: Measurements, quantity: str | None = None, **options: Any) -> BAO:
    names = measured.quantity if quantity is None else (quantity,) * measured.value.size
    return BAO(BAOData(measured.redshift, names, measured.value, measured.covariance), **options)


def _supernovae(measured: Measurements, **options: Any) -> Supernovae:
    if measured.value.size < 2:
        raise ValueError("one distance modulus says nothing, since its offset is free; give two or more")
    return Supernovae(SupernovaData(measured.redshift, measured.value, measured.covariance), **options)


def _chronometers(measured: Measurements, **options: Any) -> Chronometers:
    return Chronometers(ChronometerData(measured.redshift, measured.value, measured.covariance), **options)


def _growth_rate(measured: Measurements, **options: Any) -> GrowthRate:
    return GrowthRate(GrowthData(measured.redshift, measured.value, measured.covariance), **options)


LIKELIHOODS: dict[str, Kind] = {
    "desi_dr2_bao": Kind(DESITable, _desi(datasets.desi_dr2_bao)),
    "union3": Kind(SupernovaeTable, _published(datasets.union3, Supernovae)),
    "desi_dr1_bao": Kind(DESITable, _desi(datasets.desi_dr1_bao)),
    "sdss_dr12_lrg_bao": Kind(BAOTable, _published(datasets.sdss_dr12_lrg_bao, BAO)),
    "sdss_dr16_lrg_bao": Kind(BAOTable, _published(datasets.sdss_dr16_lrg_bao, BAO)),
    "sdss_dr16_qso_bao": Kind(BAOTable, _published(datasets.sdss_dr16_qso_bao, BAO)),
    "sdss_dr16_lrg_full_shape": Kind(BAOTable, _published(datasets.sdss_dr16_lrg_full_shape, BAO)),
    "sdss_dr16_qso_full_shape": Kind(BAOTable, _published(datasets.sdss_dr16_qso_full_shape, BAO)),
    "pantheon_plus": Kind(SupernovaeTable, _published(datasets.pantheon_plus, Supernovae)),
    "des_dovekie": Kind(SupernovaeTable, _published(datasets.des_dovekie, Supernovae)),
    "cosmic_chronometers": Kind(RadiationTable, _published(datasets.cosmic_chronometers, Chronometers)),
    "fsigma8_gold2018": Kind(RadiationTable, _published(datasets.fsigma8_gold2018, GrowthRate)),
    "desi_compressed_cmb": Kind(Table, _published(datasets.desi_compressed_cmb, CompressedCMB)),
    "planck2018_distance_priors": Kind(Table, _published(datasets.planck2018_distance_priors, CompressedCMB)),
    "bbn_schoeneberg2024": Kind(Table, _number(datasets.bbn_schoeneberg2024)),
    "h0_shoes2022": Kind(Table, _number(datasets.h0_shoes2022)),
    "planck2018_lite": Kind(PlanckLiteTable, _planck_lite),
    "des_y1_3x2pt": Kind(TwoPointDataTable, _published(datasets.des_y1_3x2pt, _two_point)),
    "gaussian_mixture": Kind(GaussianMixtureTable, lambda folder, **options: GaussianMixture(**options)),
}
"""The known names."""

OVERLAPPING: tuple[set[str], ...] = (
    {"desi_dr1_bao", "desi_dr2_bao"},
    {"sdss_dr12_lrg_bao", "sdss_dr16_lrg_full_shape"},
    {"sdss_dr16_lrg_bao", "sdss_dr16_lrg_full_shape"},
    {"sdss_dr16_qso_bao", "sdss_dr16_qso_full_shape"},
    {"fsigma8_gold2018", "sdss_dr16_lrg_full_shape"},
    {"fsigma8_gold2018", "sdss_dr16_qso_full_shape"},
    {"des_dovekie", "pantheon_plus", "union3"},
    {"desi_compressed_cmb", "planck2018_distance_priors", "planck2018_lite"},
)
"""Sets that hold the same galaxies, supernovae or sky: two of them are not independent."""

OBSERVABLES: dict[str, Kind] = {
    "bao": _measured(BAOTable, _bao, QUANTITIES),
    "DM_over_rd": _measured(BAOTable, partial(_bao, quantity="DM_over_rd")),
    "DH_over_rd": _measured(BAOTable, partial(_bao, quantity="DH_over_rd")),
    "DV_over_rd": _measured(BAOTable, partial(_bao, quantity="DV_over_rd")),
    "distance_modulus": _measured(SupernovaeTable, _supernovae),
    "hubble_rate": _measured(RadiationTable, _chronometers),
    "f_sigma8": _measured(RadiationTable, _growth_rate),
}
"""What the user's own values may be."""

FILES: dict[str, Kind] = {
    "sacc": _two_point_file("sacc", read_sacc),
    "two_point_fits": _two_point_file("two_point_fits", read_two_point_fits),
    "field": Kind(FieldTable, build_field),
}
"""Keys that name a file of the user's own two-point functions, or of an observed field."""


def read_tables(tables: dict[str, Any]) -> dict[str, Table]:
    """The tables of `[likelihood]`, checked; the known sets in their order, then the user's own by name.

    Raises:
        PydanticCustomError: There are none, a name is unknown, or a table holds what it may not.
    """
    if not tables:
        raise refusal(f"names no data; add one of {', '.join(LIKELIHOODS)}")
    known = [name for name in LIKELIHOODS if name in tables]
    for group in OVERLAPPING:
        if len(shared := [name for name in known if name in group]) > 1:
            raise refusal(f"holds data that {shared[0]} holds as well; keep one of them", key=shared[1])
    fields = [name for name, table in tables.items() if isinstance(table, dict) and "field" in table]
    if len(fields) > 1:
        raise refusal(f"is a field beside {fields[0]}, but a run infers one; keep one of them", key=fields[1])
    read = {}
    for name in (*known, *sorted(tables.keys() - set(known))):
        try:
            read[name] = _kind(name, tables[name]).table.model_validate(tables[name])
        except ValidationError as error:
            raise refusal_within(error, name, tables[name]) from error
    return read


def build_member(name: str, table: Table, folder: Path, **layout: Any) -> AbstractLikelihood:
    """The likelihood of one table; paths are relative to `folder`, and the layout says how many devices a field has.

    Raises:
        ValueError: The likelihood refuses its options or its data.
        DataError: A file is missing or damaged, or holds what is no measurement.
    """
    options = table.model_dump()
    return _kind(name, options).build(folder, **options, **layout)


def _kind(name: str, table: Any) -> Kind:
    if name in LIKELIHOODS:
        return LIKELIHOODS[name]
    keys = table.keys() if isinstance(table, dict) else set()
    if keys and not re.fullmatch(r"\w[\w.-]*", name):
        raise refusal("is not a name; use letters, digits and underscores", key=name)
    if "python" in keys:
        return Kind(PythonTable, from_python)
    if formats := [key for key in FILES if key in keys]:
        return FILES[formats[0]]
    if not keys & MeasurementsTable.model_fields.keys():
        close = get_close_matches(name, LIKELIHOODS, n=1)
        raise refusal(
            f"is not a known key; the nearest known is {close[0]!r}"
            if close
            else f"is not a known key; the known keys are {', '.join(LIKELIHOODS)}, and data of your own need the keys "
            f"observable and values, or {', '.join(FILES)} or python",
            key=name,
        )
    observable = table.get("observable")
    if observable not in OBSERVABLES:
        close = get_close_matches(str(observable), OBSERVABLES, n=1)
        hint = f"the nearest known is {close[0]!r}" if close else f"choose one of {', '.join(OBSERVABLES)}"
        told = "is missing" if observable is None else f"is {observable!r}, which is not known"
        raise refusal(f"{told}; {hint}", key=f"{name}.observable")
    return OBSERVABLES[observable]
