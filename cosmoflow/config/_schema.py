"""The configuration of a run: tables that map onto constructors and keyword arguments one to one."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PositiveInt, PrivateAttr, SerializeAsAny, field_validator, model_validator

from ._errors import refusal
from ._likelihoods import read_tables
from ._priors import Distribution, UniformPolygonTable, parameter_names
from ._samplers import AutoTable, Sampler
from ._table import Positive, Table

CALL_BYTES = 2**28
"""What the draws of one compiled call may take."""


class FlowTable(Table):
    """`[flow]`: arguments of `fixed_kinetic_flow` or `learned_kinetic_flow`, whose parts have names here.

    Without this table the posterior is sampled as it is.
    """

    kinetic: Literal["fixed", "learned"] = "fixed"
    num_steps: PositiveInt = 1
    num_maps: PositiveInt = 5
    potential: Literal["network", "bells", "additive"] = "network"
    momentum: Literal["auto", "diagonal", "low_rank", "dense", "bells", "additive"] = "auto"
    width: PositiveInt = 64
    depth: PositiveInt = 2


class TrainingTable(Table):
    """`[training]`: arguments of `fit`, `default_optimizer` and `ReverseKL`."""

    num_steps: PositiveInt = 1000
    learning_rate: Positive = 1e-2
    num_samples: PositiveInt = 256


class WarmupTable(Table):
    """`[warmup]`: arguments of `warmup`."""

    max_gradients: PositiveInt | None = None


class KeepTable(Table):
    """How a parameter is kept: `{ every = 10, dtype = "float32" }`, or not at all: `{ keep = false }`."""

    keep: bool = True
    every: PositiveInt = 1
    mean: bool = False
    dtype: Literal["float32", "float64"] | None = None


class RunTable(Table):
    """`[run]`: arguments of `sample`, the seed, and where the chain goes.

    All but the seed, the number of chains, their blocks and the precision may change when a run is resumed.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    num_chains: PositiveInt = 4
    block: PositiveInt | None = None
    devices: PositiveInt | None = None
    num_draws: PositiveInt = 5000
    chunk: Annotated[int, Field(ge=25)] = 250
    precision: Literal["float32", "float64"] = "float64"
    commit_seconds: Positive = 30.0
    commit_bytes: PositiveInt = 2**26
    max_time: Positive | None = None
    until_ess: Positive | None = None
    until_rhat: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None
    output: str

    def draws_per_call(self, dim: int) -> int:
        """As many as `chunk` says, or fewer where the draws of all chains would take more than `CALL_BYTES`."""
        size = self.num_chains * dim * np.dtype(self.precision).itemsize
        return max(2, min(self.chunk, CALL_BYTES // size))

    @model_validator(mode="after")
    def _blocks_divide_chains(self) -> "RunTable":
        if self.block is not None and self.num_chains % self.block:
            raise refusal(
                f"is {self.block}, but must divide the {self.num_chains} chains of the run; choose a divisor",
                key="block",
            )
        return self

    @field_validator("output")
    @classmethod
    def _is_hdf5(cls, output: str) -> str:
        if Path(output).suffix != ".h5":
            raise refusal(f"is {output!r}, but a chain is an HDF5 file; let its name end in .h5")
        return output


class Config(Table):
    """A whole configuration file."""

    likelihood: dict[str, SerializeAsAny[Table]]
    prior: dict[str, Distribution]
    flow: FlowTable | None = None
    training: TrainingTable = TrainingTable()
    warmup: WarmupTable = WarmupTable()
    sampler: Sampler = AutoTable(kind="auto")
    record: dict[str, KeepTable] = Field(default_factory=dict)
    run: RunTable
    _source: Path = PrivateAttr(default=Path("configuration"))

    @field_validator("likelihood", mode="before")
    @classmethod
    def _by_name(cls, likelihood: Any) -> Any:
        return read_tables(likelihood) if isinstance(likelihood, dict) else likelihood

    @field_validator("prior")
    @classmethod
    def _names_fit(cls, prior: dict[str, Distribution]) -> dict[str, Distribution]:
        for key, distribution in prior.items():
            needed = 2 if isinstance(distribution, UniformPolygonTable) else 1
            names = parameter_names(key)
            if not all(names) or len(names) != needed:
                raise refusal(
                    f"names {len(names)} parameters, but {distribution.distribution} is a distribution of {needed}; "
                    'write parameters that share a distribution as one key, "w0, wa"',
                    key=key,
                )
        counts = Counter(name for key in prior for name in parameter_names(key))
        for name, count in counts.items():
            if count > 1:
                raise refusal("is given more than once; keep one prior for each parameter", key=name)
        return prior

    @property
    def source(self) -> Path:
        """The file that it was read from."""
        return self._source

    @property
    def output(self) -> Path:
        """Where the chain goes, relative to the working folder."""
        return Path(self.run.output)
