"""Metropolised underdamped Langevin dynamics, with a momentum that persists and rejections that cluster."""

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Scalar
from ..dynamics import AbstractIntegrator, HarmonicSplitting
from ._base import AbstractSampler
from ._decoherence import redirected
from ._trajectory import AbstractTrajectoryKernel


class Langevin(AbstractTrajectoryKernel):
    """Underdamped Langevin dynamics, a draw and a Metropolis test after every step.

    The momentum is refreshed by p <- a p + sqrt(1 - a^2) xi with a = exp(-path / decoherence), where the path is the
    step times `num_steps`; one step of the integrator is proposed, and on rejection the momentum is reversed. In
    coordinates in which the target is N(0, I) the harmonic integrator is exact, and a step of pi/2, beyond which the
    warm-up does not go, makes independent draws at one gradient each.

    Args:
        step_size: Step of the integrator, tuned by `warmup`.
        decoherence: Path over which the momentum is forgotten; `warmup` moves it to the standard deviation along the
            longest axes of the draws, which is one where the target is whitened.
        level_drift: How far the level of acceptance moves between draws.
        num_steps: Steps per draw.
        jitter: Each step is scaled by a uniform factor in [1 - jitter, 1 + jitter], against resonance.
        spread: The number of steps is spread evenly over `num_steps` (1 +- spread), the same for all chains.
        target_acceptance: What `warmup` tunes the step size for.
        integrator: Rotations of a standard normal law by default; Leapfrog is the alternative.

    References:
        Horowitz 1991; Neal 2020, arXiv:2001.11950; Riou-Durand & Vogrinc 2022, arXiv:2202.13230;
        Hoffman & Sountsov 2022, PMLR 151, 7799.
    """

    tunable: ClassVar[tuple[str, ...]] = ("step_size", "decoherence")

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    decoherence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=1.0)
    level_drift: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.1)
    num_steps: int = 1
    jitter: float = 0.1
    spread: float = 0.0
    target_acceptance: float = 0.95
    integrator: AbstractIntegrator = eqx.field(default_factory=HarmonicSplitting)

    def __check_init__(self):
        if not 0 < self.decoherence < jnp.inf:
            raise ValueError(f"Langevin's decoherence is {self.decoherence}, but must be positive and finite.")

    def persistence_between(self, path: Scalar) -> Scalar:
        """It decays exponentially."""
        return jnp.exp(-path / self.decoherence.astype(path.dtype))

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> AbstractSampler:
        """The kernel with its step size moved towards its acceptance rate, its decoherence to the draws' scale."""
        moved = super().retuned(positions, stats, gain)
        path = float(self.step_size) * self.num_steps
        return eqx.tree_at(lambda s: s.decoherence, moved, redirected(self.decoherence, positions, path, gain))
