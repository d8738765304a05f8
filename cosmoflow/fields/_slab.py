"""Periodic grids that are split over devices."""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Complex, Float, Int, Shaped

from ._grid import AbstractGrid, check_grid
from ._painting import corners, fold, unfold

Tree = TypeVar("Tree")

SLABS = "slabs"
"""The axis of the mesh over which a field is split."""


class SlabGrid(AbstractGrid):
    """A periodic box of cells in slabs: a field is split along its first axis, its modes along their second.

    A transform works along the axes that a device has in full, and one all-to-all exchange turns what was split: no
    device ever holds more than its share. What else is done to fields and modes is done cell by cell, and stays where
    it is. Latents are to be `ConfigurationLatents`, which are split as the field is.

    The devices may be those of several processes of `jax.distributed`, which then run the same program in step; each
    holds, keeps and restores what lies on its own devices. All devices of a process stand side by side.

    Particles are painted and read with a halo: one that is displaced by up to so many cells may end in a neighbouring
    slab. Further displacements make the field NaN, so that samplers count them as non-finite.

    Args:
        shape: Cells along each axis, three at least.
        box_size: Length of the box along all axes, or one for each, in Mpc/h.
        devices: Of the slabs, in their order; all there are if None.
        halo: Cells by which particles may move along the first axis; as many as a slab has if None.
        precision: Of fields, `single` or that of the run.

    Raises:
        ValueError: The first or the second axis cannot be split evenly, the halo is thicker than a slab, there are less
            than three axes, the devices of a process do not stand side by side or are more than another's, or the grid
            cannot be.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    box_size: tuple[float, ...] = eqx.field(static=True)
    mesh: Mesh = eqx.field(static=True)
    halo: int | None = eqx.field(static=True)
    precision: Literal["single", "double"] = eqx.field(static=True)

    def __init__(
        self,
        shape: tuple[int, ...],
        box_size: float | tuple[float, ...],
        devices: Sequence[jax.Device] | None = None,  # pyright: ignore[reportInvalidTypeForm]
        *,
        halo: int | None = None,
        precision: Literal["single", "double"] = "double",
    ):
        devices = jax.devices() if devices is None else list(devices)
        self.shape, self.precision = tuple(shape), precision
        self.box_size = box_size if isinstance(box_size, tuple) else (float(box_size),) * len(shape)
        self.mesh = jax.make_mesh((len(devices),), (SLABS,), axis_types=(AxisType.Auto,), devices=devices)
        self.halo = halo

    def __check_init__(self):
        check_grid(self.shape, self.box_size)
        count = self.mesh.size
        if len(self.shape) < 3:
            raise ValueError(f"A grid in slabs needs three axes, but its shape is {self.shape}; use Grid for maps.")
        for axis, n in zip(("first", "second"), self.shape, strict=False):
            if n % count:
                raise ValueError(
                    f"The grid has {n} cells along its {axis} axis, which {count} devices cannot share evenly; "
                    f"make them a multiple of {count}, or use {math.gcd(n, count)} devices."
                )
        slab = self.shape[0] // count
        if not 0 < self._reach <= slab:
            raise ValueError(
                f"The halo has {self._reach} cells, but must have at least one and at most the {slab} of a slab, "
                f"{self.shape[0]} over {count} devices; use a thinner halo or fewer devices."
            )

        if self.mesh.is_multi_process:
            _check_processes([device.process_index for device in self.mesh.devices.flat])

    @property
    def sharding(self) -> NamedSharding:
        """How a field lies on the devices; so lies a vector of all its cells."""
        return NamedSharding(self.mesh, PartitionSpec(SLABS))

    def sharding_of(self, shape: tuple[int, ...]) -> NamedSharding:
        """How an array of this shape lies on the devices.

        Fields, modes, and vectors with a number for every cell or more, whatever axes stand before theirs, are split;
        all else, and a vector that cannot be split evenly, is whole on every device.
        """
        axis = None
        if shape[-len(self.shape) :] == self.shape:
            axis = len(shape) - len(self.shape)
        elif shape[-len(self.shape) :] == self.half_shape:
            axis = len(shape) - len(self.shape) + 1
        elif shape and shape[-1] >= self.num_cells and shape[-1] % self.mesh.size == 0:
            axis = len(shape) - 1
        return NamedSharding(self.mesh, PartitionSpec(*(() if axis is None else (*[None] * axis, SLABS))))

    def laid_out(self, tree: Tree) -> Tree:
        """The arrays of a tree, each as `sharding_of` says."""
        return jax.tree.map(lambda array: self._laid(array, self.sharding_of(array.shape)), tree)

    def place(self, field: Shaped[Array, "*grid"]) -> Shaped[Array, "*grid"]:
        """The field, split over the devices."""
        return self._laid(field, self.sharding)

    def _laid(self, array, sharding: NamedSharding):
        """An array as a sharding says; of one that every process has in full, each takes its own part."""
        if isinstance(array, Tracer):
            return jax.lax.with_sharding_constraint(array, sharding)
        if self.mesh.is_multi_process and array.is_fully_addressable:
            whole = np.asarray(array)
            return jax.make_array_from_callback(whole.shape, sharding, lambda part: whole[part])
        return jax.device_put(array, sharding)

    def modes(self, field: Float[Array, "*grid"]) -> Complex[Array, "*half"]:
        """From a field to its modes."""

        def transform(slab):
            here = jnp.fft.rfftn(slab, axes=range(1, slab.ndim))
            turned = jax.lax.all_to_all(here, SLABS, split_axis=1, concat_axis=0, tiled=True)
            return jnp.fft.fft(turned, axis=0) * (1 / math.sqrt(self.num_cells))

        return self._on_slabs(transform, (_FIELD,), _MODES)(field)

    def field(self, modes: Complex[Array, "*half"]) -> Float[Array, "*grid"]:
        """From modes to the field."""

        def transform(pencils):
            turned = jnp.fft.ifft(pencils, axis=0)
            here = jax.lax.all_to_all(turned, SLABS, split_axis=0, concat_axis=1, tiled=True)
            return jnp.fft.irfftn(here, self.shape[1:], range(1, here.ndim)) * math.sqrt(self.num_cells)

        return self._on_slabs(transform, (_MODES,), _FIELD)(modes)

    def paint(
        self, displacement: Float[Array, "axis *grid"], weights: Float[Array, "*grid"] | None = None
    ) -> Float[Array, "*grid"]:
        """The cloud-in-cell density of particles that left the cells' centres [cells]; of weight one if None."""

        def density(displacement, *weights):
            base, rows = self._corners(displacement)
            for weight in weights:
                rows = rows * weight[..., None]
            table = jnp.zeros((self._thickness * base[0].size, rows.shape[-1]), rows.dtype)
            table = table.at[base.ravel()].add(rows.reshape(-1, rows.shape[-1]), mode="promise_in_bounds")
            wide = fold(table.reshape(self._thickness, *rows.shape[1:]))
            slab = wide[self._reach : -self._reach]
            slab = slab.at[: self._reach].add(self._sent(wide[-self._reach :], 1))
            return slab.at[-self._reach :].add(self._sent(wide[: self._reach], -1))

        given = () if weights is None else (weights,)
        return self._on_slabs(density, (_VECTORS, *[_FIELD for _ in given]), _FIELD)(displacement, *given)

    def read(self, field: Float[Array, "*grid"], displacement: Float[Array, "axis *grid"]) -> Float[Array, "*grid"]:
        """The field at such particles: the transpose of painting."""

        def values(slab, displacement):
            base, rows = self._corners(displacement)
            before, after = self._sent(slab[-self._reach :], 1), self._sent(slab[: self._reach], -1)
            table = unfold(jnp.concatenate([before, slab, after])).reshape(-1, rows.shape[-1])
            return jnp.sum(table.at[base].get(mode="promise_in_bounds") * rows, axis=-1)

        return self._on_slabs(values, (_FIELD, _VECTORS), _FIELD)(field, displacement)

    @property
    def _reach(self) -> int:
        """Cells of the halo."""
        return self.shape[0] // self.mesh.size if self.halo is None else self.halo

    @property
    def _thickness(self) -> int:
        """Cells along the first axis of a slab and its halo on both sides."""
        return self.shape[0] // self.mesh.size + 2 * self._reach

    def _corners(
        self, displacement: Float[Array, "axis *slab"]
    ) -> tuple[Int[Array, "*slab"], Float[Array, "*slab corner"]]:
        """What `corners` gives, counted in a slab with its halo; NaN for particles that leave it."""
        along = jnp.floor(displacement[0])
        inside = (along >= -self._reach) & (along < self._reach)
        upper = displacement[0] - along
        rounded_up = jnp.maximum(upper - (1 - jnp.finfo(upper.dtype).epsneg), 0)
        base, rows = corners(displacement.at[0].set(upper - jax.lax.stop_gradient(rounded_up)))
        base = base + (along.astype(jnp.int32) + self._reach) * base[0].size
        return jnp.where(inside, base, 0), jnp.where(inside[..., None], rows, jnp.nan)

    def _sent(self, planes: Float[Array, "*planes"], step: int) -> Float[Array, "*planes"]:
        """What the device of `step` slabs before sends."""
        count = self.mesh.size
        return jax.lax.ppermute(planes, SLABS, [(i, (i + step) % count) for i in range(count)])

    def _on_slabs(self, function, inputs, outputs):
        """A function of what each device has, as one of what all have."""
        return jax.shard_map(function, mesh=self.mesh, in_specs=inputs, out_specs=outputs)


_FIELD = PartitionSpec(SLABS)
_VECTORS = PartitionSpec(None, SLABS)
_MODES = PartitionSpec(None, SLABS)


def in_slabs(tree: Any) -> bool:
    """Whether something in a tree is on a grid that several devices share."""
    return bool(_grids(tree))


def grid_over_processes(tree: Any) -> SlabGrid | None:
    """The grid in a tree that devices of several processes share, if there is one."""
    return next((grid for grid in _grids(tree) if grid.mesh.is_multi_process), None)


def check_one_process(tree: Any, stage: str) -> None:
    """Refuse a stage of a run where something in a tree is on a grid that several processes share.

    Raises:
        ValueError: It is.
    """
    if (grid := grid_over_processes(tree)) is not None:
        raise ValueError(
            f"The field lies over the {grid.mesh.size} devices of several processes, over which `sample` goes and "
            f"`{stage}` does not; call it in one process, of a coarser field where this one is too large, and set what "
            "it found by hand."
        )


def _grids(tree: Any) -> list[SlabGrid]:
    return list(filter(_is_slab, jax.tree.leaves(tree, is_leaf=_is_slab)))


def _is_slab(leaf: Any) -> bool:
    return isinstance(leaf, SlabGrid)


def _check_processes(processes: list[int]) -> None:
    """Refuse devices, given by the processes that have them, of which not every process has one slab."""
    order = list(dict.fromkeys(processes))
    each = len(processes) // len(order)
    if processes != [process for process in order for _ in range(each)]:
        raise ValueError(
            f"The slabs lie on devices of the processes {processes}, but each process must have as many as the others, "
            "side by side; give the devices in the order of jax.devices()."
        )
