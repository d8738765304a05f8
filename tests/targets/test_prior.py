import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.targets import Delta, LogNormal, Normal, Prior, Uniform, UniformPolygon


def make_prior():
    return Prior(
        {
            "sigma8": Normal(0.8, 0.1),
            ("w0", "wa"): UniformPolygon([(-3, -3), (1, -3), (1, -1), (-2, 2), (-3, 2)]),
            "tau": Delta(0.054),
            "Omega_m": Uniform(0.01, 0.99),
            "b": LogNormal(jnp.zeros((2, 2)), 0.3),
        }
    )


def test_names_and_coordinates_follow_the_order_of_the_blocks():
    prior = make_prior()
    assert prior.names == ("sigma8", "w0", "wa", "tau", "Omega_m", "b")
    assert prior.dim == 8
    z = jnp.arange(8.0) / 8
    parameters = prior.forward(z)
    assert tuple(parameters) == prior.names
    np.testing.assert_allclose(parameters["sigma8"], 0.8)
    np.testing.assert_allclose([parameters["w0"], parameters["wa"]], prior.blocks[1].forward(z[1:3]))
    np.testing.assert_allclose(parameters["tau"], 0.054)
    np.testing.assert_allclose(parameters["Omega_m"], Uniform(0.01, 0.99).forward(z[3]))
    np.testing.assert_allclose(parameters["b"], jnp.exp(0.3 * z[4:]).reshape(2, 2))


def test_inverse_undoes_forward():
    prior = make_prior()
    z = jax.random.normal(jax.random.key(0), (100, prior.dim))
    again = jax.jit(jax.vmap(lambda z: prior.inverse(prior.forward(z))))(z)
    np.testing.assert_allclose(again, z, atol=1e-9)


def test_a_prior_is_an_argument_of_jit_and_keeps_its_order():
    prior = make_prior()
    z = jnp.linspace(-1, 1, prior.dim)
    jitted = jax.jit(lambda prior, z: prior.forward(z))(prior, z)
    assert jax.tree.map(lambda leaf: leaf, prior).names == prior.names
    assert eqx.tree_equal(jitted, prior.forward(z), rtol=1e-12)


def test_only_held_parameters():
    prior = Prior({"tau": Delta(0.054)})
    assert prior.dim == 0
    assert prior.inverse(prior.forward(jnp.zeros(0))).shape == (0,)


@pytest.mark.parametrize(
    "blocks, sentence",
    [
        (
            {"w0": Normal(0, 1), ("w0", "wa"): UniformPolygon([(0, 0), (1, 0), (0, 1)])},
            "names 'w0' more than once",
        ),
        ({("w0", "wa"): Uniform(0, 1)}, r"joint prior of 'w0', 'wa' needs coordinates of shape \(2,\)"),
    ],
)
def test_errors_name_the_parameters(blocks, sentence):
    with pytest.raises(ValueError, match=sentence):
        Prior(blocks)
