"""What a flow is trained on: losses are objects, called with a model, a batch and a key."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key, Scalar
from ..flows import HamiltonianFlow
from ..targets import AbstractTarget, Augmented


class AbstractLoss(eqx.Module):
    """A scalar to minimise; losses that need no data ignore the batch."""

    @abstractmethod
    def __call__(self, model: HamiltonianFlow, batch: Float[Array, "batch dim"] | None, *, key: Key) -> Scalar:
        """The loss of the model on one batch."""


class NegativeELBO(AbstractLoss):
    """-E_data E_{p ~ f(.|q)}[log Pi(q, p) - log f(p | q)]: training on samples."""

    def __call__(self, model: HamiltonianFlow, batch: Float[Array, "batch dim"] | None, *, key: Key) -> Scalar:
        """The loss of the model on one batch of positions."""
        if batch is None:
            raise ValueError("NegativeELBO trains on samples: pass them to fit as data=, shape (sample, dim).")
        return -jnp.mean(jax.vmap(lambda q, k: model.elbo(q, key=k))(batch, jr.split(key, len(batch))))


class ReverseKL(AbstractLoss):
    """E_flow[log Pi(q, p) - log pi(q) - log f(p | q)] = KL(flow || pi f) - log Z: training on an unnormalised density.

    Args:
        target: The density of the positions; its arrays are never trained.
        num_samples: Draws of the flow per evaluation.
    """

    target: AbstractTarget
    num_samples: int = 256

    def __call__(self, model: HamiltonianFlow, batch: Float[Array, "batch dim"] | None, *, key: Key) -> Scalar:
        """The loss of the model, estimated from `num_samples` of its draws."""
        augmented = Augmented(self.target, model.momentum)
        x, log_prob = model.sample_and_log_prob(key, (self.num_samples,))
        return jnp.mean(log_prob - jax.vmap(augmented.log_density)(x))
