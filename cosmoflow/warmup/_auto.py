"""Which samplers are tried where none is named."""

from collections.abc import Callable

from .. import samplers
from ..samplers import AbstractSampler

EXCELLENT = 0.3
"""Effective draws per gradient at which no other sampler is tried."""

MAX_EVENT_DIM = 30
"""Dimension up to which splittings of piecewise deterministic processes can compete."""

_CANDIDATES: dict[str, Callable[[], AbstractSampler]] = {
    "langevin": samplers.Langevin,
    "mclmc": samplers.MCLMC,
    "hybrid_splitting": samplers.HybridSplitting,
}


def candidates(dim: int) -> dict[str, AbstractSampler]:
    """The samplers that can be best in a dimension, the most promising first."""
    names = ["langevin"] + ["mclmc"] * (dim > 1) + ["hybrid_splitting"] * (dim <= MAX_EVENT_DIM)
    return {name: _CANDIDATES[name]() for name in names}
