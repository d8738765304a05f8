"""A potential of points that have no order."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from ..._types import Key, Scalar, Vector
from .._network import zero_start_mlp
from .._potential import AbstractPotential


class DeepSetPotential(AbstractPotential):
    """V(q) = k |q|^2 / 2 + n rho(mean_i phi(q_i)) of n points q_i: the same whatever their order.

    rho starts as zero. The position is flat, point after point, shape (n m,).

    Args:
        num_points: Number n of points.
        point_dim: Dimension m of each.
        width: Neurons per hidden layer, and features of a point.
        depth: Hidden layers of phi and rho each.
        key: Random key of the initial weights.

    References:
        Zaheer et al. 2017, arXiv:1703.06114.
    """

    stiffness: Float[Array, ""]
    point: eqx.nn.MLP
    whole: eqx.nn.MLP
    num_points: int = eqx.field(static=True)

    def __init__(self, num_points: int, point_dim: int, *, width: int = 64, depth: int = 1, key: Key):
        key_point, key_whole = jr.split(key)
        self.stiffness = jnp.ones(())
        self.point = eqx.nn.MLP(point_dim, width, width, depth, activation=jax.nn.softplus, key=key_point)
        self.whole = zero_start_mlp(width, "scalar", width=width, depth=depth, key=key_whole)
        self.num_points = num_points

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        features = jnp.mean(jax.vmap(self.point)(q.reshape(self.num_points, -1)), axis=0)
        return 0.5 * self.stiffness * (q @ q) + self.num_points * self.whole(features)
