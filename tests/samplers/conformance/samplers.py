"""The samplers, and what each promises: every conformance test runs over all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from cosmoflow import samplers
from cosmoflow.samplers import AbstractSampler


@dataclass(frozen=True)
class Entry:
    """A sampler and its promises.

    Attributes:
        sampler: The name of its class.
        make: Its constructor.
        exact: Whether it leaves the target invariant at any step size.
        corrected: Whether it is invariant whatever the gradient says, because densities decide what is accepted.
        process: Whether it is a piecewise deterministic process.
        fine: A factor on the step size at which the bias of one that is not exact is below what the tests resolve.
        burn_in: Draws after which the rest of its state has its law, where the position alone had it at the start.
    """

    sampler: str
    make: Callable[[], AbstractSampler]
    exact: bool = True
    corrected: bool = True
    process: bool = False
    fine: float = 1.0
    burn_in: int = 0


def kernel(sampler: str, **arguments: float) -> Entry:
    return Entry(sampler, lambda: getattr(samplers, sampler)(**arguments))


def process(sampler: str) -> Entry:
    return Entry(sampler, lambda: getattr(samplers, sampler)(), corrected=False, process=True)


def unadjusted(sampler: str, fine: float) -> Entry:
    return Entry(sampler, lambda: getattr(samplers, sampler)(), exact=False, corrected=False, fine=fine)


EVERY = {
    "zig_zag": process("ZigZag"),
    "bouncy_particle": process("BouncyParticle"),
    "forward_event_chain": process("ForwardEventChain"),
    "boomerang": process("Boomerang"),
    "coordinate_sampler": process("CoordinateSampler"),
    "ghmc": kernel("GHMC"),
    "persistent_ghmc": kernel("GHMC", num_steps=2, persistence=0.7),
    "nuts": kernel("NUTS"),
    "hybrid_splitting": kernel("HybridSplitting"),
    "discrete_bouncy_particle": kernel("DiscreteBouncyParticle"),
    "hug_and_hop": kernel("HugAndHop"),
    "langevin": kernel("Langevin"),
    "malt": kernel("MALT"),
    "adjusted_mclmc": kernel("AdjustedMCLMC"),
    "mclmc": unadjusted("MCLMC", fine=0.2),
    "parallel_tempering": Entry("ParallelTempering", lambda: samplers.ParallelTempering(), burn_in=20),
    "mixture": Entry("Mixture", lambda: samplers.Mixture([samplers.GHMC(), samplers.ZigZag()]), corrected=False),
}
SAMPLERS = {name: entry for name, entry in EVERY.items() if hasattr(samplers, entry.sampler)}
