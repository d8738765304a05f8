"""The evidence that a trained flow knows of."""

import math
from typing import NamedTuple

_LARGEST_PARETO_K = 0.7


class FlowEvidence(NamedTuple):
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
    def from_attributes(cls, attributes: dict[str, str | float]) -> "FlowEvidence | None":
        """As it is kept in a chain, or None where there was no flow."""
        if "log_evidence" not in attributes:
            return None
        return cls(*(float(attributes.get(name, math.nan)) for name in cls._fields))
