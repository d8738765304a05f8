"""Generalised Hamiltonian Monte Carlo: leapfrog trajectories with a momentum that may persist."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._types import Scalar
from ..dynamics import AbstractIntegrator, Leapfrog
from ._trajectory import AbstractTrajectoryKernel


class GHMC(AbstractTrajectoryKernel):
    """Generalised Hamiltonian Monte Carlo.

    The momentum is partially refreshed, p <- a p + sqrt(1 - a^2) xi, then `num_steps` leapfrog steps are proposed;
    on rejection the momentum is reversed. Hamiltonian Monte Carlo is the case a = 0.

    Args:
        step_size: Leapfrog step, tuned by `warmup`.
        num_steps: Leapfrog steps per trajectory.
        persistence: a, in [0, 1).
        jitter: Each trajectory's step is scaled by a uniform factor in [1 - jitter, 1 + jitter], against resonance.
        spread: The number of steps is spread evenly over `num_steps` (1 +- spread), the same for all chains.
        level_drift: How far the level of acceptance moves between trajectories, which makes rejections cluster; it is
            drawn afresh where none is given. Worth it where the momentum persists.
        target_acceptance: What `warmup` tunes the step size for.
        integrator: Leapfrog by default.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> target, sampler = cf.targets.Skewed([1.0, 1.0]), cf.samplers.GHMC(step_size=0.5, persistence=0.5)
        >>> chain = cf.sample(target, sampler, num_draws=500, num_chains=4, key=jr.key(0))
        >>> bool(chain.sample_stats["acceptance_rate"].mean() > 0.8)
        True

    References:
        Horowitz 1991; Duane et al. 1987; Neal 2011, arXiv:1206.1901; Neal 2020, arXiv:2001.11950.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    persistence: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    num_steps: int = 4
    jitter: float = 0.2
    spread: float = 0.0
    level_drift: Float[Array, ""] | None = eqx.field(
        converter=lambda v: None if v is None else jnp.asarray(v, float), default=None
    )
    target_acceptance: float = 0.8
    integrator: AbstractIntegrator = eqx.field(default_factory=Leapfrog)

    def __check_init__(self):
        if not 0 <= self.persistence < 1:
            raise ValueError(f"GHMC's persistence is {self.persistence}, but must lie in [0, 1).")

    def persistence_between(self, path: Scalar) -> Scalar:
        """The same for all trajectories."""
        return self.persistence
