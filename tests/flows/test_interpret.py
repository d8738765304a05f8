"""Learned potentials beside -log pi, on potentials of which it is known."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np

from cosmoflow.dynamics import AbstractPotential, NeuralPotential, TargetPotential
from cosmoflow.flows import compare_potential
from cosmoflow.targets import CorrelatedGaussian

TARGET = CorrelatedGaussian(jnp.array([1.0, -0.5]), jnp.array([[1.0, 0.6], [0.6, 2.0]]))
POINTS = jr.normal(jr.key(0), (400, 2))


class Halved(AbstractPotential):
    """Half of -log pi, plus three and a ripple."""

    ripple: float

    def __call__(self, q, time):
        return 3.0 - 0.5 * TARGET.log_density(q) + self.ripple * jnp.sin(40 * q[0])


def test_the_potential_of_the_target_is_the_target():
    found = compare_potential(TargetPotential(TARGET), TARGET, POINTS)
    np.testing.assert_allclose(found.slope, 1, rtol=1e-10)
    np.testing.assert_allclose([found.offset, found.residual], 0, atol=1e-6)
    np.testing.assert_allclose(found.correlation, 1, rtol=1e-10)
    np.testing.assert_allclose(found.spread, np.std([float(TARGET.log_density(q)) for q in POINTS]), rtol=1e-10)


def test_slope_and_constant_are_fitted():
    found = compare_potential(Halved(0.0), TARGET, POINTS)
    np.testing.assert_allclose([found.slope, found.offset], [0.5, 3.0], rtol=1e-10)
    assert abs(found.residual) < 1e-6


def test_the_residual_is_in_nats_of_the_target():
    found = compare_potential(Halved(0.1), TARGET, POINTS)
    np.testing.assert_allclose(found.residual, 2 * 0.1 / np.sqrt(2), rtol=0.1)  # root mean square of a sine
    assert 0.99 < found.correlation < 1


def test_an_untrained_potential_of_another_target_is_unlike_it():
    other = NeuralPotential(2, width=16, depth=2, key=jr.key(3))
    assert abs(compare_potential(other, TARGET, POINTS).correlation) < 0.9
