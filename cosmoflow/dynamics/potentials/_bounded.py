"""A potential whose force never exceeds a bound, so that no step explodes."""

import equinox as eqx
import jax
import jax.numpy as jnp

from ..._types import Key, Scalar, Vector
from .._network import zero_start_mlp
from .._potential import AbstractPotential


class BoundedPotential(AbstractPotential):
    """V(q) = r^2 sqrt(1 + |q|^2 / r^2) + r network(q) with r = bound / 2 and a network of slope one at most.

    |grad V| <= bound everywhere, whatever the parameters. Near the origin it starts as the harmonic well |q|^2 / 2.
    Each matrix W of the network is divided by max(1, sqrt(|W|_1 |W|_inf)), which is no less than its spectral norm
    where that exceeds one.

    Args:
        dim: Dimension of the position.
        bound: Largest length of the gradient.
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the network's initial weights.

    Raises:
        ValueError: `bound` is not positive.
    """

    bound: float | int = eqx.field(static=True)
    network: eqx.nn.MLP

    def __init__(self, dim: int, *, bound: float | int, width: int = 64, depth: int = 2, key: Key):
        if not bound > 0:
            raise ValueError(f"bound is {bound}, but must be positive.")
        self.bound = bound
        self.network = zero_start_mlp(dim, 1, width=width, depth=depth, key=key)

    def __call__(self, q: Vector, time: Scalar) -> Scalar:
        """Energy at one point."""
        *hidden, last = [_contracted(layer) for layer in self.network.layers]
        h = q
        for layer in hidden:
            h = jax.nn.softplus(layer(h))
        radius = 0.5 * self.bound
        return radius * (jnp.sqrt(radius**2 + q @ q) + last(h)[0])


def _contracted(layer: eqx.nn.Linear) -> eqx.nn.Linear:
    size = jnp.abs(layer.weight)
    norm = jnp.sqrt(jnp.max(jnp.sum(size, axis=0)) * jnp.max(jnp.sum(size, axis=1)) + jnp.finfo(size.dtype).tiny)
    return eqx.tree_at(lambda x: x.weight, layer, layer.weight / jnp.maximum(1, norm))
