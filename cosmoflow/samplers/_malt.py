"""Metropolis-adjusted Langevin trajectories."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Scalar
from ..dynamics import AbstractIntegrator, Leapfrog
from ._trajectory import AbstractTrajectoryKernel


class MALT(AbstractTrajectoryKernel):
    """Metropolis-adjusted Langevin trajectories.

    Underdamped Langevin dynamics from a fresh momentum: between steps p <- a p + sqrt(1 - a^2) xi with
    a = exp(-step / decoherence). The whole trajectory is accepted or rejected by the sum of the energy errors of its
    steps, to which the noise does not add: friction makes trajectories robust in their length, and costs no acceptance.

    Args:
        step_size: Step of the integrator, tuned by `warmup`.
        decoherence: Path over which the momentum is forgotten, in standard deviations of a whitened target.
        num_steps: Mean number of steps per trajectory.
        spread: The number of steps is spread evenly over `num_steps` (1 +- spread), the same for all chains.
        jitter: Each trajectory's step is scaled by a uniform factor in [1 - jitter, 1 + jitter].
        target_acceptance: What `warmup` tunes the step size for.
        integrator: Leapfrog by default.

    References:
        Riou-Durand & Vogrinc 2022, arXiv:2202.13230; Riou-Durand, Sountsov, Vogrinc, Margossian & Power 2022,
        arXiv:2210.12200.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    decoherence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=2.0)
    num_steps: int = 4
    spread: float = 0.5
    jitter: float = 0.0
    target_acceptance: float = 0.8
    integrator: AbstractIntegrator = eqx.field(default_factory=Leapfrog)
    level_drift: None = eqx.field(default=None, init=False)

    def __check_init__(self):
        if not self.decoherence > 0:
            raise ValueError(f"MALT's decoherence is {self.decoherence}, but must be positive.")

    def persistence_between(self, path: Scalar) -> Scalar:
        """Momenta are drawn afresh."""
        return jnp.zeros_like(path)

    def persistence_within(self, h: Scalar) -> Scalar:
        """It decays exponentially."""
        return jnp.exp(-h / self.decoherence.astype(h.dtype))
