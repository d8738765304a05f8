"""The network behind generative models of periodic fields: a U-Net that sees fields, a time and a condition."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._network import TimeNetwork


class FieldUNet(eqx.Module):
    """f(x, t, c): a U-Net of periodic convolutions, equivariant under translations by 2^depth cells along each axis.

    Residual blocks at depth + 1 resolutions, each with half the cells along each axis and twice the channels of the
    finer one. Time and the numbers of the condition scale and shift the channels within each block; the fields of the
    condition are channels beside those of x. It starts as zero.

    A condition is flat: first its `cond_size` numbers, then its `cond_fields` fields.

    Args:
        grid: Cells along each axis, of one to three axes.
        in_fields: Fields of x; two for models that see velocities too. There is one field of f.
        cond_size: Numbers of the condition, of order one, for example cosmological parameters.
        cond_fields: Fields of the condition, of order one, for example the data of a posterior.
        channels: Channels at the finest resolution.
        depth: How often the cells are halved.
        width: Neurons per layer of the embedding of time and numbers.
        key: Random key of the weights.

    Raises:
        ValueError: The grid cannot be halved so often, or a condition is not as long as it has to be.

    References:
        Ronneberger, Fischer & Brox 2015, arXiv:1505.04597; Perez et al. 2018, arXiv:1709.07871 (scale and shift); Ho,
        Jain & Abbeel 2020, arXiv:2006.11239.
    """

    embedding: TimeNetwork
    first: eqx.nn.Conv
    levels: Callable
    last: eqx.nn.Conv
    grid: tuple[int, ...] = eqx.field(static=True)
    cond_size: int = eqx.field(static=True)
    cond_fields: int = eqx.field(static=True)

    def __init__(
        self,
        grid: tuple[int, ...],
        *,
        in_fields: int = 1,
        cond_size: int = 0,
        cond_fields: int = 0,
        channels: int = 16,
        depth: int = 2,
        width: int = 64,
        key: Key,
    ):
        if depth < 0 or any(cells % 2**depth for cells in grid):
            raise ValueError(
                f"A grid of {grid} cells cannot be halved {depth} times: its sides must be multiples of {2**depth}, or "
                "the depth smaller."
            )
        axes = len(grid)
        key_embedding, key_first, key_levels, key_last = jr.split(key, 4)
        self.embedding = TimeNetwork(cond_size, width, width=width, depth=1, key=key_embedding)
        self.first = _convolution(axes, in_fields + cond_fields, channels, key_first)
        self.levels = _levels(axes, channels, width, depth, key_levels)
        last = _convolution(axes, channels, 1, key_last)
        self.last = jax.tree.map(lambda a: jnp.zeros_like(a) if eqx.is_array(a) else a, last)
        self.grid, self.cond_size, self.cond_fields = grid, cond_size, cond_fields

    def __call__(self, x: Float[Array, " in"], time: Scalar, condition: Condition = None) -> Vector:
        """The field f, shape (cells,), at one point and one time."""
        condition = jnp.zeros(0, x.dtype) if condition is None else condition
        if condition.size != (size := self.cond_size + self.cond_fields * math.prod(self.grid)):
            raise ValueError(
                f"The condition has {condition.size} numbers, but the network takes {size}: give it {self.cond_size} "
                f"numbers and {self.cond_fields} fields of {self.grid} cells, flat, in this order."
            )
        numbers, fields = jnp.split(condition, [self.cond_size])
        seen = self.embedding(numbers, time)
        h = self.first(jnp.concatenate([x, fields]).reshape(-1, *self.grid))
        return self.last(jax.nn.silu(self.levels(h, seen))).ravel()


class ResidualBlock(eqx.Module):
    """h + B s((1 + a) A s(h) + b): A and B convolutions, a and b linear in what is embedded, s(y) = y / (1 + e^-y)."""

    first: eqx.nn.Conv
    second: eqx.nn.Conv
    modulation: eqx.nn.Linear

    def __init__(self, axes: int, channels: int, width: int, *, key: Key):
        key_first, key_second, key_modulation = jr.split(key, 3)
        self.first = _convolution(axes, channels, channels, key_first)
        self.second = _convolution(axes, channels, channels, key_second)
        self.modulation = eqx.nn.Linear(width, 2 * channels, key=key_modulation)

    def __call__(self, h: Float[Array, "channel ..."], seen: Float[Array, " width"]) -> Float[Array, "channel ..."]:
        """Channels of the same shape."""
        scale, shift = jnp.split(self.modulation(seen).reshape(-1, *[1] * (h.ndim - 1)), 2)
        return h + self.second(jax.nn.silu((1 + scale) * self.first(jax.nn.silu(h)) + shift))


class Level(eqx.Module):
    """A block, what the coarser resolutions make of it, added to it, and another block."""

    falling: ResidualBlock
    widened: eqx.nn.Conv
    coarser: Callable
    narrowed: eqx.nn.Conv
    rising: ResidualBlock

    def __init__(self, axes: int, channels: int, width: int, depth: int, *, key: Key):
        keys = jr.split(key, 5)
        self.falling = ResidualBlock(axes, channels, width, key=keys[0])
        self.widened = eqx.nn.Conv(axes, channels, 2 * channels, 1, key=keys[1])
        self.coarser = _levels(axes, 2 * channels, width, depth - 1, keys[2])
        self.narrowed = eqx.nn.Conv(axes, 2 * channels, channels, 1, key=keys[3])
        self.rising = ResidualBlock(axes, channels, width, key=keys[4])

    def __call__(self, h: Float[Array, "channel ..."], seen: Float[Array, " width"]) -> Float[Array, "channel ..."]:
        """Channels of the same shape."""
        h = self.falling(h, seen)
        coarse = self.coarser(self.widened(_halved(h)), seen)
        return self.rising(h + _doubled(self.narrowed(coarse)), seen)


def _levels(axes: int, channels: int, width: int, depth: int, key: Key) -> Level | ResidualBlock:
    if depth == 0:
        return ResidualBlock(axes, channels, width, key=key)
    return Level(axes, channels, width, depth, key=key)


def _convolution(axes: int, in_channels: int, out_channels: int, key: Key) -> eqx.nn.Conv:
    return eqx.nn.Conv(axes, in_channels, out_channels, 3, padding=1, padding_mode="CIRCULAR", key=key)


def _halved(h: Float[Array, "channel ..."]) -> Float[Array, "channel ..."]:
    """Means of two cells along each axis."""
    pairs = [size for cells in h.shape[1:] for size in (cells // 2, 2)]
    return jnp.mean(h.reshape(-1, *pairs), axis=tuple(range(2, 2 * h.ndim, 2)))


def _doubled(h: Float[Array, "channel ..."]) -> Float[Array, "channel ..."]:
    """Each cell twice along each axis."""
    for axis in range(1, h.ndim):
        h = jnp.repeat(h, 2, axis)
    return h
