"""The No-U-Turn sampler, BlackJAX's, behind our interface."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractState, AbstractTunedKernel


class NUTSState(AbstractState):
    """BlackJAX's state and the chain's random stream."""

    position: Vector
    log_density: Scalar
    gradient: Vector
    key: Key
    counter: Int[Array, ""]


class NUTSInfo(AbstractInfo):
    """Of one trajectory."""

    acceptance_rate: Float[Array, "..."]
    energy: Float[Array, "..."]
    n_steps: Int[Array, "..."]
    diverging: Bool[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class NUTS(AbstractTunedKernel[NUTSState, NUTSInfo]):
    """The No-U-Turn sampler with multinomial trajectories and a unit metric.

    Args:
        step_size: Leapfrog step, tuned by `warmup`.
        max_doublings: Largest number of trajectory doublings.
        target_acceptance: What `warmup` tunes the step size for.

    References:
        Hoffman & Gelman 2014, arXiv:1111.4246; Betancourt 2017, arXiv:1701.02434;
        Cabezas et al. 2024 (BlackJAX), arXiv:2402.10797.
    """

    step_size: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)
    max_doublings: int = 10
    target_acceptance: float = 0.8

    def __check_init__(self):
        if not 0 < self.step_size < jnp.inf:
            raise ValueError(f"NUTS's step_size is {self.step_size}, but must be positive and finite.")

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> NUTSState:
        """The state of one chain that starts at a position."""
        from blackjax.mcmc import nuts

        state: Any = nuts.init(position, target.log_density)
        return NUTSState(state.position, state.logdensity, state.logdensity_grad, key, jnp.zeros((), jnp.int32))

    def log_density(self, state: NUTSState) -> Scalar:
        """The target's log-density at the state's position."""
        return state.log_density

    def step(self, target: AbstractTarget, state: NUTSState, *, key: Key) -> tuple[NUTSState, NUTSInfo]:
        """One trajectory."""
        from blackjax.mcmc import hmc, nuts

        dtype = state.position.dtype
        kernel: Any = nuts.build_kernel()
        before: Any = (state.position, state.log_density, state.gradient)
        new, info = kernel(
            key,
            hmc.HMCState(*before),
            target.log_density,
            self.step_size.astype(dtype),
            jnp.ones(state.position.shape, dtype),
            self.max_doublings,
        )
        ends = (info.trajectory_leftmost_state, info.trajectory_rightmost_state)
        bad = jnp.isnan(jnp.stack([end.logdensity + jnp.sum(end.logdensity_grad) for end in ends]))
        n_steps = jnp.asarray(info.num_integration_steps, jnp.int32)
        return NUTSState(new.position, new.logdensity, new.logdensity_grad, state.key, state.counter), NUTSInfo(
            acceptance_rate=info.acceptance_rate,
            energy=info.energy,
            n_steps=n_steps,
            diverging=info.is_divergent,
            non_finite=jnp.any(bad).astype(jnp.int32),
            num_gradients=n_steps,
            num_densities=jnp.zeros((), jnp.int32),
        )
