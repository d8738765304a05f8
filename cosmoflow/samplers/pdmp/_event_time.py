"""Event times of a piecewise deterministic process: the first point of a Poisson process under a checked majorant."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from ..._types import Key, Scalar


class AbstractRateBound(eqx.Module):
    """A majorant of all event rates over a horizon, made from the rates at equally spaced nodes."""

    num_cells: eqx.AbstractVar[int]

    @abstractmethod
    def first_event(
        self, rates: Float[Array, "node clock"], horizon: Scalar, *, key: Key
    ) -> tuple[Scalar, Int[Array, ""], Float[Array, " clock"]]:
        """The first candidate event.

        Args:
            rates: Signed rates of every clock at `num_cells + 1` equally spaced nodes; true rates are positive parts.
            horizon: Time spanned by the nodes.
            key: Random key.

        Returns:
            Its time (infinite where there is none before the horizon), its clock, and every clock's majorant there.
        """


class ChordBound(AbstractRateBound):
    """Chords between nodes, lifted by the curvature that the nodes show.

    A signed rate with second derivative r'' rises above its chord over a cell of width w by at most |r''| w^2 / 8; the
    second differences of the nodes measure r'' w^2, and `safety` multiplies them. Linear rates (Gaussian targets) are
    bounded exactly. The bound is a majorant only where the curvature is resolved, so the process checks it at each
    candidate.

    Args:
        safety: Factor on the measured curvature.
        num_cells: Cells per horizon, each costing one gradient.
    """

    safety: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=4.0)
    num_cells: int = 3

    def __check_init__(self):
        if self.num_cells < 2:
            raise ValueError(f"ChordBound's num_cells is {self.num_cells}, but curvature shows only with two or more.")

    def first_event(
        self, rates: Float[Array, "node clock"], horizon: Scalar, *, key: Key
    ) -> tuple[Scalar, Int[Array, ""], Float[Array, " clock"]]:
        """The first candidate event under the lifted chords."""
        width = horizon / self.num_cells
        curvature = jnp.max(jnp.abs(jnp.diff(rates, n=2, axis=0)), axis=0)
        lifted = rates + self.safety.astype(rates.dtype) * curvature / 8 + 0.01 * jnp.mean(jnp.abs(rates), axis=0)
        left, right = lifted[:-1], lifted[1:]

        areas = _area(left, right, width)
        needed = jr.exponential(key, rates.shape[1:], rates.dtype) - jnp.cumsum(areas, axis=0) + areas
        starts = width * jnp.arange(self.num_cells, dtype=rates.dtype)[:, None]
        inside = (needed >= 0) & (needed < areas)
        times = jnp.where(inside, starts + _invert(left, right, width, needed), jnp.inf)
        first = jnp.min(times, axis=0)
        clock = jnp.argmin(first)
        time = first[clock]

        place = jnp.minimum(time, horizon) / width
        cell = jnp.clip(place.astype(jnp.int32), 0, self.num_cells - 1)
        fraction = place - cell.astype(place.dtype)
        return time, clock, left[cell] + (right[cell] - left[cell]) * fraction


def _area(left: Array, right: Array, width: Scalar) -> Array:
    """Integral over a cell of the positive part of a linear function."""
    both = (left >= 0) & (right >= 0)
    squares = jnp.maximum(right, 0) ** 2 - jnp.maximum(left, 0) ** 2
    crossing = squares / jnp.where(both | (left == right), 1.0, right - left)
    return 0.5 * width * jnp.where(both, left + right, crossing)


def _invert(left: Array, right: Array, width: Scalar, area: Array) -> Array:
    """Where in a cell the integral of the positive part of a linear function reaches an area."""
    slope = (right - left) / width
    height = jnp.maximum(left, 0)
    start = jnp.where(left < 0, -left / jnp.where(slope == 0, 1.0, slope), 0.0)
    root = jnp.sqrt(jnp.maximum(height**2 + 2 * slope * area, 0))
    return start + 2 * area / jnp.where(height + root == 0, 1.0, height + root)
