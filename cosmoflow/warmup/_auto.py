"""Which samplers are tried where none is named."""

from collections.abc import Callable

from .. import samplers
from ..samplers import AbstractSampler

EXCELLENT = 0.2
"""Effective draws per gradient at which no other sampler is tried."""

MAX_EVENT_DIM = 32
"""Dimension up to which splittings of piecewise deterministic processes can compete. Above it microcanonical dynamics
can: their bias falls with the dimension at a given energy error per dimension.
"""

MIN_FIELD_DIM = 1025
"""Dimension from which on a Metropolis test costs more than the bias that it removes, and kinetic Langevin dynamics,
exact for Gaussian targets, are tried first.
"""

MAX_GLOBAL_DIM = 12
"""Dimension up to which independent proposals can compete."""

_CANDIDATES: dict[str, Callable[[], AbstractSampler]] = {
    "langevin": samplers.Langevin,
    "kinetic_langevin": samplers.KineticLangevin,
    "mclmc": samplers.MCLMC,
    "hybrid_splitting": samplers.HybridSplitting,
    "global_and_local": lambda: samplers.Mixture([samplers.Independence(), samplers.HybridSplitting()], [0.8, 0.2]),
}


def candidates(dim: int, *, density: bool = True) -> dict[str, AbstractSampler]:
    """The samplers that can be best in a dimension, the most promising first; the one for targets without density."""
    if not density:
        return {"kinetic_langevin": _CANDIDATES["kinetic_langevin"]()}
    if dim >= MIN_FIELD_DIM:
        return {name: _CANDIDATES[name]() for name in ("kinetic_langevin", "mclmc")}
    names = ["langevin"] + ["global_and_local"] * (dim <= MAX_GLOBAL_DIM)
    names += ["hybrid_splitting" if dim <= MAX_EVENT_DIM else "mclmc"]
    return {name: _CANDIDATES[name]() for name in names}
