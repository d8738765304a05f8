"""The flow of a Hamiltonian as a bijection: inverse, volume, costs, numbers of steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.dynamics import (
    AbstractPotential,
    BlanesMoan,
    DenseKinetic,
    GaussianKinetic,
    Hamiltonian,
    IsokineticKinetic,
    Leapfrog,
    MinimalNorm,
    NeuralKinetic,
    NeuralPotential,
    SymplecticMap,
    Yoshida,
    quarter_turn_step,
    with_num_steps,
)

KINETICS = {
    "scalar": lambda dim: GaussianKinetic(1.3),
    "diagonal": lambda dim: GaussianKinetic(jnp.linspace(0.5, 2, dim)),
    "dense": lambda dim: DenseKinetic(jr.normal(jr.key(8), (dim, dim))),
    "learned": lambda dim: shaken(NeuralKinetic(dim, width=8, key=jr.key(9)), jr.key(10)),
}
INTEGRATORS = [Leapfrog(), MinimalNorm(), Yoshida(), BlanesMoan()]


def shaken(tree, key):
    """Networks far from their zero start."""
    return jax.tree.map(lambda a: a + 0.5 * jr.normal(key, a.shape, a.dtype) if eqx.is_inexact_array(a) else a, tree)


def trained_like(dim, key, kinetic="diagonal", **settings):
    potential = shaken(NeuralPotential(dim, width=16, key=key), key)
    steps = {"step_size": 0.2, "num_steps": 6} | settings
    return SymplecticMap(dim, Hamiltonian(potential, KINETICS[kinetic](dim)), **steps)


@pytest.mark.soon(2)
@pytest.mark.parametrize("kinetic", KINETICS)
@pytest.mark.parametrize("dim", [1, 3])
def test_inverse_of_forward(dim, kinetic):
    bijection = trained_like(dim, jr.key(3), kinetic)
    x = jr.normal(jr.key(1), (50, 2 * dim))
    y = jax.jit(jax.vmap(lambda x: bijection.transform(x)))(x)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda y: bijection.inverse(y)))(y), x, atol=1e-10)
    assert np.max(np.abs(y - x)) > 0.1


@pytest.mark.soon(2)
@pytest.mark.parametrize(("kinetic", "integrator"), [*zip(KINETICS, INTEGRATORS, strict=True)])
@pytest.mark.parametrize("dim", [1, 3])
def test_volume_is_preserved(dim, kinetic, integrator):
    bijection = trained_like(dim, jr.key(4), kinetic, integrator=integrator, step_size=jnp.linspace(0.1, 0.2, 6))
    x = jr.normal(jr.key(2), (2 * dim,))
    y, log_det = eqx.filter_jit(bijection.transform_and_log_det)(x)
    assert float(log_det) == 0.0
    assert float(eqx.filter_jit(bijection.inverse_and_log_det)(y)[1]) == 0.0
    jacobian = jax.jit(jax.jacfwd(lambda x: bijection.transform(x)))(x)
    np.testing.assert_allclose(jnp.linalg.det(jacobian), 1, rtol=1e-10)
    rotation = np.block([[np.zeros((dim, dim)), np.eye(dim)], [-np.eye(dim), np.zeros((dim, dim))]])
    np.testing.assert_allclose(jacobian.T @ rotation @ jacobian, rotation, atol=1e-10)


@pytest.mark.soon(1)
@pytest.mark.parametrize("num_steps", [1, 2, 5, 10])
def test_quarter_turn(num_steps):
    s = 0.7
    potential = eqx.tree_at(lambda v: v.stiffness, NeuralPotential(2, key=jr.key(0)), jnp.full(2, 1 / s**2))
    bijection = SymplecticMap(
        2, Hamiltonian(potential, GaussianKinetic()), step_size=s * quarter_turn_step(num_steps), num_steps=num_steps
    )
    q, p = jnp.array([0.4, -1.3]), jnp.array([2.0, 0.1])
    c = np.cos(np.pi / (4 * num_steps))
    end = bijection.transform(jnp.concatenate([q, p]))
    np.testing.assert_allclose(end, np.concatenate([s * p / c, -q * c / s]), rtol=0, atol=1e-12)


@pytest.mark.soon(1)
@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_kicks_are_fused(integrator):
    """They are those of single steps, at one gradient for each drift and one more."""
    calls = []

    class Counted(AbstractPotential):
        def __call__(self, q, time):
            jax.debug.callback(lambda _: calls.append(1), q[0])
            return 0.5 * jnp.sum(q**2)

    bijection = SymplecticMap(
        1, Hamiltonian(Counted(), GaussianKinetic()), step_size=0.3, num_steps=4, integrator=integrator
    )
    jax.block_until_ready(eqx.filter_jit(bijection.transform)(jnp.ones(2)))
    jax.effects_barrier()
    assert len(calls) == 4 * integrator.num_gradients + 1

    bijection = trained_like(2, jr.key(1), integrator=integrator)
    x = jnp.array([0.3, -0.5, 1.0, 0.2])
    state = integrator.init(bijection.hamiltonian, x[:2], x[2:], jnp.zeros(()))
    state = integrator.integrate(bijection.hamiltonian, state, bijection.step_size, 6)
    np.testing.assert_allclose(bijection.transform(x), np.concatenate([state.q, state.p]), atol=1e-12)


def test_a_position_costs_one_gradient_less():
    """One step: one gradient for the position, two for the whole."""
    bijection = trained_like(3, jr.key(0), num_steps=1)
    x = jnp.ones(6)

    def flops(f):
        return jax.jit(f).lower(x).compile().cost_analysis()["flops"]

    whole, position = flops(lambda x: bijection.transform(x)), flops(lambda x: bijection.transform(x)[:3])
    assert 0.45 < position / whole < 0.55


def test_another_number_of_steps_takes_the_same_time():
    bijection = trained_like(2, jr.key(2), step_size=jnp.array([0.1, 0.3, 0.2]), num_steps=3)
    np.testing.assert_allclose(with_num_steps(bijection, 3).step_size, bijection.step_size, atol=1e-15)
    np.testing.assert_allclose(with_num_steps(bijection, 6).step_size, [0.05, 0.05, 0.15, 0.15, 0.1, 0.1], atol=1e-15)
    uniform = trained_like(2, jr.key(2), step_size=0.01, num_steps=100)
    x = jnp.array([0.3, -0.5, 1.0, 0.2])
    finer = with_num_steps(uniform, 200)
    assert finer.num_steps == 200
    np.testing.assert_allclose(finer.transform(x), uniform.transform(x), atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"num_steps": 0}, "num_steps is 0"), ({"step_size": jnp.ones(3)}, r"shape \(3,\), but there are 6 steps")],
)
def test_bad_arguments_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        trained_like(2, jr.key(0), **settings)


def test_a_kinetic_energy_that_changes_volume_is_refused():
    with pytest.raises(ValueError, match="not IsokineticKinetic"):
        SymplecticMap(
            2, Hamiltonian(NeuralPotential(2, key=jr.key(0)), IsokineticKinetic()), step_size=0.1, num_steps=1
        )


def test_a_cholesky_factor_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match=r"its shape is \(2, 3\)"):
        DenseKinetic(jnp.ones((2, 3)))
