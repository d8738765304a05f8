"""Leapfrog: order, reversibility, exact harmonic solution, and what it costs."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.dynamics import (
    AbstractPotential,
    GaussianKinetic,
    Hamiltonian,
    Leapfrog,
    NeuralPotential,
    SumPotential,
    TargetPotential,
    quarter_turn_step,
)
from cosmoflow.targets import Banana


class Pendulum(AbstractPotential):
    def __call__(self, q, time):
        return -jnp.sum(jnp.cos(q))


class Harmonic(AbstractPotential):
    scale: jax.Array

    def __call__(self, q, time):
        return 0.5 * jnp.sum((q / self.scale) ** 2)


def integrate(hamiltonian, q, p, h, num_steps):
    integrator = Leapfrog()
    start = integrator.init(hamiltonian, q, p, jnp.zeros(()))
    return integrator.integrate(hamiltonian, start, jnp.asarray(h), num_steps)


@pytest.mark.parametrize("num_steps", [1, 2, 5, 10, 25])
def test_quarter_turn_identity(num_steps):
    s, q, p = 0.7, jnp.array([0.4, -1.3]), jnp.array([2.0, 0.1])
    hamiltonian = Hamiltonian(Harmonic(jnp.asarray(s)), GaussianKinetic())
    end = integrate(hamiltonian, q, p, s * quarter_turn_step(num_steps), num_steps)
    c = np.cos(np.pi / (4 * num_steps))
    np.testing.assert_allclose(end.q, s * p / c, rtol=0, atol=1e-12)
    np.testing.assert_allclose(end.p, -q * c / s, rtol=0, atol=1e-12)


def test_variance_of_the_quarter_turn():
    """Of q_L over s^2, for standard normal q_0 and p_0: the sum of the squared derivatives."""
    hamiltonian = Hamiltonian(Harmonic(jnp.asarray(1.0)), GaussianKinetic())
    variance = []
    for num_steps in (1, 2, 5, 10, 25):
        h = quarter_turn_step(num_steps)
        ends = [
            integrate(hamiltonian, jnp.array([q]), jnp.array([p]), h, num_steps).q for q, p in ((1.0, 0.0), (0.0, 1.0))
        ]
        variance.append(float(sum(end[0] ** 2 for end in ends)))
    np.testing.assert_allclose(variance, [2, 1.1716, 1.0251, 1.0062, 1.0010], atol=5e-5)


def test_second_order():
    hamiltonian = Hamiltonian(Pendulum(), GaussianKinetic(0.5))
    q, p = jnp.array([0.3, 2.0]), jnp.array([1.0, -0.4])
    reference = integrate(hamiltonian, q, p, 1 / 4096, 4096).q
    errors = [float(jnp.linalg.norm(integrate(hamiltonian, q, p, 1 / n, n).q - reference)) for n in (16, 32, 64)]
    np.testing.assert_allclose(np.log2(errors[:-1]) - np.log2(errors[1:]), 2, atol=0.05)


def test_reversible():
    hamiltonian = Hamiltonian(Pendulum(), GaussianKinetic(jnp.array([0.5, 2.0])))
    q, p = jnp.array([0.3, 2.0]), jnp.array([1.0, -0.4])
    end = integrate(hamiltonian, q, p, 0.1, 20)
    back = integrate(hamiltonian, end.q, end.p, -0.1, 20)
    np.testing.assert_allclose(back.q, q, atol=1e-12)
    np.testing.assert_allclose(back.p, p, atol=1e-12)


def test_gradient_is_carried():
    hamiltonian = Hamiltonian(Pendulum(), GaussianKinetic())
    end = integrate(hamiltonian, jnp.array([0.3]), jnp.array([1.0]), 0.1, 3)
    np.testing.assert_allclose(end.gradient, jnp.sin(end.q), rtol=1e-14)
    np.testing.assert_allclose(end.value, -jnp.cos(end.q[0]), rtol=1e-14)


@pytest.mark.parametrize("num_steps", [1, 4, 7])
def test_costs_one_gradient_more_than_steps(num_steps):
    calls = []

    class Counted(AbstractPotential):
        def __call__(self, q, time):
            jax.debug.callback(lambda _: calls.append(1), q[0])
            return 0.5 * jnp.sum(q**2)

    jax.block_until_ready(
        integrate(Hamiltonian(Counted(), GaussianKinetic()), jnp.ones(2), jnp.ones(2), 0.1, num_steps).q
    )
    jax.effects_barrier()
    assert len(calls) == num_steps + 1


def test_physics_informed_potential_starts_as_the_sum():
    target = Banana()
    network = NeuralPotential(2, key=jr.key(0))
    potential = SumPotential((TargetPotential(target), network))
    q, time = jnp.array([1.0, -2.0]), jnp.zeros(())
    np.testing.assert_allclose(potential(q, time), -target.log_density(q) + 0.5 * jnp.sum(q**2))
