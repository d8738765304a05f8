"""Periodic grids: what a cell and a Fourier mode are."""

import math
from abc import abstractmethod
from functools import cache
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Complex, Float, Shaped

from ._painting import paint, read


class AbstractGrid(eqx.Module):
    """A periodic box of cells.

    A field has the shape of the grid. Its modes are those of the half space that a real transform keeps, in units in
    which white noise of unit variance has modes of unit variance:

        modes = rfftn(field) / sqrt(number of cells),    <|mode|^2> = power spectrum / volume of a cell

    Attributes:
        shape: Cells along each axis.
        box_size: Lengths of the box, in Mpc/h, or in radians of a map.
        precision: Of fields: `single`, whatever the precision of the parameters and their theory, or `double`, that of
            the run.
    """

    shape: AbstractVar[tuple[int, ...]]
    box_size: AbstractVar[tuple[float, ...]]
    precision: AbstractVar[Literal["single", "double"]]

    @property
    def num_cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def half_shape(self) -> tuple[int, ...]:
        """Shape of the modes."""
        return (*self.shape[:-1], self.shape[-1] // 2 + 1)

    @property
    def cell_size(self) -> tuple[float, ...]:
        """Lengths of a cell."""
        return tuple(length / n for length, n in zip(self.box_size, self.shape, strict=True))

    @property
    def cell_volume(self) -> float:
        """Volume of a cell."""
        return math.prod(self.cell_size)

    @property
    def wavenumbers(self) -> tuple[np.ndarray, ...]:
        """Wave numbers of the modes along each axis, which broadcast to `half_shape`."""
        return _wavenumbers(self.shape, self.box_size)

    @property
    def wavenumber(self) -> np.ndarray:
        """|k| of every mode, shape `half_shape`."""
        return np.sqrt(sum(k**2 for k in self.wavenumbers))

    @property
    def nyquist(self) -> float:
        """The smallest of the Nyquist wave numbers of the axes, pi / cell size."""
        return math.pi / max(self.cell_size)

    @property
    def multiplicity(self) -> np.ndarray:
        """How many modes of the whole space each mode stands for, one or two, shape (last of `half_shape`,)."""
        twice = np.full(self.half_shape[-1], 2)
        twice[0] = 1
        if self.shape[-1] % 2 == 0:
            twice[-1] = 1
        return twice

    @property
    def shells(self) -> np.ndarray:
        """The distinct lengths of wave vectors, ascending; the first is zero."""
        return _shells(self.shape, self.box_size)[0]

    def spread(self, values: Float[Array, " shell"]) -> Float[Array, "*half"]:
        """A function of |k|, given on `shells`, at every mode."""
        return self.rounded(values)[_shells(self.shape, self.box_size)[1]]

    def rounded(self, tree: Any) -> Any:
        """Numbers that meet a field, in its precision."""
        return jax.tree.map(lambda array: array.astype(jnp.float32), tree) if self.precision == "single" else tree

    def place(self, field: Shaped[Array, "*grid"]) -> Shaped[Array, "*grid"]:
        """The field on the devices that hold it."""
        return field

    @abstractmethod
    def modes(self, field: Float[Array, "*grid"]) -> Complex[Array, "*half"]:
        """From a field to its modes."""

    @abstractmethod
    def field(self, modes: Complex[Array, "*half"]) -> Float[Array, "*grid"]:
        """From modes to the field."""

    @abstractmethod
    def paint(
        self, displacement: Float[Array, "axis *grid"], weights: Float[Array, "*grid"] | None = None
    ) -> Float[Array, "*grid"]:
        """The cloud-in-cell density of particles that left the centres of their cells [cells]."""

    @abstractmethod
    def read(self, field: Float[Array, "*grid"], displacement: Float[Array, "axis *grid"]) -> Float[Array, "*grid"]:
        """The field at such particles: the transpose of painting."""


class Grid(AbstractGrid):
    """A periodic box of cells on one device.

    Args:
        shape: Cells along each axis, such as (64, 64, 64).
        box_size: Length of the box along all axes, or one for each, in Mpc/h, or in radians of a map.
        precision: Of fields, `single` or that of the run.

    Raises:
        ValueError: A length or a number of cells is not positive, or there are not as many of one as of the other.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    box_size: tuple[float, ...] = eqx.field(static=True)
    precision: Literal["single", "double"] = eqx.field(static=True)

    def __init__(
        self,
        shape: tuple[int, ...],
        box_size: float | tuple[float, ...],
        *,
        precision: Literal["single", "double"] = "double",
    ):
        self.shape, self.precision = tuple(shape), precision
        lengths = box_size if isinstance(box_size, tuple) else (box_size,) * len(shape)
        self.box_size = tuple(map(float, lengths))

    def __check_init__(self):
        check_grid(self.shape, self.box_size)

    def modes(self, field: Float[Array, "*grid"]) -> Complex[Array, "*half"]:
        """From a field to its modes."""
        return jnp.fft.rfftn(field, axes=range(-len(self.shape), 0)) * (1 / math.sqrt(self.num_cells))

    def field(self, modes: Complex[Array, "*half"]) -> Float[Array, "*grid"]:
        """From modes to the field."""
        return jnp.fft.irfftn(modes, self.shape, range(-len(self.shape), 0)) * math.sqrt(self.num_cells)

    def paint(
        self, displacement: Float[Array, "axis *grid"], weights: Float[Array, "*grid"] | None = None
    ) -> Float[Array, "*grid"]:
        """The cloud-in-cell density of particles that left the centres of their cells [cells]."""
        return paint(displacement, weights)

    def read(self, field: Float[Array, "*grid"], displacement: Float[Array, "axis *grid"]) -> Float[Array, "*grid"]:
        """The field at such particles: the transpose of painting."""
        return read(field, displacement)


def filtered(modes: Complex[Array, "*half"], gain: Float[Array, "..."]) -> Complex[Array, "*half"]:
    """Modes times a real filter, or a number."""
    gain = jnp.asarray(gain, modes.real.dtype)
    return jax.lax.complex(modes.real * gain, modes.imag * gain)


def check_grid(shape: tuple[int, ...], box_size: tuple[float, ...]) -> None:
    """Refuse a grid that cannot be.

    Raises:
        ValueError: A length or a number of cells is not positive, or there are not as many of one as of the other.
    """
    if len(shape) != len(box_size) or not shape:
        raise ValueError(f"A grid of shape {shape} needs as many lengths, but box_size is {box_size}.")
    if min(shape) < 2:
        raise ValueError(f"The grid has shape {shape}, but needs two cells at least along every axis.")
    if not all(0 < length < math.inf for length in box_size):
        raise ValueError(f"The grid's box_size is {box_size}, but must be positive and finite.")


@cache
def _wavenumbers(shape: tuple[int, ...], box_size: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    *others, last = zip(shape, box_size, strict=True)
    axes = [2 * np.pi * np.fft.fftfreq(n, length / n) for n, length in others]
    axes.append(2 * np.pi * np.fft.rfftfreq(last[0], last[1] / last[0]))
    return tuple(np.meshgrid(*axes, indexing="ij", sparse=True))


@cache
def _shells(shape: tuple[int, ...], box_size: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The distinct |k|, those that rounding parts being one, and the index of each mode's among them."""
    squared = np.asarray(sum(k**2 for k in _wavenumbers(shape, box_size)))
    unit = (2 * np.pi / max(box_size)) ** 2
    distinct, index = np.unique(np.round(squared / unit, 6), return_inverse=True)
    return np.sqrt(distinct * unit), index.reshape(squared.shape).astype(np.int32)
