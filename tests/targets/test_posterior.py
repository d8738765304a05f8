import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from cosmoflow.likelihoods._base import AbstractLikelihood
from cosmoflow.targets import Delta, Normal, Posterior, Prior, Uniform


class Measurement(AbstractLikelihood):
    """One measurement of a x + y with unit error, y optional."""

    datum: jax.Array

    @property
    def required(self):
        return ("slope", "x")

    @property
    def optional(self):
        return ("y",)

    def log_likelihood(self, parameters):
        residual = self.datum - parameters["slope"] * parameters["x"] - parameters.get("y", jnp.array(0.0))
        return -0.5 * residual**2 - 0.5 * jnp.log(2 * jnp.pi)


def evidence(posterior):
    nodes = jnp.linspace(-10, 10, 401)
    grid = jnp.stack(jnp.meshgrid(*[nodes] * posterior.dim), axis=-1).reshape(-1, posterior.dim)
    return jnp.sum(jnp.exp(jax.vmap(posterior.log_density)(grid))) * (nodes[1] - nodes[0]) ** posterior.dim


@pytest.mark.slow
def test_density_integrates_to_the_evidence():
    prior = Prior({"slope": Delta(2), "x": Normal(0.5, 1.5), "y": Normal(0, 1)})
    posterior = Posterior(prior, Measurement(jnp.array(3.0)))
    np.testing.assert_allclose(evidence(posterior), scipy.stats.norm(1, (9 + 1 + 1) ** 0.5).pdf(3), rtol=1e-10)


def test_density_integrates_to_the_evidence_of_a_uniform_prior():
    posterior = Posterior(Prior({"slope": Delta(2), "x": Uniform(-1, 1)}), Measurement(jnp.array(3.0)))
    expected = (scipy.stats.norm.cdf(5) - scipy.stats.norm.cdf(1)) / 4
    np.testing.assert_allclose(evidence(posterior), expected, rtol=1e-10)


def test_constrain_gives_named_parameters():
    posterior = Posterior(Prior({"x": Uniform(0, 2), "slope": Delta(2)}), Measurement(jnp.array(3.0)))
    parameters = posterior.constrain(jnp.zeros(1))
    assert {name: float(value) for name, value in parameters.items()} == {"x": 1.0, "slope": 2.0}


@pytest.mark.parametrize(
    "blocks, sentence",
    [
        ({"slope": Delta(1)}, "requires 'x', which the prior lacks"),
        ({"Slope": Delta(1), "x": Normal(0, 1)}, "requires 'slope', .* the nearest name is 'Slope'"),
        ({"slope": Delta(1), "x": Normal(0, 1), "slope2": Normal(0, 1)}, "'slope2', .* the nearest name is 'slope'"),
        ({"slope": Delta(1), "x": Normal(0, 1), "Omega": Normal(0, 1)}, "has 'Omega', which no likelihood uses.$"),
    ],
)
def test_errors_name_the_parameter(blocks, sentence):
    with pytest.raises(ValueError, match=sentence):
        Posterior(Prior(blocks), Measurement(jnp.array(3.0)))
