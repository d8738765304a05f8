"""Step sizes: tuned on the host from the acceptance of short chunks."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from ..samplers import AbstractSampler, AbstractTunedKernel


class StepSizeTuner:
    """Robbins-Monro on the logarithm of the step size, averaged over the second half of its updates.

    Samplers without a step size pass through unchanged.
    """

    def __init__(self, sampler: AbstractSampler):
        self.sampler: Any = sampler
        self._history: list[float] = []

    def update(self, acceptance_rate: float) -> None:
        """Take one chunk's mean acceptance into account."""
        if isinstance(self.sampler, AbstractTunedKernel):
            gain = 2.0 / (1 + len(self._history)) ** 0.6
            log_step = float(jnp.log(self.sampler.step_size)) + gain * (
                acceptance_rate - self.sampler.target_acceptance
            )
            self._history.append(log_step)
            self._set(log_step)

    def tuned(self) -> AbstractSampler:
        """The sampler with the averaged step size."""
        if self._history:
            second_half = self._history[len(self._history) // 2 :]
            self._set(sum(second_half) / len(second_half))
        return self.sampler

    def _set(self, log_step: float) -> None:
        step_size = jnp.exp(jnp.asarray(log_step, self.sampler.step_size.dtype))
        self.sampler = eqx.tree_at(lambda s: s.step_size, self.sampler, step_size)
