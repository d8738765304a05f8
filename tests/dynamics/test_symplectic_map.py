"""The flow of a Hamiltonian as a bijection: inverse, volume, dtype."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.dynamics import GaussianKinetic, Hamiltonian, NeuralPotential, SymplecticMap


def trained_like(dim, key):
    """A map whose network is far from its zero start."""
    potential = NeuralPotential(dim, width=16, key=key)
    potential = jax.tree.map(
        lambda a: a + 0.5 * jr.normal(key, a.shape, a.dtype) if eqx.is_inexact_array(a) else a, potential
    )
    return SymplecticMap(
        dim, Hamiltonian(potential, GaussianKinetic(jnp.linspace(0.5, 2, dim))), step_size=0.2, num_steps=6
    )


@pytest.mark.parametrize("dim", [1, 3])
def test_inverse_of_forward(dim):
    bijection = trained_like(dim, jr.key(3))
    x = jr.normal(jr.key(1), (50, 2 * dim))
    y = jax.vmap(bijection.transform)(x)
    np.testing.assert_allclose(jax.vmap(bijection.inverse)(y), x, atol=1e-10)
    assert np.max(np.abs(y - x)) > 0.1


@pytest.mark.parametrize("dim", [1, 3])
def test_volume_is_preserved(dim):
    bijection = trained_like(dim, jr.key(4))
    x = jr.normal(jr.key(2), (2 * dim,))
    y, log_det = bijection.transform_and_log_det(x)
    assert float(log_det) == 0.0
    assert float(bijection.inverse_and_log_det(y)[1]) == 0.0
    jacobian = jax.jacfwd(bijection.transform)(x)
    np.testing.assert_allclose(jnp.linalg.det(jacobian), 1, rtol=1e-10)
    rotation = np.block([[np.zeros((dim, dim)), np.eye(dim)], [-np.eye(dim), np.zeros((dim, dim))]])
    np.testing.assert_allclose(jacobian.T @ rotation @ jacobian, rotation, atol=1e-10)


def test_no_steps_is_refused():
    with pytest.raises(ValueError, match="num_steps is 0"):
        SymplecticMap(1, Hamiltonian(NeuralPotential(1, key=jr.key(0)), GaussianKinetic()), step_size=0.1, num_steps=0)
