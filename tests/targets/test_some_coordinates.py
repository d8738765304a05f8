"""A bijection of some coordinates leaves the others."""

import jax
import jax.numpy as jnp
import numpy as np

from cosmoflow.targets import Affine, SomeCoordinates


def test_it_acts_where_it_should():
    affine = Affine(jnp.array([1.0, -2.0]), jnp.array([[2.0, 0.0], [0.5, 3.0]]))
    bijection = SomeCoordinates(affine, (3, 1), 5)
    z = jnp.arange(5.0)
    x, log_det = bijection.transform_and_log_det(z)
    np.testing.assert_allclose(x[jnp.array([3, 1])], affine.transform(z[jnp.array([3, 1])]))
    np.testing.assert_array_equal(x[jnp.array([0, 2, 4])], z[jnp.array([0, 2, 4])])
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jax.jacfwd(lambda v: bijection.transform(v))(z))[1])
    np.testing.assert_allclose(bijection.inverse(x), z)
