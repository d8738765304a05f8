"""The options of likelihoods, as tables `[likelihood.NAME]`; their defaults are those of the constructors."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ._table import Number, Positive, Table

Statistic = Literal["xi_plus", "xi_minus", "gamma_t", "w", "cl_ee", "cl_ge", "cl_gg"]


class BAOTable(Table):
    """Options of `cosmoflow.likelihoods.BAO`."""

    sound_horizon: Literal["free", "given", "computed"] = "free"
    radiation: bool = False


class DESITable(BAOTable):
    """Those, and which tracers are used; all where nothing is said."""

    tracers: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None


class SupernovaeTable(Table):
    """Options of `cosmoflow.likelihoods.Supernovae`."""

    absolute_magnitude: Literal["marginalized", "free"] = "marginalized"
    radiation: bool = False


class RadiationTable(Table):
    """Options of `cosmoflow.likelihoods.Chronometers` and `GrowthRate`."""

    radiation: bool = False


class PlanckLiteTable(Table):
    """Options of `cosmoflow.datasets.planck2018_lite`, and the theory, `cosmoflow.cosmology.CosmoPowerCMB`."""

    spectra: Literal["TT", "TTTEEE"] = "TTTEEE"
    emulator: Literal["cosmopower"] = "cosmopower"
    amplitude: Literal["logA", "A_s"] = "logA"


class TwoPointTable(Table):
    """Options of `cosmoflow.likelihoods.TwoPoint`."""

    amplitude: Literal["A_s", "sigma8"] = "A_s"
    magnification: bool = False
    redshift_space: bool = False
    alignment_pivot: Number = 0.62
    nonlinear: bool = True
    transfer: Literal["eisenstein_hu", "emu_pk"] = "eisenstein_hu"
    num_redshifts: PositiveInt = 200
    precision: Literal["single", "double"] = "double"


class TwoPointDataTable(TwoPointTable):
    """Those, and which rows are used: all, or some statistics, within least and greatest scales."""

    statistics: Annotated[tuple[Statistic, ...], Field(strict=False, min_length=1)] | None = None
    scale_cuts: dict[str, Annotated[tuple[Number, Number], Field(strict=False)]] = Field(default_factory=dict)


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
