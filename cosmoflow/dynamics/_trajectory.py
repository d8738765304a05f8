"""Whole trajectories of kicks and drifts, and their reverse mode at constant memory."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float

from .._types import Scalar, Vector
from ._hamiltonian import Hamiltonian

Point = tuple[Vector, Vector, Scalar]


def trajectory(
    hamiltonian: Hamiltonian, point: Point, kicks: Float[Array, " drift"], drifts: Float[Array, " drift"]
) -> Point:
    """Position, momentum and time after kicks and drifts in turn, one gradient of the potential for each kick.

    Args:
        hamiltonian: Potential and kinetic energy.
        point: Position, momentum and time at the start.
        kicks: Lengths of the kicks.
        drifts: Lengths of the drifts that follow them.
    """

    def stage(point, lengths):
        q, p, time = kick(hamiltonian, point, lengths[0])
        return drift(hamiltonian, (q, p, time), lengths[1]), None

    return jax.lax.scan(stage, point, (kicks, drifts))[0]


def kick(hamiltonian: Hamiltonian, point: Point, length: Scalar) -> Point:
    """Change the momentum at a fixed position and time."""
    q, p, time = point
    return q, hamiltonian.kinetic.kick(p, jax.grad(hamiltonian.potential)(q, time), length), time


def drift(hamiltonian: Hamiltonian, point: Point, length: Scalar) -> Point:
    """Change position and time at a fixed momentum."""
    q, p, time = point
    return *hamiltonian.kinetic.drift(q, p, length), time + length


def reversible_trajectory(
    hamiltonian: Hamiltonian, point: Point, kicks: Float[Array, " drift"], drifts: Float[Array, " drift"]
) -> Point:
    """`trajectory`, whose reverse mode runs backwards instead of remembering: its memory does not grow with the steps.

    It costs one gradient of the potential more per kick, a third more in all, and has no forward mode.

    References:
        Gomez et al. 2017, arXiv:1707.04585; Maclaurin, Duvenaud & Adams 2015, arXiv:1502.03492.
    """
    return *_places((hamiltonian, point, kicks, drifts)), point[2] + jnp.sum(drifts)


@eqx.filter_custom_vjp
def _places(arguments: tuple) -> tuple[Vector, Vector]:
    # The time stays outside: what is not batched under vmap must not be among the outputs of a custom rule, whose
    # cotangent would then be counted once for each element of the batch.
    return trajectory(*arguments)[:2]


@_places.def_fwd
def _(perturbed, arguments):
    end = trajectory(*arguments)[:2]
    return end, end


@_places.def_bwd
def _(end, cotangent, perturbed, arguments):
    hamiltonian, (_, _, start), kicks, drifts = arguments
    cotangent = tuple(jnp.zeros_like(x) if c is None else c for x, c in zip(end, cotangent, strict=True))
    end, cotangent = (*end, start + jnp.sum(drifts)), (*cotangent, jnp.zeros_like(start))
    learned, fixed = eqx.partition(hamiltonian, perturbed[0])
    constants, static = eqx.partition(fixed, eqx.is_array)
    reverse = _reverse_mode(static, lambda motion: motion)
    gradient, cotangent, d_lengths = reverse(learned, constants, end, cotangent, (kicks, drifts))
    return gradient, cotangent, *d_lengths


def _reverse_mode(static: Any, lift: Callable[[Callable], Callable]) -> Callable:
    """Reverse mode of a trajectory from its end, for as many points at once as `lift` makes of a motion of one.

    A batch of points shares its parameters, whose cotangents are summed at each stage: vmap of the reverse mode of one
    point would carry one for each of them.

    Args:
        static: What of the Hamiltonian is no array.
        lift: From a function of (learned, constants, state, length) to one of batches of states.
    """

    def of(motion: Callable) -> Callable:
        return lift(lambda learned, constants, *rest: motion(eqx.combine(learned, constants, static), *rest))

    move, force, push = of(drift), of(_force), of(_push)

    @custom_vmap
    def run(learned, constants, end, cotangent, lengths):
        def pulled(motion, state, length):
            return jax.vjp(lambda a, x, h: motion(a, constants, x, h), learned, state, length)

        def stage(carry, lengths):
            point, cotangent, gradient = carry
            before = move(learned, constants, point, -lengths[1])
            _, pull_move = pulled(move, before, lengths[1])
            by_move, (c_q, c_p, c_time), d_drift = pull_move(cotangent)
            q, p_after, time = before
            acting, pull_force = pulled(force, (q, time), lengths[0])
            p = push(learned, constants, (p_after, acting), -lengths[0])
            _, pull_push = pulled(push, (p, acting), lengths[0])
            by_push, (c_p, c_acting), d_kick = pull_push(c_p)
            by_force, (by_q, by_time), _ = pull_force(c_acting)
            gradient = jax.tree.map(lambda *terms: sum(terms), gradient, by_move, by_push, by_force)
            return ((q, p, time), (c_q + by_q, c_p, c_time + by_time), gradient), (d_kick, d_drift)

        carry = (end, cotangent, jax.tree.map(jnp.zeros_like, learned))
        (_, cotangent, gradient), d_lengths = jax.lax.scan(stage, carry, lengths, reverse=True)
        return gradient, cotangent, d_lengths

    @run.def_vmap
    def _(size, batched, learned, constants, end, cotangent, lengths):
        own_lengths = any(batched[4])

        def for_each(x, is_batched):
            return x if is_batched else jnp.broadcast_to(x, (size, *x.shape))

        def share(total, is_batched):
            return total if is_batched else jnp.broadcast_to(total / size, (size, *total.shape))

        end, cotangent = jax.tree.map(for_each, (end, cotangent), tuple(batched[2:4]))
        if own_lengths:
            lengths = jax.tree.map(lambda x, b: jnp.moveaxis(for_each(x, b), 0, 1), lengths, batched[4])
        axes = jax.tree.map(lambda is_batched: 0 if is_batched else None, (batched[0], batched[1], True, own_lengths))
        whole = _reverse_mode(static, lambda motion: jax.vmap(lift(motion), in_axes=axes))
        gradient, cotangent, d_lengths = whole(learned, constants, end, cotangent, lengths)
        gradient = jax.tree.map(share, gradient, batched[0])
        d_lengths = jax.tree.map(lambda d: jnp.moveaxis(d, 1, 0) if own_lengths else share(d, False), d_lengths)
        outputs = gradient, cotangent, d_lengths
        return outputs, jax.tree.map(lambda _: True, outputs)

    return run


def _force(hamiltonian: Hamiltonian, state: tuple[Vector, Scalar], length: Scalar) -> Vector:
    return jax.grad(hamiltonian.potential)(*state)


def _push(hamiltonian: Hamiltonian, state: tuple[Vector, Vector], length: Scalar) -> Vector:
    return hamiltonian.kinetic.kick(*state, length)
