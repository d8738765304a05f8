"""The program that draws, compiled before it runs."""

import math
import time
from typing import NamedTuple

from jaxtyping import Array, Float

from .._blocks import Blocks
from .._chunk import Chunks
from .._record import Record
from .._types import Key
from ..chains import POSTERIOR, SAMPLE_STATS, Chain
from ..diagnostics import gradient_cost
from ..samplers import AbstractSampler
from ..targets import AbstractTarget


class Drawn(NamedTuple):
    """Some draws of all chains: how many, how long they took [s], what they cost [gradients of one chain], the last."""

    draws: int
    seconds: float
    gradients: float
    chain: Chain


class Program:
    """A chunk of draws of all chains, compiled before the first, and the state of the chains.

    Args:
        target: What is sampled.
        sampler: How.
        positions: Starting points.
        key: Random key.
        record: What is kept of each draw.
        capacity: Draws per call.
        blocks: Of the chains.
    """

    def __init__(
        self,
        target: AbstractTarget,
        sampler: AbstractSampler,
        positions: Float[Array, "chain dim"],
        key: Key,
        record: Record,
        capacity: int,
        blocks: Blocks,
    ):
        self.capacity, self.sampler = max(capacity, 2), sampler
        self._chunks = Chunks(target, record, blocks, capacity)
        self._states = self._chunks.start(sampler, positions, key)
        self._program = self._chunks.lowered(sampler, self._states).compile()

    @property
    def memory(self) -> dict[str, int]:
        """Bytes that XLA states for arguments, results and intermediate arrays of a block of chains."""
        analysis = self._program.compiled.memory_analysis()
        return {
            "arguments": analysis.argument_size_in_bytes,
            "results": analysis.output_size_in_bytes - analysis.alias_size_in_bytes,
            "intermediate": analysis.temp_size_in_bytes,
        }

    def draw(self, count: int) -> Drawn:
        """Make some draws, bring them to the host, and say what they cost."""
        start = time.perf_counter()
        self._states, _, kept = self._chunks.advance(self.sampler, self._states, count)
        posterior, stats = (
            {name: array[:, :count] for name, array in kept[group].items()} for group in (POSTERIOR, SAMPLE_STATS)
        )
        return Drawn(count, time.perf_counter() - start, gradient_cost(stats), Chain(posterior, stats))

    def timed(self, seconds: float) -> Drawn:
        """Draw for about so many seconds, after two draws that are not counted."""
        last = self.draw(2)
        draws, spent, gradients = 0, 0.0, 0.0
        while spent < seconds:
            wanted = (seconds - spent) * last.draws / last.seconds
            last = self.draw(min(self.capacity, max(2, math.ceil(wanted))))
            draws, spent, gradients = draws + last.draws, spent + last.seconds, gradients + last.gradients
        return Drawn(draws, spent, gradients, last.chain)
