"""Splittings and the isokinetic energy: order, reversibility, exact motions, energy changes."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.dynamics import (
    AbstractPotential,
    BlanesMoan,
    GaussianKinetic,
    Hamiltonian,
    HarmonicSplitting,
    IsokineticKinetic,
    Leapfrog,
    MinimalNorm,
    Yoshida,
)


class Quartic(AbstractPotential):
    def __call__(self, q, time):
        return 0.5 * jnp.sum(q**2) + 0.1 * jnp.sum(q**4) + 0.3 * q[0] * q[1]


class Bowl(AbstractPotential):
    def __call__(self, q, time):
        return 0.5 * jnp.sum(q**2)


QUARTIC = Quartic()
Q, P = jnp.array([0.3, 1.2, -0.7]), jnp.array([1.0, -0.4, 0.2])
CASES = {
    "leapfrog": (Leapfrog(), GaussianKinetic()),
    "harmonic": (HarmonicSplitting(), GaussianKinetic()),
    "minimal_norm": (MinimalNorm(), GaussianKinetic()),
    "isokinetic_leapfrog": (Leapfrog(), IsokineticKinetic()),
    "isokinetic_minimal_norm": (MinimalNorm(), IsokineticKinetic()),
}


def integrate(case, q, p, h, num_steps, potential=QUARTIC):
    integrator, kinetic = CASES[case]
    hamiltonian = Hamiltonian(potential, kinetic)
    run = jax.jit(integrator.integrate, static_argnums=3)
    return run(hamiltonian, integrator.init(hamiltonian, q, p, jnp.zeros(())), jnp.asarray(h), num_steps)


@pytest.mark.soon(1)
@pytest.mark.parametrize("case", CASES)
def test_order_reversibility_and_energy(case):
    """Second order in position and energy; backwards to the start."""
    reference = integrate(case, Q, P, 1 / 1024, 1024)
    hamiltonian = Hamiltonian(Quartic(), CASES[case][1])
    start = hamiltonian(Q, P, jnp.zeros(()))
    ends = [integrate(case, Q, P, 1 / n, n) for n in (8, 16, 32)]
    errors = [float(jnp.linalg.norm(end.q - reference.q)) for end in ends]
    energies = [abs(float(hamiltonian(end.q, end.p, end.time) - start)) for end in ends]
    np.testing.assert_allclose(np.diff(np.log2(errors)), -2, atol=0.2)
    np.testing.assert_allclose(np.diff(np.log2(energies)), -2, atol=0.5)
    back = integrate(case, ends[0].q, ends[0].p, -1 / 8, 8)
    np.testing.assert_allclose(back.q, Q, atol=1e-12)
    np.testing.assert_allclose(back.p, P, atol=1e-12)
    np.testing.assert_allclose(ends[0].time, 1)
    np.testing.assert_allclose(ends[0].gradient, jax.grad(Quartic())(ends[0].q, ends[0].time), atol=1e-14)


def test_the_harmonic_splitting_is_an_exact_rotation_of_a_standard_normal_law():
    end = integrate("harmonic", Q, P, 1.1, 1, Bowl())
    np.testing.assert_allclose(end.q, Q * np.cos(1.1) + P * np.sin(1.1), atol=1e-15)
    np.testing.assert_allclose(end.p, P * np.cos(1.1) - Q * np.sin(1.1), atol=1e-15)


def test_the_harmonic_splitting_refuses_other_momenta():
    hamiltonian = Hamiltonian(Bowl(), IsokineticKinetic())
    integrator = HarmonicSplitting()
    with pytest.raises(ValueError, match="not IsokineticKinetic; use Leapfrog"):
        integrator.step(hamiltonian, integrator.init(hamiltonian, Q, P, jnp.zeros(())), jnp.asarray(0.1))


@pytest.mark.parametrize("integrator", [Leapfrog(), MinimalNorm(), Yoshida(), BlanesMoan()])
def test_coefficients_add_up_and_read_the_same_backwards(integrator):
    for coefficients in (integrator.kicks, integrator.drifts):
        np.testing.assert_allclose(sum(coefficients), 1, atol=1e-15)
        assert coefficients == coefficients[::-1]
    assert len(integrator.kicks) == len(integrator.drifts) + 1 == integrator.num_gradients + 1


def test_isokinetic_kicks():
    """They compose, and solve p' = -|p| sqrt(d) g / (d - 1) with u = p / |p|."""
    kinetic, gradient, p = IsokineticKinetic(), jnp.array([0.5, 2.0, -1.0]), P / jnp.linalg.norm(P)
    once = kinetic.kick(p, gradient, jnp.asarray(0.8))
    twice = kinetic.kick(kinetic.kick(p, gradient, jnp.asarray(0.5)), gradient, jnp.asarray(0.3))
    np.testing.assert_allclose(once, twice, atol=1e-13)
    np.testing.assert_allclose(jnp.linalg.norm(kinetic.gauged(once)), 1, atol=1e-15)

    def slope(p):
        return -jnp.linalg.norm(p) * np.sqrt(3) / 2 * gradient

    fine, h = p, 0.8 / 2000
    for _ in range(2000):
        fine = fine + h * slope(fine + 0.5 * h * slope(fine))
    np.testing.assert_allclose(once, fine, atol=1e-6)
    work = kinetic(once) - kinetic(p)
    np.testing.assert_allclose(work, 2 * np.log(np.linalg.norm(fine)), atol=1e-6)


@pytest.mark.slow
def test_isokinetic_volume():
    """The change of energy of a kick is minus the logarithm of its Jacobian on the circle of directions."""
    kinetic, gradient = IsokineticKinetic(), jnp.array([0.7, -1.9])

    def turned(angle):
        p = kinetic.kick(jnp.array([jnp.cos(angle), jnp.sin(angle)]), gradient, jnp.asarray(0.6))
        return jnp.arctan2(p[1], p[0]), kinetic(p)

    for angle in (0.1, 1.3, -2.0):
        jacobian, _ = jax.jacfwd(turned)(angle)
        np.testing.assert_allclose(jnp.log(jacobian), -turned(angle)[1], atol=1e-13)


@pytest.mark.parametrize("kinetic", [GaussianKinetic(jnp.array([0.5, 2.0, 1.0])), IsokineticKinetic()])
def test_refreshment_keeps_the_law(kinetic):
    """Covariance 1 / inverse mass, or that of a uniform direction; and it keeps the part that it should."""
    variance = np.array([2.0, 0.5, 1.0]) if isinstance(kinetic, GaussianKinetic) else np.full(3, 1 / 3)
    draw = jax.vmap(lambda p, a, k: kinetic.refreshed(p, a, key=k), in_axes=(0, None, 0))
    p = jax.vmap(lambda k: kinetic.sample(P, key=k))(jr.split(jr.key(0), 40_000))
    new = draw(p, jnp.asarray(0.8), jr.split(jr.key(1), 40_000))
    np.testing.assert_allclose(np.mean(new**2, axis=0), variance, rtol=0.05)
    np.testing.assert_allclose(np.mean(new, axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.mean(p * new, axis=0) / variance, 0.8, atol=0.06)


@pytest.mark.parametrize("integrator", [Yoshida(), BlanesMoan()])
def test_fourth_order(integrator):
    hamiltonian = Hamiltonian(QUARTIC, GaussianKinetic())
    start = integrator.init(hamiltonian, Q, P, jnp.zeros(()))

    def end(n):
        return jax.jit(integrator.integrate, static_argnums=3)(hamiltonian, start, jnp.asarray(1 / n), n).q

    reference = end(256)
    errors = [float(jnp.linalg.norm(end(n) - reference)) for n in (4, 8, 16)]
    np.testing.assert_allclose(np.diff(np.log2(errors)), -4, atol=0.4)
