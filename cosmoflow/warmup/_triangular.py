"""Triangular coordinates: each coordinate is located and scaled by those before it."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection
from jaxtyping import Array, Float, Int

from .._types import Vector

LARGEST_LOG_SCALE = 10.0
"""What the influence of other coordinates on a logarithmic scale saturates at."""


class Triangular(AbstractBijection):
    """A Knothe-Rosenblatt map of low order, which straightens bananas and funnels and holds every affine map.

        y_i = location_i + sum_j linear_ij z_j + sum_jk quadratic_ijk z_j z_k
              + e^(log_scale_i + s(slope_i . z)) (shift_i + sinh(tail_i (arsinh z_i + skew_i)))

    with j, k < i and s(u) = 10 tanh(u / 10); then x = y with its coordinates put in their order, x[order[i]] = y_i.
    It holds arrays only: maps of one dimension share one compilation.

    Args:
        order: Which coordinate of x is the i-th of y.
        location: Shape (dim,).
        log_scale: Shape (dim,).
        linear: Strictly lower triangular, shape (dim, dim).
        slope: Strictly lower triangular, shape (dim, dim).
        quadratic: Zero unless both later indices are below the first, shape (dim, dim, dim).
        shift: Shape (dim,).
        skew: Shape (dim,).
        tail: Positive, above one for tails heavier than the normal ones, shape (dim,).

    References:
        Parno & Marzouk 2018, arXiv:1412.5492 (transport maps for Markov chain Monte Carlo); Jones & Pewsey 2009,
        Biometrika 96, 761 (the sinh-arcsinh transformation).
    """

    order: Int[Array, " dim"]
    location: Vector
    log_scale: Vector
    linear: Float[Array, "dim dim"]
    slope: Float[Array, "dim dim"]
    quadratic: Float[Array, "dim dim dim"]
    shift: Vector
    skew: Vector
    tail: Vector
    cond_shape: None = None

    @classmethod
    def affine(cls, location: Vector, cholesky: Float[Array, "dim dim"]) -> "Triangular":
        """x = location + cholesky z, with a lower triangular matrix of positive diagonal."""
        dim, dtype = location.size, location.dtype
        return cls(
            order=jnp.arange(dim, dtype=jnp.int32),
            location=location,
            log_scale=jnp.log(jnp.diagonal(cholesky)),
            linear=jnp.tril(cholesky, -1),
            slope=jnp.zeros((dim, dim), dtype),
            quadratic=jnp.zeros((dim, dim, dim), dtype),
            shift=jnp.zeros(dim, dtype),
            skew=jnp.zeros(dim, dtype),
            tail=jnp.ones(dim, dtype),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (dim,) of a point."""
        return self.location.shape

    def _centre(self, z):
        return self.location + self.linear @ z + jnp.einsum("ijk,j,k->i", self.quadratic, z, z)

    def _log_scale(self, z):
        return self.log_scale + LARGEST_LOG_SCALE * jnp.tanh(self.slope @ z / LARGEST_LOG_SCALE)

    def transform_and_log_det(self, x: Any, condition=None):
        """From whitened coordinates to the target's."""
        log_scale = self._log_scale(x)
        angle = self.tail * (jnp.arcsinh(x) + self.skew)
        y = self._centre(x) + jnp.exp(log_scale) * (self.shift + jnp.sinh(angle))
        log_slope = jnp.log(self.tail * jnp.cosh(angle)) - 0.5 * jnp.log1p(x**2)
        return jnp.zeros_like(y).at[self.order].set(y), jnp.sum(log_scale + log_slope)

    def inverse_and_log_det(self, y: Any, condition=None):
        """From the target's coordinates to whitened ones, one coordinate after another."""
        ordered = y[self.order]

        def solve(i, z):
            row = jax.tree.map(lambda a: a[i], eqx.filter(self, eqx.is_array))
            centre = row.location + row.linear @ z + jnp.einsum("jk,j,k->", row.quadratic, z, z)
            residual = (ordered[i] - centre) * jnp.exp(-row._log_scale(z)) - row.shift
            return z.at[i].set(jnp.sinh(jnp.arcsinh(residual) / row.tail - row.skew))

        z = jax.lax.fori_loop(0, y.size, solve, jnp.zeros_like(y))
        return z, -self.transform_and_log_det(z)[1]
