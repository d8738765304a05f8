"""A generative model as a continuous normalising flow."""

import jax.numpy as jnp
from flowjax.distributions import AbstractDistribution

from ._base import Condition
from ._hamiltonian_matching import ReflectionMatching
from ._probability_flow import TOLERANCE, AbstractProbabilityFlow, solve, standard_normal


class ContinuousFlow(AbstractDistribution):
    """The law of a probability flow as a distribution of flowjax: draws and their density, to a tolerance.

    Both follow the flow by adaptive steps, whatever the model's own sampler. It can stand where flowjax's can, such as
    in `samplers.Independence` or `importance_sample`, and be transformed: data that were standardised come back by
    `flowjax.distributions.Transformed(law, flowjax.bijections.Affine(mean, scale))`.

    Args:
        model: A model with a probability flow.
        condition: What the law depends on, such as the data of an amortised posterior.
        rtol: Relative error of a step, of every coordinate and of the log-density.
        atol: Absolute error of a step.

    Raises:
        ValueError: The law is that of a box.

    References:
        Chen et al. 2018, arXiv:1806.07366; Grathwohl et al. 2018, arXiv:1810.01367.
    """

    shape: tuple[int, ...]
    model: AbstractProbabilityFlow
    condition: Condition
    rtol: float
    atol: float
    cond_shape: None = None

    def __init__(
        self,
        model: AbstractProbabilityFlow,
        condition: Condition = None,
        *,
        rtol: float = TOLERANCE,
        atol: float = TOLERANCE,
    ):
        if isinstance(model, ReflectionMatching):
            raise ValueError("ContinuousFlow needs a law on all of R^d, but that of ReflectionMatching ends at walls.")
        self.shape = (model.dim,)
        self.model = model
        self.condition = condition
        self.rtol = rtol
        self.atol = atol

    def _log_prob(self, x, condition=None):
        return self.model.log_prob(x, condition=self.condition, rtol=self.rtol, atol=self.atol)

    def _sample(self, key, condition=None):
        def velocity(x, s):
            return self.model.velocity(x, s, self.condition)

        noise, data = self.model.grid(1)
        start = self.model.noise(standard_normal(key, self.model.dim))
        return solve(velocity, start, noise, data, rtol=self.rtol, atol=self.atol)

    def _sample_and_log_prob(self, key, condition=None):
        noise, data = self.model.grid(1)
        start = self.model.noise(standard_normal(key, self.model.dim))
        state = jnp.append(start, jnp.zeros((), start.dtype))
        end = solve(self.model.with_divergence(self.condition), state, noise, data, rtol=self.rtol, atol=self.atol)
        return end[:-1], self.model.noise_log_prob(start) - end[-1]
