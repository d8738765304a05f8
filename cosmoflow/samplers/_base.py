"""What every sampler is: a state, and a compiled chunk of draws of many chains."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from equinox import AbstractVar
from jaxtyping import Array, Float, Int

from .._types import Key, Scalar, Vector
from ..targets import AbstractTarget


class AbstractState(eqx.Module):
    """What a chain needs to go on.

    Its randomness is `fold_in(key, counter)`, so neither the length of a chunk nor an interruption can change it.
    """

    position: AbstractVar[Vector]
    key: AbstractVar[Key]
    counter: AbstractVar[Int[Array, ""]]


class AbstractInfo(eqx.Module):
    """What a user may want to know about one draw; the costs are mandatory."""

    num_gradients: AbstractVar[Int[Array, "..."]]
    num_densities: AbstractVar[Int[Array, "..."]]
    non_finite: AbstractVar[Int[Array, "..."]]


class Draws(eqx.Module):
    """Positions and log-densities of draws, shapes (chain, draw, dim) and (chain, draw)."""

    position: Float[Array, "*batch dim"]
    log_density: Float[Array, "*batch"]


def over_draws(function: Callable[[Vector], Any], positions: Float[Array, "chain draw dim"]) -> Any:
    """A function of each draw, evaluated for all chains side by side, one draw after another.

    The batch is always the number of chains, so that the length of a buffer cannot change a bit of the result.
    """
    values = jax.lax.map(jax.vmap(function), jnp.swapaxes(positions, 0, 1))
    return jax.tree.map(lambda value: jnp.swapaxes(value, 0, 1), values)


State = TypeVar("State", bound=AbstractState)
Info = TypeVar("Info", bound=AbstractInfo)


class AbstractSampler(eqx.Module, Generic[State, Info]):
    """A Markov process with a target as its invariant law.

    `tunable` names its positive scalar fields that a warm-up tunes, in `retuned`, and averages on a logarithmic scale.
    """

    tunable: ClassVar[tuple[str, ...]] = ()

    @property
    def keeps_coordinates(self) -> bool:
        """Whether the target's own coordinates matter to it, so that a warm-up leaves them as they are."""
        return False

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> "AbstractSampler":
        """The sampler for the next window of a warm-up, in the light of the last one.

        Args:
            positions: The draws of the last window.
            stats: Their infos by field name, and the log-density as `lp`, each of shape (chain, draw).
            gain: How much the last window counts, decreasing from 2: a step of stochastic approximation.
        """
        return self

    @abstractmethod
    def init(self, target: AbstractTarget, position: Vector, *, key: Key) -> State:
        """The state of one chain that starts at a position."""

    @abstractmethod
    def run_chunk(
        self, target: AbstractTarget, states: State, num_draws: Int[Array, ""], *, capacity: int
    ) -> tuple[State, Draws, Info]:
        """Advance all chains by `num_draws` draws.

        Args:
            target: What is sampled.
            states: States of all chains, stacked along a first axis.
            num_draws: Draws to make, at most `capacity`; not static, so that one compilation serves all lengths.
            capacity: Length of the buffers; entries from `num_draws` on are zero.

        Returns:
            The new states, and the draws and infos with leading shape (chain, capacity).
        """


class AbstractKernel(AbstractSampler[State, Info]):
    """A sampler in discrete time: one step makes one draw."""

    @abstractmethod
    def step(self, target: AbstractTarget, state: State, *, key: Key) -> tuple[State, Info]:
        """One transition of one chain; the counter is advanced by `run_chunk`."""

    @abstractmethod
    def log_density(self, state: State) -> Scalar:
        """The target's log-density at the state's position, at no cost."""

    def run_chunk(
        self, target: AbstractTarget, states: State, num_draws: Int[Array, ""], *, capacity: int
    ) -> tuple[State, Draws, Info]:
        """Advance all chains by `num_draws` draws."""

        def advance(state):
            new, info = self.step(target, state, key=jr.fold_in(state.key, state.counter))
            new = eqx.tree_at(lambda s: s.counter, new, state.counter + 1)
            return new, (Draws(new.position, self.log_density(new)), info)

        advance_all = jax.jit(jax.vmap(advance))  # traced once, for the shapes of the buffers and for the loop
        _, output = jax.eval_shape(advance_all, states)
        buffers = jax.tree.map(lambda a: jnp.zeros((a.shape[0], capacity, *a.shape[1:]), a.dtype), output)

        def body(i, carry):
            states, buffers = carry
            states, output = advance_all(states)
            return states, jax.tree.map(lambda buffer, new: buffer.at[:, i].set(new), buffers, output)

        states, (draws, infos) = jax.lax.fori_loop(0, num_draws, body, (states, buffers))
        return states, draws, infos


def scaled(value: Scalar, exponent: float) -> Scalar:
    """A positive field multiplied by e^exponent, in its own dtype."""
    return value * jnp.exp(jnp.asarray(exponent, value.dtype))


class AbstractTunedKernel(AbstractKernel[State, Info]):
    """A kernel whose step size is tuned towards an acceptance rate, which its info reports as `acceptance_rate`."""

    step_size: AbstractVar[Scalar]
    target_acceptance: AbstractVar[float]
    tunable: ClassVar[tuple[str, ...]] = ("step_size",)

    def retuned(
        self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray], gain: float
    ) -> "AbstractSampler":
        """The kernel with its step size moved towards the acceptance rate that it should have."""
        excess = float(np.mean(stats["acceptance_rate"])) - self.target_acceptance
        return eqx.tree_at(lambda s: s.step_size, self, scaled(self.step_size, gain * excess))
