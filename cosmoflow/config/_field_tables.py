"""`[likelihood.NAME] field = "FILE"`: an observed field, its forward model and its noise, each by its `kind`."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from ._errors import refusal
from ._table import Positive, Table

Redshift = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class MatterPowerTable(Table):
    """The argument of `LinearMatterPower`."""

    kind: Literal["matter"]
    redshift: Redshift = 0.0


class TodaysMatterPowerTable(Table):
    """`InterpolatedMatterPower` of today."""

    kind: Literal["interpolated_matter"]


class InterpolatedMatterPowerTable(TodaysMatterPowerTable):
    """Arguments of `InterpolatedMatterPower`."""

    redshift: Redshift = 0.0


class ConvergencePowerTable(Table):
    """`ConvergencePower` of the two columns of a text file: redshift, number of sources."""

    kind: Literal["convergence"]
    sources: str
    nonlinear: bool = True


class TabulatedPowerTable(Table):
    """`TabulatedPower` of the two columns of a text file: wave number, power."""

    kind: Literal["table"]
    values: str


Power = Annotated[
    MatterPowerTable | InterpolatedMatterPowerTable | ConvergencePowerTable | TabulatedPowerTable,
    Field(discriminator="kind"),
]


class GaussianFieldTable(Table):
    """Arguments of `GaussianField`."""

    kind: Literal["gaussian"]
    power: Power


class LogNormalFieldTable(Table):
    """Arguments of `LogNormalField`."""

    kind: Literal["log_normal"]
    power: Power
    shift: Positive = 1.0


class LagrangianFieldTable(Table):
    """Arguments of `LagrangianField`."""

    kind: Literal["lagrangian"]
    redshift: Redshift = 0.0
    order: Literal[1, 2] = 2
    line_of_sight: Literal[0, 1, 2] | None = None
    power: TodaysMatterPowerTable | None = None


class ParticleMeshFieldTable(Table):
    """Arguments of `ParticleMeshField`."""

    kind: Literal["particle_mesh"]
    redshift: Redshift = 0.0
    steps: PositiveInt = 5
    start: Positive = 9.0
    line_of_sight: Literal[0, 1, 2] | None = None
    power: TodaysMatterPowerTable | None = None


Model = Annotated[
    GaussianFieldTable | LogNormalFieldTable | LagrangianFieldTable | ParticleMeshFieldTable,
    Field(discriminator="kind"),
]


class GaussianNoiseTable(Table):
    """`GaussianNoise`; without `sd`, that of the file."""

    kind: Literal["gaussian"]
    sd: Positive | None = None


class ShapeNoiseTable(Table):
    """`GaussianNoise.of_shapes`."""

    kind: Literal["shape"]
    shape_noise: Positive
    galaxies_per_arcmin2: Positive


class PoissonNoiseTable(Table):
    """`PoissonNoise`; without `mean_count`, that of the file."""

    kind: Literal["poisson"]
    mean_count: Positive | None = None


class NegativeBinomialNoiseTable(Table):
    """`NegativeBinomialNoise`; without `mean_count`, that of the file."""

    kind: Literal["negative_binomial"]
    mean_count: Positive | None = None
    concentration: Positive


Noise = Annotated[
    GaussianNoiseTable | ShapeNoiseTable | PoissonNoiseTable | NegativeBinomialNoiseTable, Field(discriminator="kind")
]


class FieldTable(Table):
    """Arguments of `FieldLevel`; lengths of the box and the mask are those of the file where they are not given.

    A field in slabs lies over all devices of the run.
    """

    field: str
    model: Model
    noise: Noise
    latents: Literal["fourier", "configuration"] = "fourier"
    box_size: Positive | Annotated[tuple[Positive, ...], Field(strict=False, min_length=2)] | None = None
    mask: str | None = None
    precision: Literal["single", "double"] = "double"
    slabs: bool = False
    halo: PositiveInt | None = None

    @model_validator(mode="after")
    def _check_slabs(self) -> "FieldTable":
        if self.halo is not None and not self.slabs:
            raise refusal("is that of slabs; add slabs = true, or remove it", key="halo")
        if self.slabs and self.latents != "configuration":
            raise refusal('must be "configuration" for a field in slabs; say so', key="latents")
        return self
