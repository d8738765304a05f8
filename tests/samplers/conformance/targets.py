"""What the samplers are tried on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

import cosmoflow as cf
from cosmoflow.likelihoods import AbstractLikelihood
from cosmoflow.targets import AbstractTarget, CorrelatedGaussian, GaussianMixture, Skewed, StudentT


@jax.custom_jvp
def inclined(value, slope):
    """The value, with a derivative that is multiplied by the slope."""
    return value


@inclined.defjvp
def _(primals, tangents):
    return primals[0], primals[1] * tangents[0]


class Inclined(AbstractTarget):
    """A target whose gradient is multiplied by `slope`: the truth at 1, a lie elsewhere."""

    target: AbstractTarget
    slope: Array

    @property
    def dim(self):
        return self.target.dim

    def log_density(self, x):
        return inclined(self.target.log_density(x), self.slope)

    def constrain(self, x):
        return self.target.constrain(x)


class Beta(AbstractLikelihood):
    """f^a (1 - f)^b and g^b (1 - g)^a, so that uniform priors give beta distributions."""

    a: float = 2.0
    b: float = 5.0
    required: tuple[str, ...] = ("f", "g")
    optional: tuple[str, ...] = ()

    def log_likelihood(self, parameters):
        f, g = parameters["f"], parameters["g"]
        return self.a * jnp.log(f * (1 - g)) + self.b * jnp.log(g * (1 - f))


class Bounded(AbstractTarget):
    """Beta distributions on [0, 1] seen through their prior transports, with exact draws."""

    posterior: cf.Posterior

    def __init__(self):
        self.posterior = cf.Posterior(cf.Prior({"f": cf.Uniform(0.0, 1.0), "g": cf.Uniform(0.0, 1.0)}), Beta())

    @property
    def dim(self):
        return 2

    def log_density(self, x):
        return self.posterior.log_density(x)

    def constrain(self, x):
        return self.posterior.constrain(x)

    def sample(self, key, shape=()):
        return jax.scipy.special.ndtri(jr.beta(key, jnp.array([3.0, 6.0]), jnp.array([6.0, 3.0]), (*shape, 2)))


TARGETS = {
    "gaussian": lambda: CorrelatedGaussian([1.0, -2.0], [[1.0, 0.5], [0.5, 0.7]]),
    "skewed": lambda: Skewed([1.0, 3.0]),
    "heavy-tailed": lambda: StudentT(8.0),
    "bounded": Bounded,
    "multimodal": lambda: GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [1.5, 0.0]]),
}


@eqx.filter_jit
def energies(target, positions):
    """U = -log pi of points of any leading shape."""
    flat = jax.vmap(lambda x: -target.log_density(x))(positions.reshape(-1, target.dim))
    return flat.reshape(positions.shape[:-1])


@eqx.filter_jit
def gradients(target, positions):
    """grad U of points of any leading shape."""
    flat = jax.vmap(jax.grad(lambda x: -target.log_density(x)))(positions.reshape(-1, target.dim))
    return flat.reshape(positions.shape)
