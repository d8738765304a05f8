"""The samplers, and what each promises: every conformance test runs over all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from cosmoflow import samplers
from cosmoflow.samplers import AbstractSampler
from cosmoflow.targets import StudentT


@dataclass(frozen=True)
class Entry:
    """A sampler and its promises.

    Attributes:
        make: Its constructor.
        exact: Whether it leaves the target invariant at any step size.
        corrected: Whether it is invariant whatever the gradient says, because densities decide what is accepted.
        process: Whether it is a piecewise deterministic process.
        fine: A factor on the step size at which the bias of one that is not exact is below what the tests resolve.
        patience: A factor on the length of the runs for moments, where the law of heavy squares mixes slowly.
        burn_in: Draws after which the rest of its state has its law, where the position alone had it at the start.
        slow: Whether even its first test waits for the long run, because ones much like it are in every run.
    """

    make: Callable[[], AbstractSampler]
    exact: bool = True
    corrected: bool = True
    process: bool = False
    fine: float = 1.0
    patience: int = 1
    burn_in: int = 0
    slow: bool = False


def process(make: Callable[[], AbstractSampler], slow: bool = False) -> Entry:
    return Entry(make, corrected=False, process=True, slow=slow)


SAMPLERS = {
    "zig_zag": process(samplers.ZigZag),
    "bouncy_particle": process(samplers.BouncyParticle, slow=True),
    "forward_event_chain": process(samplers.ForwardEventChain),
    "boomerang": process(samplers.Boomerang, slow=True),
    "coordinate_sampler": process(samplers.CoordinateSampler, slow=True),
    "ghmc": Entry(samplers.GHMC, slow=True),
    "persistent_ghmc": Entry(lambda: samplers.GHMC(num_steps=2, persistence=0.7), slow=True),
    "nuts": Entry(samplers.NUTS, slow=True),
    "langevin": Entry(samplers.Langevin),
    "malt": Entry(samplers.MALT, slow=True),
    "adjusted_mclmc": Entry(samplers.AdjustedMCLMC, slow=True),
    "mclmc": Entry(samplers.MCLMC, exact=False, corrected=False, fine=0.2, patience=2, slow=True),
    "hybrid_splitting": Entry(samplers.HybridSplitting),
    "zig_zag_splitting": Entry(samplers.ZigZagSplitting, slow=True),
    "bouncy_particle_splitting": Entry(samplers.BouncyParticleSplitting, slow=True),
    "forward_event_chain_splitting": Entry(samplers.ForwardEventChainSplitting, slow=True),
    "coordinate_splitting": Entry(samplers.CoordinateSplitting, slow=True),
    "boomerang_splitting": Entry(lambda: samplers.HybridSplitting(motion=samplers.Rotation()), patience=4, slow=True),
    "discrete_bouncy_particle": Entry(samplers.DiscreteBouncyParticle, slow=True),
    "hug_and_hop": Entry(samplers.HugAndHop, slow=True),
    "independence": Entry(samplers.Independence, slow=True),
    "delayed_acceptance": Entry(lambda: samplers.DelayedAcceptance(StudentT(5.0)), slow=True),
    "parallel_tempering": Entry(lambda: samplers.ParallelTempering(num_rungs=4, rounds=1), burn_in=40, slow=True),
    "mixture": Entry(lambda: samplers.Mixture([samplers.GHMC(), samplers.ZigZag()]), corrected=False, slow=True),
}
