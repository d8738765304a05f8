"""The network behind learned potentials and encoders."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp

from .._types import Key


def zero_start_mlp(in_size: int, out_size: int | Literal["scalar"], *, width: int, depth: int, key: Key) -> eqx.nn.MLP:
    """A smooth multilayer perceptron whose last layer starts at zero, so that it starts as the zero function.

    Args:
        in_size: Number of inputs.
        out_size: Number of outputs, or "scalar".
        width: Neurons per hidden layer.
        depth: Number of hidden layers.
        key: Random key of the hidden weights.
    """
    network = eqx.nn.MLP(in_size, out_size, width, depth, activation=jax.nn.softplus, key=key)
    return eqx.tree_at(lambda n: n.layers[-1], network, replace_fn=lambda layer: jax.tree.map(jnp.zeros_like, layer))
