"""The kinetic energy of microcanonical dynamics: all momenta move at the same speed, whatever their length."""

import jax.numpy as jnp
import jax.random as jr

from .._types import Key, Scalar, Vector
from ._kinetic import AbstractKinetic


class IsokineticKinetic(AbstractKinetic):
    """K(p) = (d - 1) log |p|, in the time in which the speed is sqrt(d), as that of a standard normal momentum.

    q' = sqrt(d) u,  p' = -|p| sqrt(d) grad V / (d - 1) with the direction u = p / |p|; the logarithm of |p|, which
    nothing else feels, records the kinetic energy. These equations leave exp(-V(q)) times the uniform law of u
    invariant. They need two dimensions at least.

    References:
        Robnik, De Luca, Silverstein & Seljak 2022, arXiv:2212.08549; Robnik & Seljak 2023, arXiv:2303.18221;
        Ver Steeg & Galstyan 2021, arXiv:2111.02434.
    """

    def __call__(self, p: Vector) -> Scalar:
        """Energy of one momentum."""
        return 0.5 * (p.size - 1) * jnp.log(p @ p)

    def drift(self, q: Vector, p: Vector, h: Scalar) -> tuple[Vector, Vector]:
        """Free motion for a time h."""
        return q + h * jnp.sqrt(jnp.asarray(p.size, p.dtype)) * p / jnp.linalg.norm(p), p

    def kick(self, p: Vector, gradient: Vector, h: Scalar) -> Vector:
        """Motion under a constant force -gradient for a time h.

        With e = -gradient / |gradient| and a = h |gradient| sqrt(d) / (d - 1):

        p <- p + |p| e (sinh a + (e.u) (cosh a - 1)).

        The growth of |p| is bounded, to e^88 in double and e^11 in single precision, against overflow far from
        equilibrium.
        """
        length, strength = jnp.linalg.norm(p), jnp.linalg.norm(gradient)
        force = gradient / jnp.maximum(strength, jnp.finfo(p.dtype).tiny)
        most = jnp.log(jnp.finfo(p.dtype).max) / 8
        a = jnp.clip(h * strength * (p.size**0.5 / (p.size - 1)), -most, most)
        along = force @ p / length
        return p - length * force * (jnp.sinh(a) - along * (jnp.cosh(a) - 1))

    def sample(self, like: Vector, *, key: Key) -> Vector:
        """A unit momentum of uniform direction, of the shape and type of `like`."""
        return self.gauged(jr.normal(key, like.shape, like.dtype))

    def refreshed(self, p: Vector, persistence: Scalar, *, key: Key) -> Vector:
        """A unit momentum that keeps a part of its direction; the uniform law stays uniform."""
        persistence = persistence.astype(p.dtype)
        noise = jr.normal(key, p.shape, p.dtype) * jnp.sqrt((1 - persistence**2) / p.size)
        return self.gauged(persistence * self.gauged(p) + noise)

    def gauged(self, p: Vector) -> Vector:
        """The unit momentum that moves alike, once its energy has been read."""
        return p / jnp.linalg.norm(p)
