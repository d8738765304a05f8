"""`[likelihood.NAME]`: the known data sets, and data of the user's own, each with its table and what builds it."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError, create_model

from ..datasets import QUANTITIES, BAOData, Measurements, SupernovaData, desi_dr2_bao, read_measurements, union3
from ..likelihoods import BAO, AbstractLikelihood, GaussianMixture, Supernovae
from ._errors import refusal, refusal_within
from ._python import PythonTable, from_python
from ._table import Number, Positive, Table

Builder = Callable[..., AbstractLikelihood]


class BAOTable(Table):
    """Options of `cosmoflow.likelihoods.BAO`."""

    sound_horizon: Literal["free", "given", "computed"] = "free"
    radiation: bool = False


class SupernovaeTable(Table):
    """Options of `cosmoflow.likelihoods.Supernovae`."""

    radiation: bool = False


class GaussianMixtureTable(Table):
    """Arguments of `cosmoflow.likelihoods.GaussianMixture`: a likelihood without data, to try samplers on."""

    parameters: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    weights: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]
    means: Annotated[tuple[Annotated[tuple[Number, ...], Field(strict=False)], ...], Field(strict=False)]
    sd: Positive = 1.0


class MeasurementsTable(Table):
    """Data of the user's own, in text files; the options of their likelihood stand in the same table."""

    observable: str
    values: str
    covariance: str | None = None


class Kind(NamedTuple):
    """A table, and what makes the likelihood: `build(folder, **keys of the table)`, with the configuration's folder."""

    table: type[Table]
    build: Builder


def _shipped(read: Callable[[], Any], likelihood: Builder) -> Builder:
    return lambda folder, **options: likelihood(read(), **options)


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


LIKELIHOODS: dict[str, Kind] = {
    "desi_dr2_bao": Kind(BAOTable, _shipped(desi_dr2_bao, BAO)),
    "union3": Kind(SupernovaeTable, _shipped(union3, Supernovae)),
    "gaussian_mixture": Kind(GaussianMixtureTable, lambda folder, **options: GaussianMixture(**options)),
}
"""The known names."""

OBSERVABLES: dict[str, Kind] = {
    "bao": _measured(BAOTable, _bao, QUANTITIES),
    "DM_over_rd": _measured(BAOTable, partial(_bao, quantity="DM_over_rd")),
    "DH_over_rd": _measured(BAOTable, partial(_bao, quantity="DH_over_rd")),
    "DV_over_rd": _measured(BAOTable, partial(_bao, quantity="DV_over_rd")),
    "distance_modulus": _measured(SupernovaeTable, _supernovae),
}
"""What the user's own values may be."""


def read_tables(tables: dict[str, Any]) -> dict[str, Table]:
    """The tables of `[likelihood]`, checked; the known sets in their order, then the user's own by name.

    Raises:
        PydanticCustomError: There are none, a name is unknown, or a table holds what it may not.
    """
    if not tables:
        raise refusal(f"names no data; add one of {', '.join(LIKELIHOODS)}")
    known = [name for name in LIKELIHOODS if name in tables]
    read = {}
    for name in (*known, *sorted(tables.keys() - set(known))):
        try:
            read[name] = _kind(name, tables[name]).table.model_validate(tables[name])
        except ValidationError as error:
            raise refusal_within(error, name, tables[name]) from error
    return read


def build_member(name: str, table: Table, folder: Path) -> AbstractLikelihood:
    """The likelihood of one table; paths are relative to `folder`.

    Raises:
        ValueError: The likelihood refuses its options or its data.
        DataError: A file is missing or damaged, or holds what is no measurement.
    """
    options = table.model_dump()
    return _kind(name, options).build(folder, **options)


def _kind(name: str, table: Any) -> Kind:
    if name in LIKELIHOODS:
        return LIKELIHOODS[name]
    keys = table.keys() if isinstance(table, dict) else set()
    if keys and not re.fullmatch(r"\w[\w.-]*", name):
        raise refusal("is not a name; use letters, digits and underscores", key=name)
    if "python" in keys:
        return Kind(PythonTable, from_python)
    if not keys & MeasurementsTable.model_fields.keys():
        close = get_close_matches(name, LIKELIHOODS, n=1)
        raise refusal(
            f"is not a known key; the nearest known is {close[0]!r}"
            if close
            else f"is not a known key; the known keys are {', '.join(LIKELIHOODS)}, and data of your own need the keys "
            "observable and values, or python",
            key=name,
        )
    observable = table.get("observable")
    if observable not in OBSERVABLES:
        close = get_close_matches(str(observable), OBSERVABLES, n=1)
        hint = f"the nearest known is {close[0]!r}" if close else f"choose one of {', '.join(OBSERVABLES)}"
        told = "is missing" if observable is None else f"is {observable!r}, which is not known"
        raise refusal(f"{told}; {hint}", key=f"{name}.observable")
    return OBSERVABLES[observable]
