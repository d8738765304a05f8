"""Jumps of a velocity at an event, shared by the processes in continuous time and their splittings.

Each is skew-reversible: at the rate (v . g)_+ it keeps N(0, I), and seen backwards it starts from the velocity
reversed.
"""

import jax.numpy as jnp
import jax.random as jr

from .._types import Key, Scalar, Vector


def direction(gradient: Vector) -> Vector:
    """The unit vector along a gradient; zero where the gradient is."""
    norm = jnp.sqrt(gradient @ gradient)
    return gradient / jnp.where(norm > 0, norm, 1)


def reflect(gradient: Vector, velocity: Vector) -> Vector:
    """The velocity reflected off the level set: v - 2 (v . n) n, n = g / |g|.

    References:
        Bouchard-Côté, Vollmer, Doucet 2018, arXiv:1510.02451.
    """
    normal = direction(gradient)
    return velocity - 2 * (velocity @ normal) * normal


def refresh(velocity: Vector, persistence: Scalar, *, key: Key) -> Vector:
    """A partial refreshment that keeps N(0, I): c v + sqrt(1 - c^2) xi, xi ~ N(0, I)."""
    noise = jr.normal(key, velocity.shape, velocity.dtype)
    return persistence * velocity + jnp.sqrt(1 - persistence**2) * noise


def event_chain(gradient: Vector, velocity: Vector, persistence: Scalar, *, key: Key) -> Vector:
    """The jump of the forward event chain for v ~ N(0, I).

    The component along the gradient is drawn afresh with the law of a component that leaves a collision,
    -sqrt(-2 log u), and the orthogonal part is partially refreshed.

    Args:
        gradient: g, the gradient of the energy.
        velocity: v, with v . g > 0.
        persistence: c, the part of the orthogonal velocity that is kept.
        key: Random key.

    References:
        Michel, Durmus, Sénécal 2020, arXiv:1702.08397.
    """
    key_along, key_across = jr.split(key)
    normal = direction(gradient)
    along = -jnp.sqrt(2 * jr.exponential(key_along, (), velocity.dtype))
    fresh = refresh(velocity, persistence, key=key_across)
    return fresh + (along - fresh @ normal) * normal
