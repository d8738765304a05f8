"""Independence Metropolis from a defensive mixture around N(0, I)."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractKernel, AbstractState
from ._defensive import draw_defensive, log_defensive


class IndependenceState(AbstractState):
    """A point with its log-density, and the chain's random stream."""

    position: Vector
    log_density: Scalar
    key: Key
    counter: Int[Array, ""]


class IndependenceInfo(AbstractInfo):
    """Of one proposal."""

    acceptance_rate: Float[Array, "..."]
    non_finite: Int[Array, "..."]
    num_gradients: Int[Array, "..."]
    num_densities: Int[Array, "..."]


class Independence(AbstractKernel[IndependenceState, IndependenceInfo]):
    """Metropolis with proposals that do not depend on the state, in whitened coordinates or those of a good flow.

    A proposal y comes from N(0, I), or with the given probability from a wide law of heavy tails, so that no chain
    sticks where N(0, I) is thinner than the target. It is accepted with probability min(1, w(y) / w(x)), w the ratio of
    target and proposal.

    Args:
        wide_probability: How often a proposal comes from Student's t law of 3 degrees of freedom and scale 2.

    Raises:
        ValueError: The probability does not lie in [0, 1).

    References:
        Tierney 1994, Annals of Statistics 22, 1701; Hesterberg 1995, Technometrics 37, 185 (defensive mixtures).
    """

    wide_probability: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)

    def __check_init__(self):
        if not 0 <= self.wide_probability < 1:
            raise ValueError(f"Independence's wide_probability is {self.wide_probability}, but must lie in [0, 1).")

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> IndependenceState:
        """The state of one chain that starts at a position."""
        return IndependenceState(position, target.log_density(position), key, jnp.zeros((), jnp.int32))

    def log_density(self, state: IndependenceState) -> Scalar:
        """The target's log-density at the state's position."""
        return state.log_density

    def step(
        self, target: AbstractTarget, state: IndependenceState, *, key: Key
    ) -> tuple[IndependenceState, IndependenceInfo]:
        """Propose, accept or stay."""
        key_kind, key_propose, key_accept = jr.split(key, 3)
        dtype = state.position.dtype
        wide = jr.bernoulli(key_kind, self.wide_probability)
        proposal = draw_defensive(wide, state.position, key=key_propose)
        proposed = target.log_density(proposal)
        weight = state.log_density - log_defensive(state.position, self.wide_probability)
        change = proposed - log_defensive(proposal, self.wide_probability) - weight
        bad = jnp.isnan(change)
        acceptance_rate = jnp.where(bad, 0, jnp.exp(jnp.minimum(change, 0)))
        accept = jr.uniform(key_accept, (), dtype) < acceptance_rate
        state = IndependenceState(
            jnp.where(accept, proposal, state.position),
            jnp.where(accept, proposed, state.log_density),
            state.key,
            state.counter,
        )
        none = jnp.zeros((), jnp.int32)
        return state, IndependenceInfo(acceptance_rate, bad.astype(jnp.int32), none, none + 1)
