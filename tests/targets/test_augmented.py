import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import AdditiveCondition
from flowjax.distributions import Normal, Transformed

from cosmoflow.targets import Augmented, Banana, Skewed


def make_momentum(dim):
    return Transformed(Normal(jnp.zeros(dim), 0.7), AdditiveCondition(jnp.sin, (dim,), (dim,)))


def test_momentum_integrates_out():
    target = Skewed([1.5])
    augmented = Augmented(target, make_momentum(1))
    p = jnp.linspace(-8, 8, 801)
    for q in (-2.0, 0.0, 1.0):
        density = jax.vmap(lambda p, q=q: jnp.exp(augmented.log_density(jnp.stack([jnp.array(q), p]))))(p)
        expected = jnp.exp(target.log_density(jnp.array([q])))
        np.testing.assert_allclose(jnp.sum(density) * (p[1] - p[0]), expected, rtol=1e-10)


def test_position_comes_first_and_momentum_is_dropped():
    augmented = Augmented(Banana(), make_momentum(2))
    x = jnp.array([1.0, 2.0, 3.0, 4.0])
    assert augmented.dim == 4
    np.testing.assert_allclose(augmented.constrain(x)["x"], [1, 2])
    expected = Banana().log_density(x[:2]) + augmented.momentum.log_prob(x[2:], condition=x[:2])
    np.testing.assert_allclose(augmented.log_density(x), expected)


@pytest.mark.parametrize("momentum", [Normal(jnp.zeros(2)), make_momentum(3)])
def test_errors_name_the_shapes(momentum):
    with pytest.raises(ValueError, match=r"momentum of shape and cond_shape \(2,\)"):
        Augmented(Banana(), momentum)
