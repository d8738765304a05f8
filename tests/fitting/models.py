"""Small models of Gaussian data."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import cosmoflow as cf
from cosmoflow.likelihoods import AbstractGaussianLikelihood


class Model(AbstractGaussianLikelihood):
    """Data with any model of the parameters that it requires."""

    data: Float[Array, " data"]
    cholesky: Float[Array, "data data"]
    model: Callable
    required: tuple[str, ...] = eqx.field(static=True)
    optional: tuple[str, ...] = eqx.field(static=True, default=())

    def predict(self, parameters):
        return self.model(*(parameters[name] for name in self.required))


class Design(eqx.Module):
    """A linear model."""

    matrix: Float[Array, "data parameter"]

    def __call__(self, *parameters):
        return self.matrix @ jnp.stack(parameters)


def random_covariance(rng, size):
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    return root @ root.T + 0.5 * np.eye(size)


def linear(seed=0, num_data=12, names=("a", "b", "c")):
    """A linear likelihood, its design matrix and its covariance."""
    rng = np.random.default_rng(seed)
    matrix, covariance = rng.normal(size=(num_data, len(names))), random_covariance(rng, num_data)
    data, cholesky = jnp.asarray(rng.normal(size=num_data)), jnp.asarray(np.linalg.cholesky(covariance))
    return Model(data, cholesky, Design(jnp.asarray(matrix)), names), matrix, covariance


BAO = cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())
LCDM = {"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)}
W0WA = LCDM | {("w0", "wa"): cf.UniformPolygon.from_box((-3.0, -3.0), (1.0, 2.0), sum_below=0.0)}
