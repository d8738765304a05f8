"""Tuning of a sampler over the windows of a warm-up."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..samplers import AbstractSampler, scaled


class Tuner:
    """Stochastic approximation: samplers move their fields, whose logarithms are averaged over the second half."""

    def __init__(self, sampler: AbstractSampler):
        self.sampler = sampler
        self._history: list[dict[str, float]] = []

    def update(self, positions: Float[np.ndarray, "chain draw dim"], stats: Mapping[str, np.ndarray]) -> None:
        """Take one window of draws into account."""
        self.sampler = self.sampler.retuned(positions, stats, 2.0 / (1 + len(self._history)) ** 0.6)
        self._history.append({name: float(getattr(self.sampler, name)) for name in self.sampler.tunable})

    def tuned(self) -> AbstractSampler:
        """The sampler with averaged fields."""
        sampler = self.sampler
        settled = self._history[len(self._history) // 2 :]
        for name in sampler.tunable if settled else ():
            value = getattr(sampler, name)
            mean = np.mean(np.log([fields[name] for fields in settled])) - jnp.log(value)
            sampler = eqx.tree_at(lambda s: getattr(s, name), sampler, scaled(value, float(mean)))
        return sampler
