"""Independence Metropolis from a defensive mixture around N(0, I) or another law."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget
from ._base import AbstractInfo, AbstractKernel, AbstractState
from ._defensive import draw_defensive, log_defensive


class IndependenceState(AbstractState):
    """A point with the log-densities of target and proposal there, and the chain's random stream."""

    position: Vector
    log_density: Scalar
    log_proposal: Scalar
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

    A proposal y comes from N(0, I) or a law that is given, or with the given probability from a wide law of heavy
    tails, so that no chain sticks where the first is thinner than the target. It is accepted with probability
    min(1, w(y) / w(x)), w the ratio of target and proposal: the law of the draws is the target, however poor the
    proposals.

    A law that is given is one of the target's coordinates, which a warm-up then leaves as they are: to whiten, do so
    before the law is trained. Its densities are counted in no cost. The momenta of a `HamiltonianFlow` are coordinates
    too: it proposes to `Augmented(target, flow.momentum)`.

    Args:
        law: An unconditional distribution, such as a flow, `flow.given(data)`, or a generative model as a
            `ContinuousFlow`; N(0, I) by default.
        wide_probability: How often a proposal comes from Student's t law of 3 degrees of freedom and scale 2; zero is
            best where the law has the wider tails.

    Raises:
        ValueError: The probability does not lie in [0, 1).

    References:
        Tierney 1994, Annals of Statistics 22, 1701; Hesterberg 1995, Technometrics 37, 185 (defensive mixtures).
    """

    law: AbstractDistribution | None = None
    wide_probability: Float[Array, ""] = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.5)

    def __check_init__(self):
        if not 0 <= self.wide_probability < 1:
            raise ValueError(f"Independence's wide_probability is {self.wide_probability}, but must lie in [0, 1).")

    @property
    def keeps_coordinates(self) -> bool:
        """Where they are those of a law."""
        return self.law is not None

    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> IndependenceState:
        """The state of one chain that starts at a position.

        Raises:
            ValueError: The law is conditional, or of another dimension than the target.
        """
        law = self.law
        if law is not None and (law.shape != position.shape or law.cond_shape is not None):
            raise ValueError(
                f"Independence needs an unconditional law of shape {position.shape} for this target, but its shape is "
                f"{law.shape} and its cond_shape {law.cond_shape}."
            )
        log_densities = target.log_density(position), self._log_proposal(position)
        return IndependenceState(position, *log_densities, key, jnp.zeros((), jnp.int32))

    def log_density(self, state: IndependenceState) -> Scalar:
        """The target's log-density at the state's position."""
        return state.log_density

    def step(
        self, target: AbstractTarget, state: IndependenceState, *, key: Key
    ) -> tuple[IndependenceState, IndependenceInfo]:
        """Propose, accept or stay."""
        key_kind, key_propose, key_accept = jr.split(key, 3)
        wide = jr.bernoulli(key_kind, self.wide_probability)
        position = draw_defensive(wide, state.position, self.law, key=key_propose)
        log_density, log_proposal = target.log_density(position), self._log_proposal(position)
        change = log_density - log_proposal - (state.log_density - state.log_proposal)
        bad = jnp.isnan(change)
        acceptance_rate = jnp.where(bad, 0, jnp.exp(jnp.minimum(change, 0)))
        accept = jr.uniform(key_accept, (), change.dtype) < acceptance_rate

        def choose(new, old):
            return jnp.where(accept, new, old)

        state = IndependenceState(
            choose(position, state.position),
            choose(log_density, state.log_density),
            choose(log_proposal, state.log_proposal),
            state.key,
            state.counter,
        )
        none = jnp.zeros((), jnp.int32)
        return state, IndependenceInfo(acceptance_rate, bad.astype(jnp.int32), none, none + 1)

    def _log_proposal(self, x: Vector) -> Scalar:
        return log_defensive(x, self.wide_probability, self.law)
