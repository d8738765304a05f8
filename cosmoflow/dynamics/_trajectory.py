"""Whole trajectories of kicks and drifts, and their reverse mode at constant memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
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

    def stage(carry, lengths):
        point, cotangent, gradient = carry
        before = drift(hamiltonian, point, -lengths[1])
        by_drift, cotangent, d_drift = pulled(drift, before, lengths[1], cotangent)
        point, (by_kick, cotangent, d_kick) = undone_kick(before, lengths[0], cotangent)
        gradient = jax.tree.map(lambda g, a, b: g + a + b, gradient, by_drift, by_kick)
        return (point, cotangent, gradient), (d_kick, d_drift)

    def pulled(motion, point, length, cotangent):
        _, pull = jax.vjp(lambda a, x, h: motion(eqx.combine(a, fixed), x, h), learned, point, length)
        return pull(cotangent)

    def undone_kick(after, length, cotangent):
        q, p_after, time = after
        force = lambda a, q, time: jax.grad(eqx.combine(a, fixed).potential)(q, time)  # noqa: E731
        gradient, pull_force = jax.vjp(force, learned, q, time)
        p = hamiltonian.kinetic.kick(p_after, gradient, -length)
        push = lambda a, p, g, h: eqx.combine(a, fixed).kinetic.kick(p, g, h)  # noqa: E731
        _, pull_push = jax.vjp(push, learned, p, gradient, length)
        by_push, c_p, c_gradient, d_length = pull_push(cotangent[1])
        by_force, c_q, c_time = pull_force(c_gradient)
        learned_cotangent = jax.tree.map(jnp.add, by_push, by_force)
        return (q, p, time), (learned_cotangent, (cotangent[0] + c_q, c_p, cotangent[2] + c_time), d_length)

    carry = (end, cotangent, jax.tree.map(jnp.zeros_like, learned))
    (_, cotangent, gradient), (d_kicks, d_drifts) = jax.lax.scan(stage, carry, (kicks, drifts), reverse=True)
    return gradient, cotangent, d_kicks, d_drifts
