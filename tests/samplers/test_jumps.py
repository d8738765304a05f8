"""Jumps and motions: isometries, the laws of what is drawn, and the group that a motion is."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from cosmoflow.samplers import Rotation, Straight
from cosmoflow.samplers._jumps import event_chain, reflect, refresh

GRADIENT, VELOCITY = jr.normal(jr.key(0), (2, 5))


def test_reflection_is_an_isometric_involution():
    reflected = reflect(GRADIENT, VELOCITY)
    np.testing.assert_allclose(reflected @ GRADIENT, -VELOCITY @ GRADIENT, atol=1e-12)
    np.testing.assert_allclose(reflected @ reflected, VELOCITY @ VELOCITY, atol=1e-12)
    np.testing.assert_allclose(reflect(GRADIENT, reflected), VELOCITY, atol=1e-12)
    np.testing.assert_array_equal(reflect(jnp.zeros(5), VELOCITY), VELOCITY)


def test_event_chain_goes_down_with_the_law_of_a_collision():
    normal = GRADIENT / jnp.linalg.norm(GRADIENT)
    jumped = jax.vmap(lambda k: event_chain(GRADIENT, VELOCITY, jnp.asarray(1.0), key=k))(jr.split(jr.key(1), 20_000))
    along = jumped @ normal
    assert np.all(along < 0)
    assert stats.kstest(np.asarray(-along), "rayleigh").pvalue > 1e-4
    across = jumped - along[:, None] * normal
    np.testing.assert_allclose(across - (VELOCITY - (VELOCITY @ normal) * normal), 0, atol=1e-12)


def test_refreshment_keeps_the_normal_law():
    velocities = jr.normal(jr.key(2), (20_000, 1))
    fresh = jax.vmap(lambda v, k: refresh(v, jnp.asarray(0.6), key=k))(velocities, jr.split(jr.key(3), 20_000))
    assert stats.kstest(np.asarray(fresh[:, 0]), "norm").pvalue > 1e-4
    assert abs(np.corrcoef(velocities[:, 0], fresh[:, 0])[0, 1] - 0.6) < 5 / np.sqrt(20_000)


@pytest.mark.parametrize("motion", [Straight(), Rotation()])
def test_motion_is_a_reversible_group_that_keeps_its_reference(motion):
    x, v = GRADIENT, VELOCITY
    s, t = jnp.asarray(0.3), jnp.asarray(0.9)
    twice, once = motion.move(*motion.move(x, v, s), t), motion.move(x, v, s + t)
    np.testing.assert_allclose(twice, once, atol=1e-12)
    back = motion.move(once[0], -once[1], s + t)
    np.testing.assert_allclose(back[0], x, atol=1e-12)
    np.testing.assert_allclose(back[1], -v, atol=1e-12)
    energy = motion.reference(x) + v @ v / 2
    np.testing.assert_allclose(motion.reference(once[0]) + once[1] @ once[1] / 2, energy, atol=1e-12)
    np.testing.assert_allclose(motion.reference_gradient(x), jax.grad(motion.reference)(x), atol=1e-12)
