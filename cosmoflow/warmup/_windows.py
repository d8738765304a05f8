"""The draws of pilot runs, which the processes of a run share: the first says what is drawn, each draws its blocks."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float

from .._blocks import Blocks, joined, shares
from .._budget import Budget
from .._chunk import Chunks
from .._record import Record
from .._results import RunError
from .._team import Team
from .._types import Device, Key
from ..chains import POSTERIOR, SAMPLE_STATS
from ..samplers import AbstractSampler
from ..targets import AbstractTarget, Pullback

WINDOW = 25
"""Draws of the first window, from which the cost of a draw is learned."""

MAX_KEPT = 1024
"""Numbers of a variable above which its draws in the warm-up are not kept."""


class Start(NamedTuple):
    """Where the chains of a pilot run start, and in which coordinates; the key as its data and its kind."""

    bijection: AbstractBijection
    sampler: AbstractSampler
    positions: Float[Array, "chain dim"]
    key: tuple[np.ndarray, str]


class Next(NamedTuple):
    """The next draws of a pilot run."""

    sampler: AbstractSampler
    num_draws: int


class Found(NamedTuple):
    """What the whole warm-up found."""

    bijection: AbstractBijection
    sampler: AbstractSampler
    positions: Float[Array, "chain dim"]


class Window(NamedTuple):
    """Draws of all chains: in the coordinates, the small variables by name, and their statistics."""

    positions: Float[np.ndarray, "chain draw dim"]
    parameters: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]


class Windows:
    """Pilot runs on one target, a window of draws at a time.

    Coordinates, tuning and decisions are those of the first process alone, so that machines may differ; of the draws
    each process has the blocks that it would have in the sampling. They are joined in the order of the chains, which
    makes them those of a single process.

    Args:
        target: What will be sampled.
        num_chains: Chains, of all processes.
        block: Chains of a block.
        capacity: Draws per compiled call of the sampling to come, whose compilation the pilots share.
        team: The processes.
        devices: That are used here.
    """

    def __init__(
        self,
        target: AbstractTarget,
        num_chains: int,
        block: int,
        capacity: int,
        team: Team,
        devices: Sequence[Device] | None,
    ):
        self._target, self._team, self.capacity = target, team, max(capacity, WINDOW)
        self._chains = shares(num_chains, block, team.count)[team.index]
        self._blocks = Blocks.arranged(len(self._chains), block, target, devices)

    def start(self, target: Pullback, sampler: AbstractSampler, positions: Float[Array, "chain dim"], key: Key) -> None:
        """Begin a pilot run."""
        order = Start(target.bijection, sampler, positions, (np.asarray(jr.key_data(key)), str(jr.key_impl(key))))
        self._begin(self._team.meet(order)[0])

    def draw(self, sampler: AbstractSampler, num_draws: int) -> Window:
        """The next draws of the pilot run."""
        return self._advance(self._team.meet(Next(sampler, num_draws))[0])

    def end(
        self, target: Pullback, sampler: AbstractSampler, positions: Float[Array, "chain dim"]
    ) -> tuple[Pullback, AbstractSampler, Float[Array, "chain dim"]]:
        """Tell the other processes what the warm-up found, and give it back."""
        self._team.meet(Found(target.bijection, sampler, positions))
        return target, sampler, positions

    def follow(self, budget: Budget) -> Found:
        """Draw what the first process says, until it has found what it needs.

        Raises:
            RunError: The run was stopped or ran out of time, here or in another process.
        """
        while not isinstance(order := self._team.meet()[0], Found):
            if (status := budget.ask()) is not None:
                raise RunError(status)
            if isinstance(order, Start):
                self._begin(order)
            else:
                self._advance(order)
        return order

    def _begin(self, order: Start) -> None:
        self._states = []  # before the next ones take memory
        target, record, own = Pullback(self._target, order.bijection), Record(), self._chains
        positions = jnp.asarray(order.positions)
        self._chunks = Chunks(target, record, self._blocks, self.capacity)
        data, kind = order.key
        key = jr.wrap_key_data(jnp.asarray(data), impl=kind)
        self._states = self._chunks.start(order.sampler, positions[own.start : own.stop], key, first=own.start)
        self._small = record.small(target, positions[0], size=MAX_KEPT)

    def _advance(self, order: Next) -> Window:
        self._states, drawn, kept = self._chunks.advance(order.sampler, self._states, order.num_draws)
        new = slice(order.num_draws)
        here = Window(
            joined([of_block.position[:, new] for of_block in drawn]),
            {name: kept[POSTERIOR][name][:, new] for name in self._small},
            {name: array[:, new] for name, array in kept[SAMPLE_STATS].items()},
        )
        return joined(self._team.meet(here))
