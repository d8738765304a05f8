"""The samplers, and what each promises: every conformance test runs over all of them."""

from dataclasses import dataclass

import cosmoflow.samplers
from cosmoflow.samplers import AbstractSampler


@dataclass(frozen=True)
class Entry:
    """A sampler and its promises.

    Attributes:
        sampler: Its class, a name in `cosmoflow.samplers`.
        arguments: Those of its constructor.
        exact: Whether it leaves the target invariant at any step size.
        corrected: Whether it is invariant whatever the gradient says, because densities decide what is accepted.
        process: Whether it is a piecewise deterministic process.
        fine: A factor on the step size at which the bias of one that is not exact is below what the tests resolve.
    """

    sampler: str
    arguments: dict[str, float]
    exact: bool = True
    corrected: bool = True
    process: bool = False
    fine: float = 1.0

    def make(self) -> AbstractSampler:
        """The sampler."""
        return getattr(cosmoflow.samplers, self.sampler)(**self.arguments)


def kernel(sampler: str, **arguments: float) -> Entry:
    return Entry(sampler, arguments)


def process(sampler: str, **arguments: float) -> Entry:
    return Entry(sampler, arguments, corrected=False, process=True)


def unadjusted(sampler: str, fine: float, **arguments: float) -> Entry:
    return Entry(sampler, arguments, exact=False, corrected=False, fine=fine)


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
    "malt": kernel("MALT"),
    "adjusted_mclmc": kernel("AdjustedMCLMC"),
    "mclmc": unadjusted("MCLMC", fine=0.2),
    "langevin": kernel("Langevin"),
    "parallel_tempering": kernel("ParallelTempering"),
    "mixture": kernel("Mixture"),
}
SAMPLERS = {
    name: entry for name, entry in EVERY.items() if hasattr(cosmoflow.samplers, entry.sampler)
}
