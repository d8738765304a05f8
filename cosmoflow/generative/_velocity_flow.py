"""The law of a velocity given the position as a normalising flow."""

import jax
import jax.numpy as jnp
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import AbstractDistribution, StandardNormal
from flowjax.flows import coupling_flow
from jaxtyping import Array, Float

from .._types import Key, Scalar, Vector
from ._base import Condition
from ._velocity import AbstractVelocity

INTERVAL = 5.0
"""Splines are the identity beyond."""


class VelocityFlow(AbstractVelocity):
    """A flow of rational-quadratic spline couplings from N(0, I), conditional on position, time and condition.

    Each log-density and each draw is one evaluation of its networks.

    Args:
        dim: Numbers of a datum.
        cond_size: Numbers of the condition.
        num_layers: Couplings.
        num_knots: Inner knots of each spline.
        width: Neurons per hidden layer of a coupling.
        depth: Hidden layers of a coupling.
        num_frequencies: Of the embedding of the time.
        key: Random key of the weights.

    References:
        Durkan et al. 2019, arXiv:1906.04032; Bertazzi et al. 2024, arXiv:2407.19448.
    """

    flow: AbstractDistribution
    frequencies: Float[Array, " frequency"]

    def __init__(
        self,
        dim: int,
        *,
        cond_size: int = 0,
        num_layers: int = 4,
        num_knots: int = 8,
        width: int = 64,
        depth: int = 2,
        num_frequencies: int = 8,
        key: Key,
    ):
        self.flow = coupling_flow(
            key,
            base_dist=StandardNormal((dim,)),
            transformer=RationalQuadraticSpline(knots=num_knots, interval=INTERVAL),
            cond_dim=dim + 2 * num_frequencies + cond_size,
            flow_layers=num_layers,
            nn_width=width,
            nn_depth=depth,
        )
        self.frequencies = jnp.geomspace(0.5, 50.0, num_frequencies) * jnp.pi

    def __call__(self, x: Vector, clock: Scalar, condition: Condition = None) -> AbstractDistribution:
        """The flow at one position and one time."""
        phases = jax.lax.stop_gradient(self.frequencies).astype(x.dtype) * clock
        parts = [x, jnp.cos(phases), jnp.sin(phases)] + ([] if condition is None else [condition])
        return Given(self.flow, jnp.concatenate(parts))

    def num_evaluations(self, num_calls: int) -> int:
        """One for each call."""
        return num_calls


class Given(AbstractDistribution):
    """A conditional law at one value of its condition."""

    law: AbstractDistribution
    condition: Vector
    cond_shape = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a draw."""
        return self.law.shape

    def _log_prob(self, x, condition=None):
        return self.law._log_prob(x, self.condition)

    def _sample(self, key, condition=None):
        return self.law._sample(key, self.condition)
