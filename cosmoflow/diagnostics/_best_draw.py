"""The draw that fits the data best."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._types import Parameters
from ..chains import Chain
from ..likelihoods import JointLikelihood

BATCH = 64
"""Draws whose likelihood is computed side by side; one program serves chains of any length."""


class BestDraw(NamedTuple):
    """The draw of highest likelihood.

    Attributes:
        parameters: its values, by name.
        chi2: chi^2 of each Gaussian likelihood there, by name.
    """

    parameters: dict[str, np.ndarray]
    chi2: dict[str, float]


def best_draw(chain: Chain, likelihood: JointLikelihood) -> BestDraw:
    """The draw of highest likelihood of a chain that holds all parameters of a likelihood.

    Args:
        chain: the draws.
        likelihood: what they were drawn for.
    """
    draws = {name: values.reshape(-1, *values.shape[2:]) for name, values in chain.posterior.items()}
    count = chain.num_chains * chain.num_draws
    batches = (np.arange(first, first + BATCH) % count for first in range(0, count, BATCH))
    log_likelihood = np.concatenate([_log_likelihoods(likelihood, _rows(draws, batch)) for batch in batches])[:count]
    best = np.argmax(np.where(np.isnan(log_likelihood), -np.inf, log_likelihood))
    chi2 = _chi2(likelihood, _rows(draws, best))
    return BestDraw(
        {name: np.asarray(values[best]) for name, values in draws.items()},
        {name: float(x) for name, x in chi2.items()},
    )


def _rows(draws: dict[str, np.ndarray], rows: np.ndarray | np.intp) -> Parameters:
    return {name: jnp.asarray(values[rows]) for name, values in draws.items()}


@eqx.filter_jit
def _log_likelihoods(likelihood: JointLikelihood, draws: Parameters) -> jax.Array:
    return jax.vmap(likelihood.log_likelihood)(draws)


@eqx.filter_jit
def _chi2(likelihood: JointLikelihood, parameters: Parameters) -> Parameters:
    return likelihood.chi2(parameters)
