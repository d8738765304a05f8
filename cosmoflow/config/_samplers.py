"""Tables of the sampler: one per kind, with the options of the constructor it stands for."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ._table import Positive, Table

Probability = Annotated[float, Field(gt=0, lt=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class ZigZagTable(Table):
    """The zig-zag process, and its chord bound on the event rates."""

    kind: Literal["zig_zag"]
    draw_interval: Positive = 1.0
    safety: Positive = 4.0
    num_cells: Annotated[int, Field(ge=2)] = 3


class GHMCTable(Table):
    """Generalised Hamiltonian Monte Carlo; the step size is where its tuning starts."""

    kind: Literal["ghmc"]
    step_size: Positive = 0.5
    num_steps: PositiveInt = 4
    persistence: Fraction = 0.0
    jitter: Fraction = 0.2
    spread: Fraction = 0.0
    target_acceptance: Probability = 0.8


class LangevinTable(Table):
    """Metropolised underdamped Langevin dynamics; the step size is where its tuning starts."""

    kind: Literal["langevin"]
    step_size: Positive = 1.0
    decoherence: Positive = 1.0
    level_drift: Positive = 0.1
    num_steps: PositiveInt = 1
    jitter: Fraction = 0.1
    spread: Fraction = 0.0
    target_acceptance: Probability = 0.95


class MCLMCTable(Table):
    """Microcanonical Langevin dynamics, biased at finite steps; the step size is where its tuning starts."""

    kind: Literal["mclmc"]
    step_size: Positive = 0.5
    decoherence: Positive = 1.0
    energy_variance: Positive = 5e-4


class AdjustedMCLMCTable(Table):
    """Microcanonical Langevin dynamics with a Metropolis test; the step size is where its tuning starts."""

    kind: Literal["adjusted_mclmc"]
    step_size: Positive = 0.5
    decoherence: Positive = 2.0
    num_steps: PositiveInt = 4
    spread: Fraction = 0.5
    jitter: Fraction = 0.0
    target_acceptance: Probability = 0.9


class MALTTable(Table):
    """Metropolis-adjusted Langevin trajectories; the step size is where its tuning starts."""

    kind: Literal["malt"]
    step_size: Positive = 0.5
    decoherence: Positive = 2.0
    num_steps: PositiveInt = 4
    spread: Fraction = 0.5
    jitter: Fraction = 0.0
    target_acceptance: Probability = 0.8


class NUTSTable(Table):
    """The No-U-Turn sampler; the step size is where its tuning starts."""

    kind: Literal["nuts"]
    step_size: Positive = 0.5
    max_doublings: PositiveInt = 10
    target_acceptance: Probability = 0.8


Sampler = Annotated[
    ZigZagTable | GHMCTable | LangevinTable | MCLMCTable | AdjustedMCLMCTable | MALTTable | NUTSTable,
    Field(discriminator="kind"),
]
