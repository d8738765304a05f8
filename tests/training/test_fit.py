"""Training: it learns, it keeps the best, it resumes bit for bit, it leaves data alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import cosmoflow as cf
from cosmoflow._results import RunError, Status
from cosmoflow.dynamics import SumPotential, TargetPotential
from cosmoflow.targets import CorrelatedGaussian, Skewed


def small_flow(key=0):
    return cf.fixed_kinetic_flow(2, num_steps=3, num_maps=1, width=16, depth=1, key=jr.key(key))


def arrays(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if eqx.is_array(leaf)]


@pytest.mark.slow
def test_reverse_kl_learns_a_skewed_target():
    target = Skewed(jnp.array([1.5, 4.0]))
    flow, history = cf.fit(
        small_flow(), cf.ReverseKL(target, 128), num_steps=400, optimizer=optax.adam(1e-2), key=jr.key(1)
    )
    before = cf.importance_sample(small_flow(), target, num_samples=4000, key=jr.key(2))
    after = cf.importance_sample(flow, target, num_samples=4000, key=jr.key(2))
    assert after.ess_fraction > 0.6 > 0.3 > before.ess_fraction
    assert abs(after.log_evidence) < 5 * after.log_evidence_error + 1e-3
    assert history.losses.shape == (400,)
    assert history.validation.shape == (8,)


@pytest.mark.slow
def test_elbo_learns_from_samples():
    target = CorrelatedGaussian(jnp.array([1.0, -1.0]), jnp.array([[0.5, 0.3], [0.3, 0.4]]))
    data = target.sample(jr.key(0), (4000,))
    flow, _ = cf.fit(
        small_flow(), cf.NegativeELBO(), data=data, num_steps=600, optimizer=optax.adam(1e-2), key=jr.key(1)
    )
    held_out = target.sample(jr.key(2), (2000,))
    bound = jax.vmap(lambda q, k: flow.log_marginal(q, num_samples=16, key=k))(held_out, jr.split(jr.key(3), 2000))
    exact = jax.vmap(target.log_density)(held_out)
    assert -0.1 < jnp.mean(bound - exact) < 0.02


def test_elbo_without_data_is_refused():
    with pytest.raises(ValueError, match="pass them to fit as data"):
        cf.fit(small_flow(), cf.NegativeELBO(), num_steps=10, key=jr.key(0))


@pytest.mark.slow
def test_best_parameters_are_kept():
    """A learning rate that destroys the flow must not be what is returned."""
    loss = cf.ReverseKL(CorrelatedGaussian(jnp.zeros(2), jnp.eye(2)), 64)
    wild = optax.sgd(optax.piecewise_constant_schedule(1e-3, {100: 1e6}))
    flow, history = cf.fit(small_flow(), loss, num_steps=200, optimizer=wild, key=jr.key(0))
    kept = jnp.mean(jax.vmap(lambda k: loss(flow, None, key=k))(jr.split(jr.key(5), 20)))
    assert kept < 0.2
    assert not history.validation[-1] < 10 * abs(kept) + 1


def test_interrupted_training_ends_with_the_same_bits(tmp_path):
    loss = cf.ReverseKL(Skewed(jnp.array([1.5, 4.0])), 32)
    settings = {"num_steps": 100, "key": jr.key(7), "chunk": 20, "optimizer": optax.adam(1e-2)}
    whole, history = cf.fit(small_flow(), loss, **settings)
    calls = iter([False, True, False, False, True, False, False, False])
    for _ in range(2):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store, pytest.raises(RunError) as error:
            cf.fit(small_flow(), loss, store=store, stop=lambda: next(calls), **settings)
        assert error.value.status is Status.STOPPED
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
        resumed, again = cf.fit(small_flow(), loss, store=store, **settings)
        finished, _ = cf.fit(small_flow(), loss, store=store, stop=lambda: pytest.fail("trained again"), **settings)
    for a, b, c in zip(arrays(whole), arrays(resumed), arrays(finished), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(history.losses, again.losses)
    np.testing.assert_array_equal(history.validation, again.validation)


def test_another_training_in_the_same_store_is_refused(tmp_path):
    loss = cf.ReverseKL(Skewed(jnp.array([1.5, 4.0])), 32)
    with cf.ChainStore(tmp_path / "run.h5") as store:
        cf.fit(small_flow(), loss, num_steps=20, key=jr.key(0), store=store)
        with pytest.raises(cf.CosmoflowError, match="training"):
            cf.fit(small_flow(), loss, num_steps=20, key=jr.key(1), store=store)


def test_weight_decay_leaves_the_data_of_a_physics_informed_flow_alone():
    target = CorrelatedGaussian(jnp.array([0.3, -0.2]), jnp.array([[1.0, 0.5], [0.5, 1.2]]))
    flow = small_flow()
    potential = flow.bijection.hamiltonian.potential
    flow = eqx.tree_at(
        lambda f: f.bijection.hamiltonian.potential, flow, SumPotential((TargetPotential(target), potential))
    )
    trained, _ = cf.fit(
        flow, cf.ReverseKL(target, 32), num_steps=40, optimizer=optax.adamw(1e-2, weight_decay=0.1), key=jr.key(0)
    )
    kept = trained.bijection.hamiltonian.potential.terms[0]
    for a, b in zip(arrays(TargetPotential(target)), arrays(kept), strict=True):
        np.testing.assert_array_equal(a, b)
    changed = zip(arrays(potential), arrays(trained.bijection.hamiltonian.potential.terms[1]), strict=True)
    assert any(np.any(a != b) for a, b in changed)


def test_a_loss_that_is_never_finite_is_an_error():
    class Nowhere(cf.targets.AbstractTarget):
        dim: int = 2

        def log_density(self, x):
            return jnp.nan * x[0]

        def constrain(self, x):
            return {"x": x}

    with pytest.raises(RunError) as error:
        cf.fit(small_flow(), cf.ReverseKL(Nowhere(), 8), num_steps=20, key=jr.key(0))
    assert error.value.status is Status.NO_FINITE_LOSS
