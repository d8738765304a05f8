"""What is kept of each draw: which variables, how often, how precisely, and what is derived from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import paramax
from jax.tree_util import Partial, all_leaves
from jaxtyping import Array, Float, Int

from ._types import Parameters, Vector
from .chains import POSTERIOR, thinned_group
from .targets import AbstractTarget


@dataclass(frozen=True)
class Keep:
    """How a variable is kept.

    Args:
        every: One of this many draws is kept, the last; the variable then stands in the group `posterior_every_<n>`.
        mean: Whether the mean over these draws is kept in place of the last.
        dtype: Such as "float32"; as it is computed if None.
    """

    every: int = 1
    mean: bool = False
    dtype: str | None = None

    def __post_init__(self):
        if self.every < 1:
            raise ValueError(f"Keep's `every` is {self.every}, but must be at least 1.")
        if self.dtype not in (None, "float32", "float64"):
            raise ValueError(f"Keep's `dtype` is {self.dtype!r}; choose 'float32' or 'float64'.")

    @property
    def group(self) -> str:
        """The group of the chain in which the variable stands."""
        return POSTERIOR if self.every == 1 else thinned_group(self.every)


class Moments(eqx.Module):
    """The mean of all draws so far, and the sum of the squares of their distances from it, chain by chain.

    References:
        Welford 1962, Technometrics 4, 419.
    """

    mean: Float[Array, "chain ..."]
    squares: Float[Array, "chain ..."]

    def after(self, value: Float[Array, "chain ..."], number: Int[Array, ""]) -> "Moments":
        """With the next draw in them, the one of this number, counted from one."""
        distance = value - self.mean
        mean = self.mean + distance / number.astype(value.dtype)
        return Moments(mean, self.squares + distance * (value - mean))


class Window(eqx.Module):
    """What a run carries from chunk to chunk beside its chains: its length so far, sums that are not complete, and
    moments of all draws.
    """

    num_draws: Int[Array, ""]
    sums: dict[str, Array]
    moments: dict[str, Moments]

    def posterior_moments(self) -> dict[str, Array]:
        """Means and standard deviations of each chain, under `<name>_mean` and `<name>_sd`."""
        degrees = jnp.maximum(self.num_draws - 1, 1)
        found = {}
        for name, moments in self.moments.items():
            found[f"{name}_mean"] = moments.mean
            found[f"{name}_sd"] = jnp.sqrt(moments.squares / degrees.astype(moments.squares.dtype))
        return found


class Record(eqx.Module):
    """What is kept of each draw; everything, where nothing else is said.

    It is evaluated draw by draw inside the compiled chunk, so neither the length of a chunk nor an interruption changes
    a kept number, and a large field that is thinned never leaves the device in full.

    Args:
        variables: How variables are kept, by name; one with None is not kept at all, one that is not named is kept as
            it is.
        derived: From the named parameters of one draw to further named quantities, such as the power spectrum of a
            field. A Module keeps its arrays as leaves; arrays that a plain function closes over become constants.
        averaged: As `derived`, to real quantities, such as whole maps, of which nothing is kept but the mean and the
            standard deviation over all draws of each chain: `Chain.moments`.
    """

    variables: tuple[tuple[str, Keep | None], ...] = eqx.field(static=True)
    derived: Callable[[Parameters], Parameters] | None
    averaged: Callable[[Parameters], Parameters] | None

    def __init__(
        self,
        variables: Mapping[str, Keep | None] | None = None,
        derived: Callable[[Parameters], Parameters] | None = None,
        averaged: Callable[[Parameters], Parameters] | None = None,
    ):
        self.variables = tuple((variables or {}).items())
        self.derived, self.averaged = _as_tree(derived), _as_tree(averaged)

    @property
    def thins(self) -> bool:
        """Whether some variable is not kept of every draw."""
        return any(keep is not None and keep.every > 1 for _, keep in self.variables)

    def small(self, target: AbstractTarget, position: Vector, *, size: int = 64) -> list[str]:
        """The names of the variables of few numbers that are kept of every draw."""
        values = jax.eval_shape(lambda x: self.values(paramax.unwrap(target), x), position)
        thinned = [name for name, keep in self.variables if keep is not None and keep.every > 1]
        return [name for name, value in values.items() if value.size <= size and name not in thinned]

    def open(self, target: AbstractTarget, positions: Float[Array, "chain dim"]) -> Window:
        """The window before the first draw.

        Raises:
            ValueError: A variable is named that there is not, a derived one has the name of a parameter, or the mean of
                one is asked for that is no real number.
        """
        parameters = jax.eval_shape(target.constrain, positions[0])
        derived = {} if self.derived is None else jax.eval_shape(self.derived, parameters)
        if clash := sorted(derived.keys() & parameters.keys()):
            raise ValueError(f"The record derives {clash[0]!r}, which is a parameter of the target; rename it.")
        known = parameters | derived
        for name, keep in self.variables:
            if name not in known:
                raise ValueError(f"The record names {name!r}, but the target has only {', '.join(known)}.")
            if keep is not None and keep.mean and not jnp.issubdtype(known[name].dtype, jnp.floating):
                raise ValueError(f"The record asks for the mean of {name!r}, which holds {known[name].dtype}.")
        sums = {
            name: jnp.zeros((len(positions), *known[name].shape), known[name].dtype)
            for name, keep in self.variables
            if keep is not None and keep.mean
        }
        averaged = {} if self.averaged is None else jax.eval_shape(self.averaged, parameters)
        for name, shape in averaged.items():
            if not jnp.issubdtype(shape.dtype, jnp.floating):
                raise ValueError(f"The record asks for the mean of {name!r}, which holds {shape.dtype}.")
        moments = {
            name: Moments(*(jnp.zeros((len(positions), *shape.shape), shape.dtype) for _ in range(2)))
            for name, shape in averaged.items()
        }
        return Window(jnp.zeros((), jnp.int32), sums, moments)

    def values(self, target: AbstractTarget, position: Vector) -> Parameters:
        """All named quantities of one draw of which anything is kept."""
        parameters = target.constrain(position)
        if self.derived is not None:
            parameters = parameters | self.derived(parameters)
        dropped = [name for name, keep in self.variables if keep is None]
        return {name: value for name, value in parameters.items() if name not in dropped}

    def run(
        self,
        target: AbstractTarget,
        window: Window,
        positions: Float[Array, "chain capacity dim"],
        num_draws: Int[Array, ""],
    ) -> tuple[Window, dict[str, dict[str, Array]]]:
        """Keep what is to be kept of the first `num_draws` of some positions.

        Returns:
            The window after them, and buffers by group and name, of shape (chain, capacity // every + 1, *shape), or
            (chain, capacity, *shape) for what is kept of every draw.
        """
        num_chains, capacity, _ = positions.shape
        kept = dict(self.variables)
        first = window.num_draws
        evaluate = jax.vmap(lambda position: self.values(target, position))
        shapes = jax.eval_shape(evaluate, positions[:, 0])
        keeps = {name: kept.get(name) or Keep() for name in shapes}

        def buffer(name):
            keep, shape = keeps[name], shapes[name]
            length = capacity if keep.every == 1 else capacity // keep.every + 1
            return jnp.zeros((num_chains, length, *shape.shape[1:]), keep.dtype or shape.dtype)

        def averages(position):
            return {} if self.averaged is None else self.averaged(target.constrain(position))

        def body(i, carry):
            sums, moments, buffers = carry
            number = first + i
            values, averaged = evaluate(positions[:, i]), jax.vmap(averages)(positions[:, i])
            moments = {name: moments[name].after(value, number + 1) for name, value in averaged.items()}
            sums = {name: jnp.where(number % keeps[name].every == 0, 0, sums[name]) + values[name] for name in sums}
            for name, keep in keeps.items():
                value = sums[name] / keep.every if keep.mean else values[name]
                place = (number + 1) // keep.every - 1 - first // keep.every
                complete = (number + 1) % keep.every == 0
                target_place = jnp.where(complete, place, buffers[name].shape[1])
                value = value.astype(buffers[name].dtype)
                buffers[name] = buffers[name].at[:, target_place].set(value, mode="drop")
            return sums, moments, buffers

        start = (window.sums, window.moments, {name: buffer(name) for name in keeps})
        sums, moments, buffers = jax.lax.fori_loop(0, num_draws, body, start)
        groups: dict[str, dict[str, Array]] = {POSTERIOR: {}}
        for name, keep in keeps.items():
            groups.setdefault(keep.group, {})[name] = buffers[name]
        return Window(first + num_draws, sums, moments), groups


def _as_tree(function: Callable | None) -> Callable | None:
    """A plain function as a pytree without leaves."""
    return Partial(function) if function is not None and all_leaves([function]) else function
