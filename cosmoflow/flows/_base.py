"""Laws from which flows start, and laws for one value of their condition."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
from flowjax.distributions import AbstractDistribution
from jaxtyping import Array, Float

from .._types import Key


class PhaseBase(AbstractDistribution):
    """Independent laws of position and momentum on x = concatenate(q, p): for example a spline flow and a normal law.

    Args:
        position: Unconditional distribution of shape (d,).
        momentum: Unconditional distribution of shape (d,).

    Raises:
        ValueError: Their shapes differ, or one of them is conditional.
    """

    shape: tuple[int, ...]
    position: AbstractDistribution
    momentum: AbstractDistribution
    cond_shape: None = None

    def __init__(self, position: AbstractDistribution, momentum: AbstractDistribution):
        if position.shape != momentum.shape or len(position.shape) != 1:
            raise ValueError(f"PhaseBase needs two laws of one shape (d,), not {position.shape} and {momentum.shape}.")
        if position.cond_shape is not None or momentum.cond_shape is not None:
            raise ValueError("PhaseBase needs unconditional laws.")
        self.shape = (2 * position.shape[0],)
        self.position = position
        self.momentum = momentum

    def _log_prob(self, x: Any, condition: Any = None):
        q, p = jnp.split(x, 2)
        return self.position._log_prob(q) + self.momentum._log_prob(p)

    def _sample(self, key: Key, condition: Any = None):
        keys = jr.split(key)
        return jnp.concatenate([self.position._sample(keys[0]), self.momentum._sample(keys[1])])

    def _sample_and_log_prob(self, key: Key, condition: Any = None):
        keys = jr.split(key)
        q, log_q = self.position._sample_and_log_prob(keys[0])
        p, log_p = self.momentum._sample_and_log_prob(keys[1])
        return jnp.concatenate([q, p]), log_q + log_p


class Given(AbstractDistribution):
    """A conditional law for one value of the last m numbers of its condition.

    Args:
        distribution: A distribution with a condition of shape (n,).
        condition: The last m of these n numbers.
    """

    shape: tuple[int, ...]
    distribution: AbstractDistribution
    condition: Float[Array, " condition"]
    cond_shape: tuple[int, ...] | None

    def __init__(self, distribution: AbstractDistribution, condition: Float[Array, " condition"]):
        if distribution.cond_shape is None or distribution.cond_shape[0] < condition.size:
            raise ValueError(f"A condition of {condition.size} numbers does not fit one of {distribution.cond_shape}.")
        self.shape = distribution.shape
        self.distribution = distribution
        self.condition = condition
        rest = distribution.cond_shape[0] - condition.size
        self.cond_shape = (rest,) if rest else None

    def _whole(self, condition: Any):
        return self.condition if condition is None else jnp.concatenate([condition, self.condition])

    def _log_prob(self, x: Any, condition: Any = None):
        return self.distribution._log_prob(x, self._whole(condition))

    def _sample(self, key: Key, condition: Any = None):
        return self.distribution._sample(key, self._whole(condition))

    def _sample_and_log_prob(self, key: Key, condition: Any = None):
        return self.distribution._sample_and_log_prob(key, self._whole(condition))
