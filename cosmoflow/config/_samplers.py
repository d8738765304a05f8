"""Tables of the sampler: one per kind, with the options of the constructor it stands for."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from ._errors import refusal
from ._table import Positive, Table

Probability = Annotated[float, Field(gt=0, lt=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class AutoTable(Table):
    """The sampler that the warm-up finds best."""

    kind: Literal["auto"]


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


class KineticLangevinTable(Table):
    """Langevin dynamics without a test, biased where the target is not Gaussian; the step size is where its tuning
    starts.
    """

    kind: Literal["kinetic_langevin"]
    step_size: Positive = 0.1
    decoherence: Positive = 1.0
    bias: Positive = 0.1


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


class HybridSplittingTable(Table):
    """The hybrid of reflections and event chains; the steps are where its tuning starts."""

    kind: Literal["hybrid_splitting"]
    reflection_step: Positive = 1.0
    event_chain_step: Positive = 0.5
    reflection_probability: Fraction = 0.5
    persistence: Fraction = 0.6
    num_steps: PositiveInt = 1
    reflection_acceptance: Probability = 0.85
    event_chain_acceptance: Probability = 0.8
    boomerang: bool = False


class BouncyParticleSplittingTable(Table):
    """The splitting of the bouncy particle; the step size is where its tuning starts."""

    kind: Literal["bouncy_particle_splitting"]
    step_size: Positive = 0.5
    persistence: Fraction = 0.9
    num_steps: PositiveInt = 1
    jitter: Fraction = 0.2
    target_acceptance: Probability = 0.9
    max_jumps: Positive = 0.5
    boomerang: bool = False


class ForwardEventChainSplittingTable(Table):
    """The splitting of the forward event chain; the step size is where its tuning starts."""

    kind: Literal["forward_event_chain_splitting"]
    step_size: Positive = 0.5
    persistence: Fraction = 0.98
    jump_persistence: Fraction = 0.7
    num_steps: PositiveInt = 1
    jitter: Fraction = 0.2
    target_acceptance: Probability = 0.8
    max_jumps: Positive = 0.9
    boomerang: bool = False


class ZigZagSplittingTable(Table):
    """The splitting of the zig-zag process; the step size is where its tuning starts."""

    kind: Literal["zig_zag_splitting"]
    step_size: Positive = 0.5
    persistence: Fraction = 0.9
    num_steps: PositiveInt = 1
    jitter: Fraction = 0.2
    target_acceptance: Probability = 0.8
    boomerang: bool = False


class CoordinateSplittingTable(Table):
    """The splitting of the coordinate sampler; the step size is where its tuning starts."""

    kind: Literal["coordinate_splitting"]
    step_size: Positive = 0.5
    persistence: Fraction = 0.98
    num_steps: PositiveInt = 1
    jitter: Fraction = 0.2
    target_acceptance: Probability = 0.8
    max_jumps: Positive = 0.9


class DiscreteBouncyParticleTable(Table):
    """The discrete bouncy particle sampler; the step size is where its tuning starts."""

    kind: Literal["discrete_bouncy_particle"]
    step_size: Positive = 0.5
    persistence: Fraction = 0.9
    num_steps: PositiveInt = 1
    target_acceptance: Probability = 0.9
    max_bounces: Positive = 0.5


class HugAndHopTable(Table):
    """Hug and Hop; step and scale are where their tuning starts."""

    kind: Literal["hug_and_hop"]
    hug_step: Positive = 0.5
    hop_scale: Positive = 2.0
    hop_width: Positive = 0.5
    num_bounces: PositiveInt = 4
    hug_acceptance: Probability = 0.8
    hop_acceptance: Probability = 0.5


class IndependenceTable(Table):
    """Independence Metropolis from a defensive mixture around N(0, I)."""

    kind: Literal["independence"]
    wide_probability: Fraction = 0.5


Simple = Annotated[
    ZigZagTable
    | BouncyParticleTable
    | ForwardEventChainTable
    | BoomerangTable
    | CoordinateSamplerTable
    | GHMCTable
    | LangevinTable
    | MCLMCTable
    | KineticLangevinTable
    | AdjustedMCLMCTable
    | MALTTable
    | NUTSTable
    | HybridSplittingTable
    | BouncyParticleSplittingTable
    | ForwardEventChainSplittingTable
    | ZigZagSplittingTable
    | CoordinateSplittingTable
    | DiscreteBouncyParticleTable
    | HugAndHopTable
    | IndependenceTable,
    Field(discriminator="kind"),
]


class TemperingTable(Table):
    """Parallel tempering; `[sampler.inner]` is the sampler that explores its rungs."""

    kind: Literal["tempering"]
    num_rungs: Annotated[int, Field(ge=3)] = 12
    rounds: PositiveInt = 4
    inner: Simple | None = None


class MixtureTable(Table):
    """Several samplers, of which one makes each draw; every `[[sampler.members]]` is one of them."""

    kind: Literal["mixture"]
    probabilities: Annotated[tuple[Positive, ...], Field(strict=False)] | None = None
    members: Annotated[tuple[Simple, ...], Field(strict=False, min_length=2)]

    @model_validator(mode="after")
    def _one_probability_each(self) -> "MixtureTable":
        if self.probabilities is not None and len(self.probabilities) != len(self.members):
            raise refusal(
                f"are {len(self.probabilities)}, but there are {len(self.members)} members; give one for each",
                key="probabilities",
            )
        return self


Sampler = Annotated[
    Simple | Annotated[AutoTable | TemperingTable | MixtureTable, Field(discriminator="kind")],
    Field(discriminator="kind"),
]
