"""Tables of the sampler: one per kind, with the options of the constructor it stands for."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ._table import Positive, Table

Probability = Annotated[float, Field(gt=0, lt=1)]


class ZigZagTable(Table):
    """The zig-zag process, and its chord bound on the event rates."""

    kind: Literal["zig_zag"]
    draw_interval: Positive = 1.0
    safety: Positive = 4.0
    num_cells: Annotated[int, Field(ge=2)] = 3


class BouncyParticleTable(Table):
    """The bouncy particle sampler, and its slope bound; interval and refreshment are where their tuning starts."""

    kind: Literal["bouncy_particle"]
    draw_interval: Positive = 1.0
    refreshment_rate: Positive = 1.0
    safety: Positive = 3.0
    num_cells: PositiveInt = 2


class ForwardEventChainTable(Table):
    """The forward event chain, and its slope bound; the interval is where its tuning starts."""

    kind: Literal["forward_event_chain"]
    draw_interval: Positive = 1.0
    renewal: Positive = 1.0
    safety: Positive = 3.0
    num_cells: PositiveInt = 2


class BoomerangTable(Table):
    """The boomerang sampler, and its slope bound; the interval is where its tuning starts."""

    kind: Literal["boomerang"]
    draw_interval: Positive = 1.0
    refreshment_rate: Positive = 0.5
    safety: Positive = 3.0
    num_cells: PositiveInt = 2


class CoordinateSamplerTable(Table):
    """The coordinate sampler, and its slope bound; the interval is where its tuning starts."""

    kind: Literal["coordinate_sampler"]
    draw_interval: Positive = 1.0
    refreshment_rate: Annotated[float, Field(ge=0)] = 0.0
    safety: Positive = 3.0
    num_cells: PositiveInt = 2


class GHMCTable(Table):
    """Generalised Hamiltonian Monte Carlo; the step size is where its tuning starts."""

    kind: Literal["ghmc"]
    step_size: Positive = 0.5
    num_steps: PositiveInt = 4
    persistence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.2
    target_acceptance: Probability = 0.8


class NUTSTable(Table):
    """The No-U-Turn sampler; the step size is where its tuning starts."""

    kind: Literal["nuts"]
    step_size: Positive = 0.5
    max_doublings: PositiveInt = 10
    target_acceptance: Probability = 0.8


Sampler = Annotated[
    ZigZagTable
    | BouncyParticleTable
    | ForwardEventChainTable
    | BoomerangTable
    | CoordinateSamplerTable
    | GHMCTable
    | NUTSTable,
    Field(discriminator="kind"),
]
