"""Tails and quantiles of N(0, 1), from which the transports are built."""

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, ArrayLike, Float


def floats(value: ArrayLike | list | tuple) -> Array:
    """An array of the default floating dtype, never weakly typed."""
    return jnp.asarray(value, dtype=float)


def tail(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The smaller tail Phi(-|z|), differentiable at zero from the right."""
    return 0.5 * jax.lax.erfc(jnp.where(z < 0, -z, z) * 0.5**0.5)


def positive_tail(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`tail`, held above the underflow so that roots and quantiles of it have finite derivatives."""
    info = jnp.finfo(z.dtype)
    return jnp.maximum(tail(z), float(info.tiny) / float(info.eps))


@jax.custom_jvp
def quantile(probability: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Phi^-1, with the derivative 1 / phi instead of one through its rational approximation."""
    return ndtri(probability)


@quantile.defjvp
def _(primals, tangents):
    (probability,), (tangent,) = primals, tangents
    z = quantile(probability)
    return z, (2 * jnp.pi) ** 0.5 * jnp.exp(0.5 * z * z) * tangent


def from_tails(left: Float[Array, "*shape"], right: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The z with Phi(z) = left and Phi(-z) = right, computed from the smaller of the two."""
    is_left = left < right
    z = quantile(jnp.where(is_left, left, right))
    return jnp.where(is_left, z, -z)


def between(z: Float[Array, "..."], low: Float[Array, "..."], high: Float[Array, "..."]) -> Float[Array, "..."]:
    """low + (high - low) Phi(z), measured from the nearer end."""
    distance = (high - low) * tail(z)
    return jnp.where(z < 0, low + distance, high - distance)


def from_between(x: Float[Array, "..."], low: Float[Array, "..."], high: Float[Array, "..."]) -> Float[Array, "..."]:
    """The inverse of `between`; nan outside [low, high]."""
    return from_tails((x - low) / (high - low), (high - x) / (high - low))
