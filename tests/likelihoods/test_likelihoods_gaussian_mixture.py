"""A mixture of Gaussians in named parameters."""

import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow import targets
from cosmoflow.likelihoods import GaussianMixture

MEANS = [[1.0, 2.0], [-3.0, 0.5]]


def test_density():
    likelihood = GaussianMixture(["a", "b"], [1.0, 3.0], MEANS, 0.4)
    expected = targets.GaussianMixture([1.0, 3.0], MEANS, 0.4).log_density(jnp.array([0.3, 0.7]))
    value = likelihood.log_likelihood({"a": jnp.asarray(0.3), "b": jnp.asarray(0.7), "c": jnp.asarray(9.0)})
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    assert likelihood.required == ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((["a"], [1.0, 3.0], MEANS), r"means of shape \(2, 1\)"),
        ((["a", "b"], [1.0, 0.0], MEANS), "positive weights and sd"),
        ((["a", "b"], [1.0, 1.0], MEANS, -1.0), "positive weights and sd"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        GaussianMixture(*arguments)
