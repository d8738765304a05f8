"""Tables of the sampler: one per kind, with the options of the constructor it stands for."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from ._errors import refusal
from ._table import Positive, Table

Probability = Annotated[float, Field(gt=0, lt=1)]


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
    persistence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.2
    target_acceptance: Probability = 0.8


class NUTSTable(Table):
    """The No-U-Turn sampler; the step size is where its tuning starts."""

    kind: Literal["nuts"]
    step_size: Positive = 0.5
    max_doublings: PositiveInt = 10
    target_acceptance: Probability = 0.8


class IndependenceTable(Table):
    """Independence Metropolis from N(0, I)."""

    kind: Literal["independence"]


Simple = Annotated[ZigZagTable | GHMCTable | NUTSTable | IndependenceTable, Field(discriminator="kind")]


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
    ZigZagTable | GHMCTable | NUTSTable | IndependenceTable | TemperingTable | MixtureTable,
    Field(discriminator="kind"),
]
