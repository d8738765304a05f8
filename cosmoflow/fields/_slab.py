"""Periodic grids that are split over devices."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Complex, Float, Shaped

from ._grid import AbstractGrid, check_grid

SLABS = "slabs"
"""The axis of the mesh over which a field is split."""


class SlabGrid(AbstractGrid):
    """A periodic box of cells in slabs: a field is split along its first axis, its modes along their second.

    A transform works along the axes that a device has in full, and one all-to-all exchange turns what was split: no
    device ever holds more than its share. What else is done to fields and modes is done cell by cell, and stays where
    it is. Latents are to be `ConfigurationLatents`, which are split as the field is.

    Particles are painted and read with a halo: one that is displaced by up to so many cells may end in a neighbouring
    slab. Further displacements make the field NaN, so that samplers count them as non-finite.

    Args:
        shape: Cells along each axis, three at least.
        box_size: Length of the box along all axes, or one for each, in Mpc/h.
        devices: Of the slabs, in their order; all there are if None.
        halo: Cells by which particles may move along the first axis; as many as a slab has if None.

    Raises:
        ValueError: The first or the second axis cannot be split evenly, the halo is thicker than a slab, there are less
            than three axes, or the grid cannot be.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    box_size: tuple[float, ...] = eqx.field(static=True)
    mesh: Mesh = eqx.field(static=True)
    halo: int = eqx.field(static=True)

    def __init__(
        self,
        shape: tuple[int, ...],
        box_size: float | tuple[float, ...],
        devices: Sequence[jax.Device] | None = None,
        *,
        halo: int | None = None,
    ):
        devices = jax.devices() if devices is None else list(devices)
        self.shape = tuple(shape)
        self.box_size = box_size if isinstance(box_size, tuple) else (float(box_size),) * len(shape)
        self.mesh = jax.make_mesh((len(devices),), (SLABS,), axis_types=(AxisType.Auto,), devices=devices)
        self.halo = self.shape[0] // len(devices) if halo is None else halo

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
        if not 0 < self.halo <= self.shape[0] // count:
            raise ValueError(
                f"The halo has {self.halo} cells, but must have at least one and at most the {self.shape[0] // count} "
                f"of a slab, {self.shape[0]} over {count} devices; use a thinner halo or fewer devices."
            )

    @property
    def sharding(self) -> NamedSharding:
        """How a field lies on the devices; so lies a vector of all its cells."""
        return NamedSharding(self.mesh, PartitionSpec(SLABS))

    def place(self, field: Shaped[Array, "*grid"]) -> Shaped[Array, "*grid"]:
        """The field, split over the devices."""
        return jax.device_put(field, self.sharding)

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

    def _on_slabs(self, function, inputs, outputs):
        """A function of what each device holds."""
        return jax.shard_map(function, mesh=self.mesh, in_specs=inputs, out_specs=outputs)


_FIELD = PartitionSpec(SLABS)
_MODES = PartitionSpec(None, SLABS)
