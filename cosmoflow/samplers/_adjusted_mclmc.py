"""Microcanonical Langevin dynamics with a Metropolis test."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ..dynamics import AbstractSplitting, IsokineticKinetic, MinimalNorm
from ..targets import AbstractTarget
from ._trajectory import AbstractTrajectoryKernel, TrajectoryState


class AdjustedMCLMC(AbstractTrajectoryKernel):
    """Microcanonical Langevin trajectories with a Metropolis test: MCLMC without its bias.

    The particle has the constant speed sqrt(dim), a fresh direction at the start of each trajectory, and some noise on
    it between steps. The whole trajectory is accepted or rejected by the sum of the energy errors of its steps.

    Args:
        step_size: Step of the integrator, tuned by `warmup`.
        decoherence: Path over which the direction is forgotten.
        num_steps: Mean number of steps per trajectory.
        spread: The number of steps is spread evenly over `num_steps` (1 +- spread), the same for all chains.
        jitter: Each trajectory's step is scaled by a uniform factor in [1 - jitter, 1 + jitter].
        target_acceptance: What `warmup` tunes the step size for.
        integrator: McLachlan's minimal norm splitting by default, of two gradients a step.

    References:
        Robnik, Cohn-Gordon & Seljak 2025, arXiv:2503.01707; Riou-Durand & Vogrinc 2022, arXiv:2202.13230.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    decoherence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=2.0)
    num_steps: int = 4
    spread: float = 0.5
    jitter: float = 0.0
    target_acceptance: float = 0.9
    integrator: AbstractSplitting = eqx.field(default_factory=MinimalNorm)
    level_drift: None = eqx.field(default=None, init=False)

    def __check_init__(self):
        if not self.decoherence > 0:
            raise ValueError(f"AdjustedMCLMC's decoherence is {self.decoherence}, but must be positive.")

    def persistence_between(self, path: Scalar) -> Scalar:
        """Momenta are drawn afresh."""
        return jnp.zeros_like(path)

    def persistence_within(self, h: Scalar) -> Scalar:
        """It decays exponentially."""
        return jnp.exp(-h / self.decoherence.astype(h.dtype))

    def kinetic(self, dtype: jnp.dtype) -> IsokineticKinetic:
        """Of constant speed."""
        return IsokineticKinetic()

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> TrajectoryState:
        """The state of one chain that starts at a position.

        Raises:
            ValueError: If the target has one dimension.
        """
        if position.size < 2:
            raise ValueError("AdjustedMCLMC needs two dimensions at least, but the target has one; use MALT instead.")
        return super().init(target, position, key=key)
