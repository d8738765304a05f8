"""The sampler that a configuration asks for."""

from collections.abc import Callable
from typing import Any, Literal

from .. import samplers
from ..samplers import AbstractSampler, Rotation, Straight
from ..samplers.pdmp import ChordBound, SlopeBound
from ._samplers import AutoTable
from ._schema import Config

Constructor = Callable[..., AbstractSampler]


def _with_motion(splitting: Constructor) -> Constructor:
    return lambda boomerang, **options: splitting(motion=Rotation() if boomerang else Straight(), **options)


def _with_slope_bound(process: Constructor) -> Constructor:
    return lambda safety, num_cells, **options: process(bound=SlopeBound(safety, num_cells), **options)


_CONSTRUCTORS: dict[str, Constructor] = {
    "zig_zag": lambda draw_interval, **bound: samplers.ZigZag(draw_interval, ChordBound(**bound)),
    "bouncy_particle": _with_slope_bound(samplers.BouncyParticle),
    "forward_event_chain": _with_slope_bound(samplers.ForwardEventChain),
    "boomerang": _with_slope_bound(samplers.Boomerang),
    "coordinate_sampler": _with_slope_bound(samplers.CoordinateSampler),
    "ghmc": samplers.GHMC,
    "langevin": samplers.Langevin,
    "mclmc": samplers.MCLMC,
    "kinetic_langevin": samplers.KineticLangevin,
    "adjusted_mclmc": samplers.AdjustedMCLMC,
    "malt": samplers.MALT,
    "nuts": samplers.NUTS,
    "hybrid_splitting": _with_motion(samplers.HybridSplitting),
    "bouncy_particle_splitting": _with_motion(samplers.BouncyParticleSplitting),
    "forward_event_chain_splitting": _with_motion(samplers.ForwardEventChainSplitting),
    "zig_zag_splitting": _with_motion(samplers.ZigZagSplitting),
    "coordinate_splitting": samplers.CoordinateSplitting,
    "discrete_bouncy_particle": samplers.DiscreteBouncyParticle,
    "hug_and_hop": samplers.HugAndHop,
    "independence": samplers.Independence,
    "tempering": lambda inner, **options: samplers.ParallelTempering(inner and _build(inner), **options),
    "mixture": lambda members, **options: samplers.Mixture([_build(member) for member in members], **options),
}


def build_sampler(config: Config) -> AbstractSampler | Literal["auto"]:
    """The sampler, not yet tuned, or "auto" where the warm-up chooses."""
    return "auto" if isinstance(config.sampler, AutoTable) else _build(config.sampler.model_dump())


def _build(table: dict[str, Any]) -> AbstractSampler:
    """A sampler from its table."""
    return _CONSTRUCTORS[table["kind"]](**{key: value for key, value in table.items() if key != "kind"})
