"""Integrals along trajectories: means over continuous time, with no reading times between."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import paramax
from jaxtyping import Array, Float, Int

from ..._types import Scalar, Vector
from ...targets import AbstractTarget
from .._motions import AbstractMotion
from ._base import MAX_TICKS_PER_DRAW, AbstractPDMP, PDMPState


class AbstractIntegrand(eqx.Module):
    """A test function, known by its integrals over pieces of deterministic motion."""

    @abstractmethod
    def __call__(self, motion: AbstractMotion, position: Vector, velocity: Vector, time: Scalar) -> Any:
        """The integral over a time, an array or several."""


class Moments(AbstractIntegrand):
    """x and x x^T, in closed form."""

    def __call__(
        self, motion: AbstractMotion, position: Vector, velocity: Vector, time: Scalar
    ) -> tuple[Vector, Float[Array, "dim dim"]]:
        """The integrals of x and of x x^T."""
        return motion.moments(position, velocity, time)


class Quadrature(AbstractIntegrand):
    """Any function of position, by Gauss-Legendre quadrature of each piece.

    Args:
        function: From a position to an array, or to several.
        num_nodes: Evaluations per piece; polynomials of degree 2 `num_nodes` - 1 in time are integrated exactly.
    """

    function: Callable
    num_nodes: int = 4

    def __call__(self, motion: AbstractMotion, position: Vector, velocity: Vector, time: Scalar) -> Any:
        """The integral of the function."""
        nodes, weights = np.polynomial.legendre.leggauss(self.num_nodes)
        times = 0.5 * time * jnp.asarray(1 + nodes, time.dtype)
        values = jax.vmap(lambda t: self.function(motion.move(position, velocity, t)[0]))(times)
        return jax.tree.map(lambda v: 0.5 * time * jnp.tensordot(jnp.asarray(weights, v.dtype), v, 1), values)


class PathIntegral(eqx.Module):
    """Integrals over a stretch of trajectory of every chain, with what it took.

    Attributes:
        duration: Time covered, shape (chain,).
        integral: The integrand's integrals over it, each with a leading chain axis.
        num_events: Events and refreshments, shape (chain,); fewer than were asked for where a chain is stuck.
        num_bounds, num_violations, non_finite: As in the infos of draws.
    """

    duration: Float[Array, "*chain"]
    integral: Any
    num_events: Int[Array, "*chain"]
    num_bounds: Int[Array, "*chain"]
    num_violations: Int[Array, "*chain"]
    non_finite: Int[Array, "*chain"]

    def mean(self) -> Any:
        """The integrand's mean over the duration, for each chain."""
        return jax.tree.map(
            lambda value: value / self.duration.reshape(self.duration.shape + (1,) * (value.ndim - self.duration.ndim)),
            self.integral,
        )


def path_integral(
    target: AbstractTarget,
    sampler: AbstractPDMP,
    states: PDMPState,
    integrand: AbstractIntegrand,
    num_events: int | Int[Array, ""],
) -> tuple[PathIntegral, PDMPState]:
    """Integrate along the trajectories of all chains until each has met a number of events.

    Memory does not grow with the number of events. Errors can be estimated from several stretches, one after another.

    Args:
        target: What is sampled.
        sampler: A piecewise deterministic process.
        states: States of all chains, stacked along a first axis.
        integrand: What is integrated: `Moments()` or `Quadrature(function)`.
        num_events: Events, refreshments included, per chain.

    Returns:
        The integrals, and the states from which to go on.
    """
    return _integrate(target, sampler, states, integrand, jnp.asarray(num_events, jnp.int32))


@eqx.filter_jit
def _integrate(target, sampler, states, integrand, num_events) -> tuple[PathIntegral, PDMPState]:
    """The integrals, compiled once for all numbers of events."""
    target = paramax.unwrap(target)

    def of_piece(state, tick):
        piece = integrand(sampler.motion, state.position, state.velocity, tick.elapsed)
        seen = (tick.event | tick.refreshment, jnp.ones((), bool), tick.violation, tick.non_finite)
        return PathIntegral(tick.elapsed, piece, *(flag.astype(jnp.int32) for flag in seen))

    def of_chain(state):
        def unfinished(carry):
            _, total, idle = carry
            return (total.num_events < num_events) & (idle < MAX_TICKS_PER_DRAW)

        def advance(carry):
            state, total, idle = carry
            new, tick = sampler.tick(target, state)
            more = of_piece(state, tick)
            return new, jax.tree.map(jnp.add, total, more), jnp.where(more.num_events > 0, 0, idle + 1)

        shapes = jax.eval_shape(lambda s: of_piece(s, sampler.tick(target, s)[1]), state)
        nothing = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)
        state, total, _ = jax.lax.while_loop(unfinished, advance, (state, nothing, jnp.zeros((), jnp.int32)))
        return total, state

    return jax.vmap(of_chain)(states)
