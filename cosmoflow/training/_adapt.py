"""Training on a density by the forward Kullback-Leibler divergence: draw, reweight, refit."""

from typing import NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from .._types import Key, Scalar
from ..flows import HamiltonianFlow, importance_sample
from ..targets import AbstractTarget
from ._fit import fit
from ._losses import NegativeELBO


class AdaptiveHistory(NamedTuple):
    """What happened in an adaptive training.

    Attributes:
        ess_fraction: Effective sample size of the untempered weights before each round, over their number.
        power: The power to which the weights of each round were raised.
        losses: Training losses of all rounds.
    """

    ess_fraction: Float[np.ndarray, " round"]
    power: Float[np.ndarray, " round"]
    losses: Float[np.ndarray, " step"]


def fit_adaptively(
    flow: HamiltonianFlow,
    target: AbstractTarget,
    *,
    num_rounds: int,
    num_samples: int,
    num_steps: int,
    key: Key,
    num_momenta: int = 1,
    min_ess_fraction: float = 0.1,
) -> tuple[HamiltonianFlow, AdaptiveHistory]:
    """Alternate between reweighting draws of the flow towards the target and refitting the flow to them.

    Weights are raised to the highest power up to one at which their effective size is `min_ess_fraction`, so that a
    poor flow approaches the target in steps. The forward divergence punishes what a flow misses, the reverse one what
    it has too much; a mode without any draw stays unknown to both.

    Args:
        flow: Where to start; a broad flow finds more.
        target: Density of the positions.
        num_rounds: Number of rounds.
        num_samples: Draws per round.
        num_steps: Optimiser steps per round.
        key: Random key.
        num_momenta: Momenta per position of the bound that is maximised; see `NegativeELBO`.
        min_ess_fraction: Effective size of the tempered weights, over the number of draws.

    Raises:
        ValueError: `min_ess_fraction` is not between zero and one.
        RunError: No loss of a round was finite.

    References:
        Gabrié, Rotskoff & Vanden-Eijnden 2022, arXiv:2105.12603; Wong, Gabrié & Foreman-Mackey 2023, arXiv:2211.06397.
    """
    if not 0 < min_ess_fraction < 1:
        raise ValueError(f"min_ess_fraction is {min_ess_fraction}, but must lie between zero and one.")
    fractions, powers, losses = [], [], []
    for i in range(num_rounds):
        key_draw, key_resample, key_fit = jr.split(jr.fold_in(key, i), 3)
        found = importance_sample(flow, target, num_samples=num_samples, key=key_draw)
        power = tempering_power(found.log_weights, min_ess_fraction)
        chosen = jr.categorical(key_resample, power * found.log_weights, shape=(num_samples,))
        positions = found.x[chosen, : target.dim]
        flow, history = fit(flow, NegativeELBO(num_momenta), data=positions, num_steps=num_steps, key=key_fit)
        fractions.append(found.ess_fraction)
        powers.append(power)
        losses.append(history.losses)
    return flow, AdaptiveHistory(np.asarray(fractions), np.asarray(powers), np.concatenate(losses))


def tempering_power(log_weights: Float[Array, " sample"], min_ess_fraction: float) -> Scalar:
    """The highest power up to one at which Kish's effective size of the weights is a fraction of their number.

    Args:
        log_weights: Logarithms of the weights.
        min_ess_fraction: The fraction.
    """

    def fraction(power: Scalar) -> Scalar:
        weights = power * log_weights
        return jnp.exp(2 * logsumexp(weights) - logsumexp(2 * weights)) / log_weights.size

    low, high = jnp.zeros((), log_weights.dtype), jnp.ones((), log_weights.dtype)
    if fraction(high) >= min_ess_fraction:
        return high
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if fraction(middle) >= min_ess_fraction else (low, middle)
    return low
