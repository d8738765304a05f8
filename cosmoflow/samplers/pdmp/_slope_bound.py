"""A rate bound from directional derivatives, for processes with one clock."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._types import Scalar
from ._event_time import AbstractRateBound, Majorant, Path

PIECES = 4
"""Linear pieces of the majorant in each cell."""


class SlopeBound(AbstractRateBound):
    """Parabolas through the slopes of the potential along the path.

    With one clock the signed rate is the derivative r(t) of the potential W along the path, so one directional
    derivative at a node, cheaper than a gradient, gives W and r. Over a cell of width w from a to b, r_a, r_b and the
    mean (W_b - W_a) / w determine a parabola, which rises above the chord by 6 D s (1 - s), s in [0, 1], with

        D = (W_b - W_a) / w - (r_a + r_b) / 2 .

    The majorant is that parabola, in linear pieces, lifted by `safety` times the largest |D| of all cells: a single
    cell is blind to a step of the rate in its middle. Linear rates (Gaussian targets) are bounded exactly; elsewhere
    the bound is a majorant only where the rate is resolved, so the process checks it at each candidate.

    Args:
        safety: Lift of the parabola, in units of the deviation D from the chord.
        num_cells: Cells per horizon, each costing one directional derivative.
    """

    safety: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=3.0)
    num_cells: int = 2
    num_gradients = 0

    def __check_init__(self):
        if self.num_cells < 1:
            raise ValueError(f"SlopeBound's num_cells is {self.num_cells}, but must be at least 1.")

    @property
    def num_directional_derivatives(self) -> int:
        """One for each cell."""
        return self.num_cells

    def majorant(self, path: Path, horizon: Scalar) -> Majorant:
        """The lifted parabolas."""
        if path.rates.size != 1:
            raise ValueError("SlopeBound serves processes with one clock; give this one a ChordBound.")
        dtype = horizon.dtype
        width = horizon / self.num_cells
        energies, slopes = jax.vmap(path.slope_at)(width * jnp.arange(1, self.num_cells + 1, dtype=dtype))
        energies = jnp.concatenate([path.energy[None], energies])
        slopes = jnp.concatenate([path.rates, slopes])

        excess = jnp.diff(energies) / width - 0.5 * (slopes[:-1] + slopes[1:])
        lift = self.safety.astype(dtype) * jnp.max(jnp.abs(excess)) + 0.01 * jnp.mean(jnp.abs(slopes))
        lift = lift + 1.5 * jnp.maximum(excess, 0) / PIECES**2
        s = jnp.arange(PIECES + 1, dtype=dtype) / PIECES
        parabola = slopes[:-1, None] * (1 - s) + slopes[1:, None] * s + 6 * excess[:, None] * s * (1 - s)
        lifted = parabola + lift[:, None]
        return Majorant(lifted[:, :-1].reshape(-1, 1), lifted[:, 1:].reshape(-1, 1), width / PIECES)
