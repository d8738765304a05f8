"""The networks behind learned potentials and encoders."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key


def zero_start_mlp(in_size: int, out_size: int | Literal["scalar"], *, width: int, depth: int, key: Key) -> eqx.nn.MLP:
    """A smooth multilayer perceptron whose last layer starts at zero, so that it starts as the zero function.

    It is bounded, so that far from where it was trained the laws and maps built on it keep the tails of their base.

    Args:
        in_size: Number of inputs.
        out_size: Number of outputs, or "scalar".
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the hidden weights.
    """
    network = eqx.nn.MLP(in_size, out_size, width, depth, activation=jnp.tanh, key=key)
    return eqx.tree_at(lambda n: n.layers[-1], network, replace_fn=lambda layer: jax.tree.map(jnp.zeros_like, layer))


class RadialNetwork(eqx.Module):
    """f(x) = A x + sum_j a_j exp(-|x - c_j|^2 / (2 s_j^2)): bells, for functions that change from mode to mode.

    It starts as the zero function.

    Args:
        in_size: Number of inputs.
        out_size: Number of outputs.
        num_bells: Number of bells.
        key: Random key of their places, drawn from N(0, I).
    """

    linear: Float[Array, "out in"]
    heights: Float[Array, "out bell"]
    centres: Float[Array, "bell in"]
    log_widths: Float[Array, " bell"]

    def __init__(self, in_size: int, out_size: int, *, num_bells: int = 64, key: Key):
        self.linear = jnp.zeros((out_size, in_size))
        self.heights = jnp.zeros((out_size, num_bells))
        self.centres = jr.normal(key, (num_bells, in_size))
        self.log_widths = jnp.full(num_bells, 0.5 * jnp.log(0.125 * in_size))

    def __call__(self, x: Float[Array, " in"]) -> Float[Array, " out"]:
        """Values at one point."""
        distance = jnp.sum((x - self.centres) ** 2, axis=1) * jnp.exp(-2 * self.log_widths)
        return self.linear @ x + self.heights @ jnp.exp(-0.5 * distance)
