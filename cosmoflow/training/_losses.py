"""What a flow is trained on: losses are objects, called with a model, a batch and a key."""

from abc import abstractmethod
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from .._types import Key, Scalar
from ..flows import HamiltonianFlow
from ..targets import AbstractTarget, Augmented
from ._spread import spread

Batch: TypeAlias = Float[Array, "batch dim"] | tuple[Float[Array, "batch dim"], Float[Array, "batch condition"]] | None
"""Positions, positions and conditions, or nothing."""


class AbstractLoss(eqx.Module):
    """A scalar to minimise; losses that need no data ignore the batch."""

    @abstractmethod
    def __call__(self, model: Any, batch: Batch, *, key: Key) -> Scalar:
        """The loss of the model on one batch."""


class NegativeELBO(AbstractLoss):
    """-E_data E_{p ~ f(.|q)}[log of the mean of K ratios Pi(q, p) / f(p | q)]: training on samples.

    The more momenta, the closer the bound is to log pi(q). A conditional flow is trained on pairs, for amortised
    inference: `fit(flow, NegativeELBO(), data=(positions, conditions), ...)`.

    Args:
        num_momenta: K; one is the evidence lower bound.

    References:
        Souveton et al. 2024, arXiv:2302.01955; Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519.
    """

    num_momenta: int = 1

    def __call__(self, model: HamiltonianFlow, batch: Batch, *, key: Key) -> Scalar:
        """The loss of the model on one batch of positions, or of positions and conditions."""
        if batch is None:
            raise ValueError("NegativeELBO trains on samples: pass them to fit as data=, shape (sample, dim).")
        positions, conditions = batch if isinstance(batch, tuple) else (batch, None)

        def bound(q, condition, k):
            return model.log_marginal(q, num_samples=self.num_momenta, key=k, condition=condition)

        axes = (0, None if conditions is None else 0, 0)
        return -jnp.mean(jax.vmap(bound, axes)(positions, conditions, jr.split(key, len(positions))))


class ReverseKL(AbstractLoss):
    """E_flow[log Pi(q, p) - log pi(q) - log f(p | q)] = KL(flow || pi f) - log Z: training on an unnormalised density.

    Args:
        target: The density of the positions; its arrays are never trained.
        num_samples: Draws of the flow per evaluation.
        path_gradient: Whether to leave out the part of the gradient whose mean is zero, by an inverse of the flow for
            each draw ("sticking the landing"): without noise where the flow is exact, for twice the work.

    References:
        Roeder, Wu & Duvenaud 2017, arXiv:1703.09194.
    """

    target: AbstractTarget
    num_samples: int = 256
    path_gradient: bool = False

    def __call__(self, model: HamiltonianFlow, batch: Batch, *, key: Key) -> Scalar:
        """The loss of the model, estimated from `num_samples` of its draws."""
        augmented = Augmented(self.target, model.momentum)
        x, log_prob = map(spread, model.sample_and_log_prob(key, (self.num_samples,)))
        if self.path_gradient:
            log_prob = stopped(model).log_prob(x)
        return jnp.mean(log_prob - jax.vmap(augmented.log_density)(x))


def stopped(model: HamiltonianFlow) -> HamiltonianFlow:
    """The same model, of whose parameters nothing is learned."""
    return jax.tree.map(lambda a: jax.lax.stop_gradient(a) if eqx.is_inexact_array(a) else a, model)
