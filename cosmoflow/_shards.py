"""Arrays of which several processes hold a part each, and how these processes stay in step.

Such an array is divided along one axis. A process reads and writes its own part, and no process ever has the whole.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def axis_of(array: Any) -> int | None:
    """The axis along which an array is divided among processes; None where this one has all of it."""
    if not isinstance(array, jax.Array) or array.is_fully_addressable or array.is_fully_replicated:
        return None
    shard = array.sharding.shard_shape(array.shape)
    (axis,) = (i for i, (part, whole) in enumerate(zip(shard, array.shape, strict=True)) if part != whole)
    return axis


def axes_of(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """These axes of the arrays that are divided, under `<group>/<name>`."""
    found = {f"{group}/{name}": axis_of(array) for group, arrays in groups.items() for name, array in arrays.items()}
    return {name: axis for name, axis in found.items() if axis is not None}


def own(array: Any) -> np.ndarray:
    """What this process has of an array, on the host."""
    if (axis := axis_of(array)) is None:
        return np.asarray(array)
    slabs = {shard.index[axis].start: shard.data for shard in array.addressable_shards}
    return np.concatenate([np.asarray(slabs[start]) for start in sorted(slabs)], axis)


def own_shape(array: Any) -> tuple[int, ...]:
    """The shape of what this process has of an array."""
    if (axis := axis_of(array)) is None:
        return array.shape
    length = array.sharding.shard_shape(array.shape)[axis] * len(
        {s.index[axis].start for s in array.addressable_shards}
    )
    return (*array.shape[:axis], length, *array.shape[axis + 1 :])


def laid_as(array: jax.Array, values: np.ndarray | jax.Array) -> jax.Array:
    """What `own` gave of an array that lies on the devices as `array` does."""
    return jax.make_array_from_process_local_data(array.sharding, values, array.shape)


class InStep:
    """The processes over which a mesh of one axis lies. They run the same program, and ask each other in step.

    Args:
        mesh: Of the devices; this process is alone where it is None.

    Attributes:
        index: Of this process, in the order of the mesh.
        count: Processes.
    """

    def __init__(self, mesh: Mesh | None = None):
        self._mesh, self.index, self.count = mesh, 0, 1
        if mesh is not None and mesh.is_multi_process:
            processes = list(dict.fromkeys(device.process_index for device in mesh.devices.flat))
            self.index, self.count = processes.index(jax.process_index()), len(processes)

    def told(self, numbers: np.ndarray) -> np.ndarray:
        """The numbers that each process gives, as many, in the order of the processes: shape (process, number)."""
        if self._mesh is None or self.count == 1:
            return numbers[None]
        each, every = (NamedSharding(self._mesh, PartitionSpec(*names)) for names in (self._mesh.axis_names, ()))
        devices = self._mesh.size // self.count
        given = jax.make_array_from_process_local_data(each, np.tile(numbers, (devices, 1)))
        return np.asarray(jax.jit(jnp.copy, out_shardings=every)(given))[::devices]

    def largest(self, number: int) -> int:
        """The largest of the numbers that the processes give."""
        return int(self.told(np.array([number], np.int32)).max())


def sharers(array: jax.Array) -> InStep:
    """The processes that have parts of an array."""
    sharding: Any = array.sharding
    return InStep(sharding.mesh)


ALONE = InStep()
"""A process of whose arrays no other has a part."""
