"""The draw that fits the data best."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._types import Parameters
from ..chains import Chain
from ..likelihoods import JointLikelihood


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
    best, chi2 = _best(likelihood, {name: jnp.asarray(values) for name, values in draws.items()})
    return BestDraw(
        {name: np.asarray(values[int(best)]) for name, values in draws.items()},
        {name: float(x) for name, x in chi2.items()},
    )


@eqx.filter_jit
def _best(likelihood: JointLikelihood, draws: Parameters) -> tuple[jax.Array, Parameters]:
    log_likelihood = jax.lax.map(likelihood.log_likelihood, draws, batch_size=64)
    best = jnp.argmax(jnp.where(jnp.isnan(log_likelihood), -jnp.inf, log_likelihood))
    return best, likelihood.chi2({name: values[best] for name, values in draws.items()})
