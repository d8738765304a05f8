"""What the step size of a sampler without a test does to its moments, by extrapolation."""

from typing import NamedTuple

import equinox as eqx
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from .._sample import sample
from .._types import Key
from ..diagnostics import convergence
from ..samplers import MCLMC, AbstractSampler, AbstractTunedKernel, scaled
from ..targets import AbstractTarget

SETTLING = 0.25
"""Share of the draws of each run that is left out, for the chains to forget the other step."""


class StepBias(NamedTuple):
    """Biases of the first and second moments of every parameter, by name, with their Monte Carlo errors.

    Second moments are those about the mean. All are in units of the standard deviation of what is averaged, x or
    (x - mean)^2: a bias of 0.1 is the Monte Carlo error of 100 independent draws.
    """

    mean: dict[str, np.ndarray]
    mean_error: dict[str, np.ndarray]
    square: dict[str, np.ndarray]
    square_error: dict[str, np.ndarray]

    @property
    def largest(self) -> float:
        """The largest of all biases."""
        return max(float(np.max(np.abs(bias))) for part in (self.mean, self.square) for bias in part.values())

    @property
    def significance(self) -> float:
        """The largest of all biases in units of their Monte Carlo errors; of many that are zero, about three."""
        parts = ((self.mean, self.mean_error), (self.square, self.square_error))
        return max(float(np.max(np.abs(part[name]) / error[name])) for part, error in parts for name in part)


def step_bias(
    target: AbstractTarget,
    sampler: AbstractSampler,
    positions: Float[Array, "chain dim"],
    *,
    num_draws: int,
    key: Key,
) -> StepBias:
    """How far the moments of a sampler's draws are off because of its step size.

    Two runs of the same path, at the step h and at h/2, are compared: errors grow as h^2, so that the bias at h is
    4/3 (m(h) - m(h/2)). It cannot be told from zero below its Monte Carlo error, which falls with more draws; at steps
    so large that the next order counts, it is an estimate of size only.

    Args:
        target: What is sampled; a warmed-up one reports the parameters of the target within.
        sampler: A tuned one with a step size: MCLMC, or one with a test, whose bias is zero.
        positions: Starting points, as a warm-up returns them.
        num_draws: Draws per chain at the step itself; twice as many are made at half of it.
        key: Random key.

    Raises:
        ValueError: The sampler has no step size.
        RunError: One of the runs went wrong.

    References:
        Robnik & Seljak 2023, arXiv:2303.18221.
    """
    if not isinstance(sampler, MCLMC | AbstractTunedKernel):
        raise ValueError(f"step_bias varies a step size, which {type(sampler).__name__} does not have.")
    half = eqx.tree_at(lambda s: s.step_size, sampler, scaled(sampler.step_size, -float(np.log(2))))
    coarse, fine = (
        sample(target, kernel, num_draws=num, num_chains=len(positions), position=positions, key=subkey).posterior
        for kernel, num, subkey in zip((sampler, half), (num_draws, 2 * num_draws), jr.split(key), strict=True)
    )
    found = StepBias({}, {}, {}, {})
    for name in fine:
        one, other = (draws[name][:, int(SETTLING * draws[name].shape[1]) :].astype(float) for draws in (coarse, fine))
        centre = np.mean(other, axis=(0, 1))
        found.mean[name], found.mean_error[name] = _extrapolated(one, other)
        found.square[name], found.square_error[name] = _extrapolated((one - centre) ** 2, (other - centre) ** 2)
    return found


def _extrapolated(
    coarse: Float[np.ndarray, "chain draw *shape"], fine: Float[np.ndarray, "chain twice *shape"]
) -> tuple[np.ndarray, np.ndarray]:
    """The bias of a mean at the coarse step and its error, in standard deviations."""
    unit = 4 / 3 / np.std(fine, axis=(0, 1))
    difference = np.mean(coarse, axis=(0, 1)) - np.mean(fine, axis=(0, 1))
    return unit * difference, unit * np.hypot(_error(coarse), _error(fine))


def _error(draws: Float[np.ndarray, "chain draw *shape"]) -> np.ndarray:
    """Monte Carlo standard errors of means."""
    flat = draws.reshape(*draws.shape[:2], -1)
    errors = [convergence(flat[..., i]).mcse_mean for i in range(flat.shape[-1])]
    return np.reshape(errors, draws.shape[2:])
