"""Tables of the prior: one per distribution, named and parametrised like the constructor it stands for."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ._errors import refusal
from ._table import Number, Positive, Table

Vertex = Annotated[tuple[Number, Number], Field(strict=False)]


class _Interval(Table):
    @model_validator(mode="after")
    def _ends_in_order(self) -> "_Interval":
        low, high = self.low, self.high  # type: ignore[attr-defined]
        if not low < high:
            raise refusal(f"is {low:g}, which is not below high = {high:g}; exchange the bounds", key="low")
        return self


class UniformTable(_Interval):
    """`{ distribution = "uniform", low = 0.01, high = 0.99 }`."""

    distribution: Literal["uniform"]
    low: Number
    high: Number


class NormalTable(Table):
    """`{ distribution = "normal", mean = 0.0, sd = 1.0 }`."""

    distribution: Literal["normal"]
    mean: Number
    sd: Positive


class TruncatedNormalTable(_Interval):
    """`{ distribution = "truncated_normal", mean = 0.0, sd = 1.0, low = 0.0 }`, with one end or both."""

    distribution: Literal["truncated_normal"]
    mean: Number
    sd: Positive
    low: float = -math.inf
    high: float = math.inf


class LogNormalTable(Table):
    """`{ distribution = "log_normal", mu = 0.0, sigma = 1.0 }`, mean and deviation of the logarithm."""

    distribution: Literal["log_normal"]
    mu: Number
    sigma: Positive


class DeltaTable(Table):
    """`{ distribution = "delta", value = -1.0 }`: a parameter held fixed."""

    distribution: Literal["delta"]
    value: Number


class UniformPolygonTable(Table):
    """`"w0, wa" = { distribution = "uniform_polygon", vertices = [[-3, -3], [1, -3], [-3, 1]] }`, uniform by area."""

    distribution: Literal["uniform_polygon"]
    vertices: Annotated[tuple[Vertex, ...], Field(strict=False, min_length=3)]


Distribution = Annotated[
    UniformTable | NormalTable | TruncatedNormalTable | LogNormalTable | DeltaTable | UniformPolygonTable,
    Field(discriminator="distribution"),
]


def parameter_names(key: str) -> tuple[str, ...]:
    """The parameters that a key of the prior speaks of: `Omega_m`, or `w0, wa`."""
    return tuple(name.strip() for name in key.split(","))


def bounds(key: str, table: Distribution) -> dict[str, tuple[float, float]]:
    """The least and greatest values that each parameter can have; infinite where there is no end."""
    names = parameter_names(key)
    match table:
        case UniformTable() | TruncatedNormalTable():
            return {names[0]: (table.low, table.high)}
        case DeltaTable():
            return {names[0]: (table.value, table.value)}
        case UniformPolygonTable():
            columns = zip(*table.vertices, strict=True)
            return {name: (min(column), max(column)) for name, column in zip(names, columns, strict=True)}
        case _:
            return {names[0]: (-math.inf, math.inf)}
