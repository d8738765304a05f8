"""Classifier-free guidance: one network that knows the law of the data with and without its condition."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import paramax
from jaxtyping import Array, ArrayLike, Float

from .._types import Key, Scalar, Vector
from ._base import Condition


class Guidance(eqx.Module):
    """f(x, t, c) + w (f(x, t, c) - f(x, t, null)): what the condition changes, exaggerated.

    In training the condition gives way to null at random, so that one network learns both laws. A model without a
    condition is drawn from at null. With w > 0 draws follow p(x | c)^(1 + w) p(x)^(-w) roughly, and no longer p(x | c).

    Args:
        null: The condition that stands for none, shape (condition,); no real condition may equal it.
        weight: w; at zero the network is evaluated once, else twice.
        dropout: Probability of null in training.

    Raises:
        ValueError: `dropout` is not a probability.

    References:
        Ho & Salimans 2022, arXiv:2207.12598.
    """

    null: paramax.AbstractUnwrappable
    weight: float = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(self, null: ArrayLike | list, *, weight: float = 0.0, dropout: float = 0.1):
        if not 0 <= dropout <= 1:
            raise ValueError(f"`dropout` is {dropout}, but must be a probability.")
        self.null = paramax.non_trainable(jnp.asarray(null, jnp.result_type(float)))
        self.weight = weight
        self.dropout = dropout

    @property
    def num_evaluations(self) -> int:
        """Evaluations of the network for each value."""
        return 1 if self.weight == 0 else 2

    def dropped(self, condition: Condition, *, key: Key) -> Float[Array, " condition"]:
        """The condition, or null in its place."""
        null = paramax.unwrap(self.null)
        return null if condition is None else jnp.where(jr.bernoulli(key, self.dropout), null, condition)

    def __call__(self, network: Callable, x: Vector, time: Scalar, condition: Condition) -> Float[Array, "..."]:
        """The guided value of a network."""
        null = paramax.unwrap(self.null)
        if condition is None:
            return network(x, time, null)
        value = network(x, time, condition)
        return value if self.weight == 0 else value + self.weight * (value - network(x, time, null))
