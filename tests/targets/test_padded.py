"""A target with a few coordinates more."""

import jax
import jax.numpy as jnp
import pytest

from cosmoflow.targets import CorrelatedGaussian, Padded, log_standard_normal

PLAIN = CorrelatedGaussian([1.0, -2.0, 0.5], [[1.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 2.0]])


@pytest.mark.parametrize(("multiple", "dim"), [(1, 3), (2, 4), (3, 3), (8, 8)])
def test_the_further_coordinates_are_standard_normal_and_touch_nothing(multiple, dim):
    target = Padded(PLAIN, multiple)
    assert target.dim == dim
    x = jax.random.normal(jax.random.key(0), (dim,))
    assert jnp.isclose(target.log_density(x), PLAIN.log_density(x[:3]) + log_standard_normal(x[3:]), rtol=1e-14)
    gradient = jax.grad(target.log_density)(x)
    assert jnp.allclose(gradient, jnp.concatenate([jax.grad(PLAIN.log_density)(x[:3]), -x[3:]]), rtol=1e-14)
    assert jnp.array_equal(target.constrain(x)["x"], x[:3])
