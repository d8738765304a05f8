"""A rate bound from gradients at nodes, for any number of clocks."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Scalar
from ._event_time import AbstractRateBound, Majorant, Path


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
    num_directional_derivatives = 0

    def __check_init__(self):
        if self.num_cells < 2:
            raise ValueError(f"ChordBound's num_cells is {self.num_cells}, but curvature shows only with two or more.")

    @property
    def num_gradients(self) -> int:
        """One for each cell."""
        return self.num_cells

    def majorant(self, path: Path, horizon: Scalar) -> Majorant:
        """The lifted chords."""
        width = horizon / self.num_cells
        nodes = width * jnp.arange(1, self.num_cells + 1, dtype=horizon.dtype)
        rates = jnp.concatenate([path.rates[None], jax.vmap(path.rates_at)(nodes)])
        curvature = jnp.max(jnp.abs(jnp.diff(rates, n=2, axis=0)), axis=0)
        lift = self.safety.astype(rates.dtype) * curvature / 8 + 0.01 * jnp.mean(jnp.abs(rates), axis=0)
        lifted = rates + lift
        return Majorant(lifted[:-1], lifted[1:], width)
