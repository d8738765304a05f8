"""Reverse mode that runs trajectories backwards: the gradients of plain autodiff, at constant memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from dynamics.test_symplectic_map import KINETICS, shaken

from cosmoflow.dynamics import (
    AbstractPotential,
    BlanesMoan,
    GaussianKinetic,
    Hamiltonian,
    Leapfrog,
    NeuralPotential,
    SumPotential,
    SymplecticMap,
    TargetPotential,
    with_reversible,
)
from cosmoflow.flows import fixed_kinetic_flow
from cosmoflow.targets import Banana
from cosmoflow.training import NegativeELBO


class Driven(AbstractPotential):
    strength: jax.Array

    def __call__(self, q, time):
        return self.strength * jnp.cos(3 * time) * jnp.sum(jnp.cos(q)) + 0.5 * time * jnp.sum(q**2)


def loss(model, x):
    y = jax.vmap(model.transform)(x)
    back = jax.vmap(model.inverse)(x)
    return jnp.mean(jnp.sin(y) ** 2 + 0.3 * back**3)


@eqx.filter_jit
def gradients(model, x):
    return eqx.filter_grad(lambda arguments: loss(*arguments))((model, x))


@pytest.mark.soon(1)
@pytest.mark.parametrize(
    ("kinetic", "integrator"), [("diagonal", Leapfrog()), ("dense", Leapfrog()), ("learned", BlanesMoan())]
)
def test_gradients_are_those_of_plain_autodiff(kinetic, integrator):
    potential = SumPotential((shaken(NeuralPotential(2, width=8, key=jr.key(0)), jr.key(1)), Driven(jnp.asarray(0.7))))
    model = SymplecticMap(
        2,
        Hamiltonian(potential, KINETICS[kinetic](2)),
        step_size=jnp.linspace(0.05, 0.15, 5),
        num_steps=5,
        integrator=integrator,
    )
    x = jr.normal(jr.key(2), (4, 4))
    plain, reversed_ = gradients(model, x), gradients(with_reversible(model, True), x)
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(reversed_), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
def test_gradients_hold_for_batches_within_batches():
    key = jr.key(0)
    flow = fixed_kinetic_flow(2, num_steps=3, num_maps=1, time_dependent=True, cond_dim=1, width=8, key=key)
    flow = shaken(flow, key)
    batch = jr.normal(jr.key(1), (3, 2)), jr.normal(jr.key(2), (3, 1))
    learned, static = eqx.partition(flow, eqx.is_inexact_array)

    def gradient(reversible):
        def objective(learned):
            model = with_reversible(eqx.combine(learned, static), reversible)
            return NegativeELBO(num_momenta=2)(model, batch, key=jr.key(3))

        return jax.tree.leaves(jax.jit(jax.grad(objective))(learned))

    for a, b in zip(gradient(False), gradient(True), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10)


def test_data_within_a_potential_are_let_alone():
    model = SymplecticMap(
        2,
        Hamiltonian(SumPotential((TargetPotential(Banana()),)), GaussianKinetic()),
        step_size=0.1,
        num_steps=3,
        reversible=True,
    )
    jax.grad(lambda x: jnp.sum(model.transform(x)))(jnp.ones(4))


def compiled(num_steps, reversible):
    hamiltonian = Hamiltonian(NeuralPotential(2, width=64, key=jr.key(0)), GaussianKinetic())
    model = SymplecticMap(2, hamiltonian, step_size=0.1, num_steps=num_steps, reversible=reversible)
    learned, static = eqx.partition(model, eqx.is_inexact_array)

    def objective(learned, x):
        return jnp.mean(jax.vmap(eqx.combine(learned, static).transform)(x) ** 2)

    return jax.jit(jax.grad(objective)).lower(learned, jnp.zeros((64, 4))).compile()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_steps():
    memory = {
        (n, reversible): compiled(n, reversible).memory_analysis().temp_size_in_bytes
        for n in (4, 64)
        for reversible in (True, False)
    }
    assert memory[64, True] < 1.3 * memory[4, True]
    assert memory[64, False] > 5 * memory[64, True]


@pytest.mark.slow
def test_it_costs_a_third_more_and_moves_less():
    """The operations of a loop count once, so those of one step are compared with another."""
    plain, reversed_ = (compiled(8, reversible).cost_analysis() for reversible in (False, True))
    assert reversed_["flops"] < 1.6 * plain["flops"]
    assert reversed_["bytes accessed"] < plain["bytes accessed"]
