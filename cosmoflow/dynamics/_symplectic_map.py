"""The flow of a Hamiltonian for a fixed time, as a volume-preserving bijection of phase space."""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import paramax
from flowjax.bijections import AbstractBijection, Chain
from jaxtyping import Array, Float
from paramax import AbstractUnwrappable

from .._types import Scalar
from ._hamiltonian import Hamiltonian
from ._isokinetic import IsokineticKinetic
from ._splitting import AbstractSplitting, Leapfrog
from ._trajectory import kick, reversible_trajectory, trajectory

Tree = TypeVar("Tree")


class SymplecticMap(AbstractBijection):
    """`num_steps` symplectic steps on x = concatenate(q, p); the log-determinant is exactly zero.

    Args:
        dim: Dimension d of the position; the bijection acts on R^(2d).
        hamiltonian: Potential and kinetic energy.
        step_size: Length of the steps, or one length for each.
        num_steps: Number of steps.
        integrator: Leapfrog by default.
        reversible: Whether reverse mode runs the steps backwards instead of remembering them: memory independent of
            `num_steps` for a third more work, and no forward mode.
        cond_dim: Length of the condition that the potential depends on, where there is one.

    Raises:
        ValueError: There is no step, there are not as many lengths as steps, or the kinetic energy does not preserve
            volume.
    """

    shape: tuple[int, ...]
    hamiltonian: Hamiltonian
    integrator: AbstractSplitting
    step_size: Float[Array, "..."] | AbstractUnwrappable
    num_steps: int
    reversible: bool
    cond_shape: tuple[int, ...] | None

    def __init__(
        self,
        dim: int,
        hamiltonian: Hamiltonian,
        *,
        step_size: float | Float[Array, "..."] | AbstractUnwrappable,
        num_steps: int,
        integrator: AbstractSplitting | None = None,
        reversible: bool = False,
        cond_dim: int | None = None,
    ):
        if num_steps < 1:
            raise ValueError(f"num_steps is {num_steps}, but a map needs at least one step.")
        if isinstance(hamiltonian.kinetic, IsokineticKinetic):
            raise ValueError("SymplecticMap needs a kinetic energy that preserves volume, not IsokineticKinetic.")
        self.shape = (2 * dim,)
        self.hamiltonian = hamiltonian
        self.integrator = Leapfrog() if integrator is None else integrator
        wrapped = isinstance(step_size, AbstractUnwrappable)
        self.step_size = step_size if wrapped else jnp.asarray(step_size, float)
        self.num_steps = num_steps
        self.reversible = reversible
        self.cond_shape = None if cond_dim is None else (cond_dim,)
        shape = jnp.shape(paramax.unwrap(self.step_size))
        if shape not in ((), (num_steps,)):
            raise ValueError(
                f"step_size has shape {shape}, but there are {num_steps} steps; give one length or {num_steps}."
            )

    def _run(self, x: Any, condition: Any, *, backwards: bool) -> tuple[Float[Array, " phase"], Scalar]:
        hamiltonian = self.hamiltonian if condition is None else self.hamiltonian.given(condition)
        steps = jnp.broadcast_to(self.step_size, (self.num_steps,))  # pyright: ignore[reportArgumentType]
        kicks, drifts = self.integrator.schedule(steps)
        start = jnp.zeros((), steps.dtype)
        if backwards:
            kicks, drifts, start = -kicks[::-1], -drifts[::-1], jnp.sum(drifts)
        q, p = jnp.split(x, 2)
        follow = reversible_trajectory if self.reversible else trajectory
        q, p, _ = kick(hamiltonian, follow(hamiltonian, (q, p, start), kicks[:-1], drifts), kicks[-1])
        return jnp.concatenate([q, p]), jnp.zeros((), x.dtype)

    def transform_and_log_det(self, x, condition=None):
        """Follow the flow from time 0 to the sum of all steps; where only the position is read, the last kick is not.

        L leapfrog steps cost L + 1 gradients, and L in a compiled function that drops the momentum.
        """
        return self._run(x, condition, backwards=False)

    def inverse_and_log_det(self, y, condition=None):
        """Follow the flow back to time 0."""
        return self._run(y, condition, backwards=True)


def with_num_steps(tree: Tree, num_steps: int) -> Tree:
    """A model whose symplectic maps take another number of steps for the same time.

    Steps of different lengths keep their proportions: the time at any fraction of the steps is that of before,
    interpolated.

    Args:
        tree: A flow, a map, or anything that holds maps.
        num_steps: Steps of each map.

    Raises:
        ValueError: `num_steps` is below one.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps is {num_steps}, but a map needs at least one step.")

    def changed(bijection: SymplecticMap) -> SymplecticMap:
        steps = jnp.asarray(paramax.unwrap(bijection.step_size))
        if steps.ndim:
            times = jnp.pad(jnp.cumsum(steps), (1, 0))
            at = jnp.linspace(0, 1, num_steps + 1, dtype=steps.dtype)
            steps = jnp.diff(jnp.interp(at, jnp.linspace(0, 1, times.size, dtype=steps.dtype), times))
        else:
            steps = steps * (bijection.num_steps / num_steps)
        return eqx.tree_at(lambda b: (b.step_size, b.num_steps), bijection, (steps, num_steps))

    return _on_maps(changed, tree)


def with_reversible(tree: Tree, reversible: bool) -> Tree:
    """A model whose symplectic maps forget their steps, or remember them; see `SymplecticMap`.

    Args:
        tree: A flow, a map, or anything that holds maps.
        reversible: Whether reverse mode runs the steps backwards.
    """
    return _on_maps(lambda bijection: eqx.tree_at(lambda b: b.reversible, bijection, reversible), tree)


def with_condition(bijection: AbstractBijection, condition: Float[Array, " condition"]) -> AbstractBijection:
    """A bijection whose conditional symplectic maps are unconditional ones, for one value of the condition.

    Args:
        bijection: A map, or a chain of maps.
        condition: What the potentials depend on.
    """

    def changed(bijection: SymplecticMap) -> SymplecticMap:
        if bijection.cond_shape is None:
            return bijection
        hamiltonian = bijection.hamiltonian.given(condition)
        return eqx.tree_at(lambda b: (b.hamiltonian, b.cond_shape), bijection, (hamiltonian, None))

    bijection = _on_maps(changed, bijection)
    if isinstance(bijection, Chain) and bijection.cond_shape is not None:
        return Chain(bijection.bijections)
    return bijection


def _on_maps(change: Callable[[SymplecticMap], SymplecticMap], tree: Tree) -> Tree:
    def is_map(node: Any) -> bool:
        return isinstance(node, SymplecticMap)

    return jax.tree.map(lambda node: change(node) if is_map(node) else node, tree, is_leaf=is_map)
