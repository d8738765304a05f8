"""What the draws of a chain say of the data."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..chains import Chain
from ..likelihoods import AbstractGaussianLikelihood

NUM_DRAWS = 100


def predictions(likelihood: AbstractGaussianLikelihood, chain: Chain) -> Float[np.ndarray, "draw data"]:
    """The data vector at a hundred draws of all chains, at equal distances.

    Raises:
        ValueError: the chain lacks a parameter that the likelihood needs.
    """
    for name in likelihood.required:
        if name not in chain.posterior:
            raise ValueError(f"The chain has no parameter {name!r}, which the prediction of the data needs.")
    size = chain.num_chains * chain.num_draws
    chosen = np.linspace(0, size - 1, min(NUM_DRAWS, size)).astype(int)
    names = [name for name in (*likelihood.required, *likelihood.optional) if name in chain.posterior]
    flat = {name: chain.posterior[name].reshape(size, *chain.posterior[name].shape[2:]) for name in names}
    return np.asarray(_predict(likelihood, {name: jnp.asarray(draws[chosen]) for name, draws in flat.items()}), float)


@eqx.filter_jit
def _predict(likelihood, draws):
    return jax.lax.map(likelihood.predict, draws)


def errors(likelihood: AbstractGaussianLikelihood) -> Float[np.ndarray, " data"]:
    """Standard deviations of the data."""
    return np.linalg.norm(np.asarray(likelihood.cholesky, float), axis=1)
