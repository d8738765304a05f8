import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from cosmoflow.targets import CallableTarget

EXAMPLE = {"scale": 0.0, "field": {"white": jnp.zeros((2, 3)), "pair": [jnp.zeros(2), 1]}}


def log_density(position):
    return position["scale"] + 10 * position["field"]["white"][1, 2] + 100 * position["field"]["pair"][1]


def test_flat_coordinates_of_a_nested_pytree():
    target = CallableTarget(log_density, EXAMPLE)
    assert target.dim == 10
    x = jnp.arange(10.0)
    position = target.unravel(x)
    assert jax.tree.structure(position) == jax.tree.structure(EXAMPLE)
    np.testing.assert_allclose(jax.flatten_util.ravel_pytree(position)[0], x)
    np.testing.assert_allclose(target.log_density(x), log_density(position))
    np.testing.assert_allclose(
        target.log_density(x),
        position["scale"] + 10 * position["field"]["white"][1, 2] + 100 * position["field"]["pair"][1],
    )


def test_leaves_are_named_by_their_paths():
    parameters = CallableTarget(log_density, EXAMPLE).constrain(jnp.arange(10.0))
    shapes = {name: value.shape for name, value in parameters.items()}
    assert shapes == {"field.pair.0": (2,), "field.pair.1": (), "field.white": (2, 3), "scale": ()}
    assert list(CallableTarget(jnp.sum, jnp.zeros(3)).constrain(jnp.zeros(3))) == ["x"]
    assert list(CallableTarget(lambda x: x["a"], {"a": 0.0, "b": 1.0}).constrain(jnp.zeros(2))) == ["a", "b"]


def test_targets_pass_through_jit():
    class Model(eqx.Module):
        data: jax.Array

        def __call__(self, position):
            return -jnp.sum((position["x"] - self.data) ** 2)

    value = jax.jit(lambda target, x: target.log_density(x))
    np.testing.assert_allclose(value(CallableTarget(log_density, EXAMPLE), jnp.ones(10)), 111)
    np.testing.assert_allclose(value(CallableTarget(Model(jnp.array(3.0)), {"x": 0.0}), jnp.ones(1)), -4)
    assert len(jax.tree.leaves(CallableTarget(Model(jnp.array(3.0)), {"x": 0.0}))) == 2
