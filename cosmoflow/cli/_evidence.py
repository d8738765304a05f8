"""What a trained flow knows of the evidence."""

import math
from typing import NamedTuple

import numpy as np

from .._progress import stage
from .._results import RunError, Status
from .._types import Key
from .._verdict import NON_FINITE_BUDGET
from ..chains import ChainStore
from ..flows import HamiltonianFlow, importance_sample
from ..targets import AbstractTarget

_STAGE = "evidence"
NUM_SAMPLES = 10_000
NUM_MOMENTA = 4
_LARGEST_PARETO_K = 0.7


class Evidence(NamedTuple):
    """The log-evidence, its standard error, and the efficiency and the tail of the importance sample it comes from."""

    log_evidence: float
    log_evidence_error: float
    importance_ess_fraction: float
    importance_pareto_k: float

    def __str__(self) -> str:
        text = (
            f"log evidence {self.log_evidence:.4f} +- {self.log_evidence_error:.4f}, "
            f"importance ESS fraction {self.importance_ess_fraction:.3f}, Pareto k {self.importance_pareto_k:.2f}"
        )
        if self.importance_pareto_k > _LARGEST_PARETO_K:
            text += (
                f"\nA Pareto k above {_LARGEST_PARETO_K} says that a few weights decide, so neither the evidence nor "
                "its error can be relied on; train longer, or another [flow]."
            )
        return text

    @classmethod
    def from_attributes(cls, attributes: dict[str, str | float]) -> "Evidence | None":
        """As it is kept in a chain, or None where there was no flow."""
        if "log_evidence" not in attributes:
            return None
        return cls(*(float(attributes.get(name, math.nan)) for name in cls._fields))


def evidence(flow: HamiltonianFlow, target: AbstractTarget, *, key: Key, store: ChainStore) -> Evidence:
    """Importance-sample a target by a flow, or read from the store what came of it; noted in the chain's attributes."""
    saved = store.load_stage(_STAGE)
    if saved is None:
        with stage(_STAGE, visible=False, run=store.path):
            sampled = importance_sample(flow, target, num_samples=NUM_SAMPLES, num_momenta=NUM_MOMENTA, key=key)
            if sampled.num_non_finite > NON_FINITE_BUDGET * NUM_SAMPLES:
                raise RunError(Status.NON_FINITE)
        found = Evidence(
            float(sampled.log_evidence),
            float(sampled.log_evidence_error),
            float(sampled.ess_fraction),
            float(sampled.pareto_k),
        )
        store.save_stage(_STAGE, {name: np.asarray(value) for name, value in found._asdict().items()})
    else:
        arrays, _ = saved
        found = Evidence(*(float(arrays[name]) for name in Evidence._fields))
    store.annotate({name: repr(value) for name, value in found._asdict().items()})
    return found
