"""The network behind generative models of vectors: neurons that see a datum, a time and a condition."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import Condition


class TimeNetwork(eqx.Module):
    """f(x, t, c): a multilayer perceptron of x, of c and of cos and sin of the time at geometric frequencies.

    Args:
        in_size: Numbers of x.
        out_size: Numbers of f.
        cond_size: Numbers of c; none by default.
        width: Neurons per hidden layer.
        depth: Hidden layers.
        num_frequencies: Of the embedding of a time in [0, 1].
        key: Random key of the weights.
    """

    network: eqx.nn.MLP
    frequencies: tuple[float, ...] = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        out_size: int,
        *,
        cond_size: int = 0,
        width: int = 128,
        depth: int = 3,
        num_frequencies: int = 8,
        key: Key,
    ):
        inputs = in_size + cond_size + 2 * num_frequencies
        self.network = eqx.nn.MLP(inputs, out_size, width, depth, activation=jax.nn.silu, key=key)
        self.frequencies = tuple((np.pi * np.geomspace(0.5, 50.0, num_frequencies)).tolist())

    def __call__(self, x: Vector, time: Scalar, condition: Condition = None) -> Float[Array, " out"]:
        """Values at one point and one time."""
        phases = jnp.asarray(self.frequencies, x.dtype) * time
        parts = [x, jnp.cos(phases), jnp.sin(phases)] + ([] if condition is None else [condition])
        return self.network(jnp.concatenate(parts))
