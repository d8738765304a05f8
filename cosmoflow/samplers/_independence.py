"""Independence Metropolis from N(0, I)."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget, log_standard_normal
from ._base import AbstractInfo, AbstractKernel, AbstractState


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
    """Metropolis with proposals from N(0, I) of the present coordinates, whatever the state.

    A proposal y is accepted with probability min(1, w(y) / w(x)), w the ratio of target and N(0, I). In the coordinates
    of a good flow it is a global move; where w has no bound, chains stick.

    References:
        Tierney 1994, Annals of Statistics 22, 1701.
    """

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
        key_propose, key_accept = jr.split(key)
        dtype = state.position.dtype
        proposal = jr.normal(key_propose, state.position.shape, dtype)
        proposed = target.log_density(proposal)
        weight = state.log_density - log_standard_normal(state.position)
        change = proposed - log_standard_normal(proposal) - weight
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
