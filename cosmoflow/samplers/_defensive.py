"""The defensive mixture: N(0, I) or another law, and a wide law of heavy tails that covers what that one misses."""

import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jax.scipy.special import gammaln
from jaxtyping import Array, Bool

from .._types import Key, Scalar, Vector
from ..targets import log_standard_normal

WIDTH = 2.0
FREEDOM = 3


def draw_defensive(wide: Bool[Array, ""], like: Vector, law: AbstractDistribution | None = None, *, key: Key) -> Vector:
    """A draw from N(0, I) or a law, or where `wide` says so, from Student's t law of 3 degrees of freedom and scale 2.

    References:
        Hesterberg 1995, Technometrics 37, 185.
    """
    key_normal, key_tail = jr.split(key)
    z = jr.normal(key_normal, like.shape, like.dtype)
    spread = WIDTH * jnp.sqrt(FREEDOM / jnp.sum(jr.normal(key_tail, (FREEDOM,), like.dtype) ** 2))
    return jnp.where(wide, spread * z, z if law is None else law.sample(key_normal))


def log_defensive(z: Vector, wide_probability: float | Scalar, law: AbstractDistribution | None = None) -> Scalar:
    """The log-density of the mixture."""
    dim, half = z.size, 0.5 * (FREEDOM + z.size)
    norm = gammaln(half) - gammaln(0.5 * FREEDOM) - 0.5 * dim * jnp.log(FREEDOM * jnp.pi * WIDTH**2)
    log_wide = norm.astype(z.dtype) - half * jnp.log1p(z @ z / (FREEDOM * WIDTH**2))
    share = jnp.asarray(wide_probability, z.dtype)
    log_law = log_standard_normal(z) if law is None else law.log_prob(z)
    return jnp.logaddexp(jnp.log1p(-share) + log_law, jnp.log(share) + log_wide)
