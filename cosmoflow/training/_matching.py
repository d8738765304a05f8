"""The loss of generative models, each of which knows its own."""

import jax
import jax.numpy as jnp
import jax.random as jr

from .._types import Key, Scalar
from ..generative import AbstractGenerativeModel
from ._losses import AbstractLoss, Batch


class Matching(AbstractLoss):
    """E_data[model.loss(x)]: what a generative model is trained with, on samples.

    A conditional model is trained on pairs: `fit(model, Matching(), data=(x, conditions), ...)`.
    """

    def __call__(self, model: AbstractGenerativeModel, batch: Batch, *, key: Key) -> Scalar:
        """The loss of the model on one batch of data, or of data and conditions."""
        if batch is None:
            raise ValueError("Matching trains on samples: pass them to fit as data=, shape (sample, dim).")
        data, conditions = batch if isinstance(batch, tuple) else (batch, None)

        def loss(x, condition, k):
            return model.loss(x, key=k, condition=condition)

        axes = (0, None if conditions is None else 0, 0)
        return jnp.mean(jax.vmap(loss, axes)(data, conditions, jr.split(key, len(data))))
