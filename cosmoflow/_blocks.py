"""Chains in blocks of a fixed size, whole blocks on each device."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ._shards import own
from ._types import Device
from .chains import arrays_to_tree, tree_to_arrays
from .fields import in_slabs

MOST_BLOCKS, LEAST_SIZE = 8, 4
"""Of a run that names no size: so many devices can share its chains, unless that left a device too little to do."""

_THREADS = ThreadPoolExecutor(max_workers=1024, thread_name_prefix="device")
"""They start when there are devices for them, and stay: to start them for each chunk takes as long as a few draws."""


def default_size(num_chains: int) -> int:
    """Chains of a block where nothing is said: the least divisor of their number that respects the bounds above."""
    enough = max(LEAST_SIZE, -(-num_chains // MOST_BLOCKS))
    return next(size for size in range(min(enough, num_chains), num_chains + 1) if num_chains % size == 0)


def shares(num_chains: int, size: int, count: int) -> list[range]:
    """The chains of each of some processes: whole blocks, as evenly as they go.

    Raises:
        ValueError: The size does not divide the number of chains.
    """
    _check_size(num_chains, size)
    edges = [size * (i * (num_chains // size) // count) for i in range(count + 1)]
    return [range(first, stop) for first, stop in pairwise(edges)]


def shared_out(count: int, num_devices: int) -> list[int]:
    """Which of the devices has each of some blocks: neighbours the same one, and all as many as they go."""
    used = min(count, num_devices)
    return [i * used // count for i in range(count)]


@dataclass(frozen=True)
class Blocks:
    """Blocks of chains, and the device of each.

    Batched arithmetic may differ in the last bit between batch sizes, and a program that is divided among devices from
    one that is not. So the program is that of one block, which each device runs for its own, one after another: every
    layout gives the same chains.

    Attributes:
        size: Chains of a block.
        devices: Of each block in their order; None where JAX puts it.
    """

    size: int
    devices: tuple[Device | None, ...]

    @staticmethod
    def arranged(num_chains: int, size: int, target: Any, devices: Sequence[Device] | None = None) -> "Blocks":
        """Neighbouring blocks on the same device.

        Args:
            num_chains: Chains that are computed here.
            size: Chains of a block.
            target: What is sampled; one that itself lies on several devices leaves no choice of one.
            devices: That may be used; all of this process where it is None.

        Raises:
            ValueError: The size does not divide the number of chains.
        """
        _check_size(num_chains, size)
        count = num_chains // size
        chosen = list(jax.local_devices() if devices is None else devices)
        if in_slabs(target) or (devices is None and len(chosen) == 1):
            return Blocks(size, (None,) * count)
        return Blocks(size, tuple(chosen[i] for i in shared_out(count, len(chosen))))

    def placed(self, tree: Any) -> list[Any]:
        """A tree on the device of each block."""
        on = {device: tree if device is None else eqx.filter_shard(tree, device) for device in set(self.devices)}
        return [on[device] for device in self.devices]

    def each(self, function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        """What a function gives for every block, from one of the arguments each.

        Every device has a thread of its own, the first one this: programs that one thread starts on several devices of
        a processor wait for each other.
        """
        given = list(zip(self.devices, *arguments, strict=True))
        first, *others = dict.fromkeys(self.devices)

        def on(device: Device | None) -> list[Any]:
            return [function(*values) for its_device, *values in given if its_device == device]

        begun = {device: _THREADS.submit(on, device) for device in others}
        results = {first: iter(on(first))} | {device: iter(found.result()) for device, found in begun.items()}
        return [next(results[device]) for device in self.devices]

    def divided(self, tree: Any) -> list[Any]:
        """The blocks of a tree of arrays whose first axis is that of all chains, each on its device."""
        parts = [jax.tree.map(lambda a: a[rows], tree) for rows in self._rows()]
        return [part if d is None else jax.device_put(part, d) for part, d in zip(parts, self.devices, strict=True)]

    def restored(self, templates: Sequence[Any], arrays: dict[str, np.ndarray]) -> list[Any]:
        """The blocks of a state that `joined_arrays` gave, in place of templates."""
        parts = [{name: a[rows] if a.ndim else a for name, a in arrays.items()} for rows in self._rows()]
        states = map(arrays_to_tree, templates, parts)
        return [s if d is None else jax.device_put(s, d) for s, d in zip(states, self.devices, strict=True)]

    def _rows(self) -> list[slice]:
        return [slice(i * self.size, (i + 1) * self.size) for i in range(len(self.devices))]


def joined(blocks: Sequence[Any]) -> Any:
    """Trees of arrays with a first axis of chains, of several blocks, as those of all chains on the host.

    Of an array that lies over several processes each has its own part.
    """
    return jax.tree.map(lambda *arrays: _concatenated([own(array) for array in arrays]), *blocks)


def joined_arrays(states: Sequence[Any]) -> dict[str, np.ndarray]:
    """The array leaves of the states of all blocks, by name, as those of one state of all chains."""
    each_of = [tree_to_arrays(state) for state in states]
    first = each_of[0]
    return {name: _concatenated([a[name] for a in each_of]) if first[name].ndim else first[name] for name in first}


def _check_size(num_chains: int, size: int) -> None:
    if size < 1 or num_chains % size:
        raise ValueError(
            f"{num_chains} chains cannot be computed in blocks of {size}; choose a `block` that divides them."
        )


def _concatenated(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
