"""A flow is a distribution of flowjax: its training loops take it, and it is a guide of NumPyro."""

import equinox as eqx
import flowjax.train as ft
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import numpyro
import optax
import paramax
import pytest
from flowjax.experimental.numpyro import register_params, sample
from flowjax.train.losses import ElboLoss

from cosmoflow.flows import fixed_kinetic_flow
from cosmoflow.targets import Augmented, CorrelatedGaussian


@pytest.fixture(autouse=True)
def standard_promotion():
    with jax.numpy_dtype_promotion("standard"):
        yield


def small():
    return fixed_kinetic_flow(1, num_steps=2, num_maps=1, width=8, depth=1, key=jr.key(0))


@pytest.mark.slow
def test_flowjax_fits_it_to_draws_of_phase_space():
    x = jnp.array([1.0, 0.0]) + jnp.array([0.5, 2.0]) * jr.normal(jr.key(1), (500, 2))
    trained, losses = ft.fit_to_data(
        jr.key(2), small(), x, learning_rate=2e-2, max_epochs=15, batch_size=100, show_progress=False
    )
    assert losses["val"][-1] < losses["val"][0] - 0.5
    assert jnp.mean(trained.log_prob(x)) > jnp.mean(small().log_prob(x)) + 0.5


def test_flowjax_fits_it_to_a_density():
    flow = small()
    target = Augmented(CorrelatedGaussian(jnp.ones(1), jnp.full((1, 1), 0.3)), paramax.non_trainable(flow.momentum))
    loss = ElboLoss(lambda x: paramax.unwrap(target).log_density(x), num_samples=64)
    _, losses = ft.fit_to_key_based_loss(
        jr.key(1), flow, loss_fn=loss, steps=80, learning_rate=2e-2, show_progress=False
    )
    assert np.mean(losses[-10:]) < 0.1 < losses[0]


@pytest.mark.slow
def test_it_is_a_guide_of_numpyro():
    def model():
        numpyro.sample("x", numpyro.distributions.Normal(jnp.array([1.0, 0.0]), jnp.array([0.5, 1.0])).to_event(1))

    def guide():
        sample("x", register_params("flow", small()))

    svi = numpyro.infer.SVI(model, guide, optax.adam(2e-2), numpyro.infer.Trace_ELBO(num_particles=32))
    result = svi.run(jr.key(1), 80, progress_bar=False)
    assert np.mean(result.losses[-10:]) < 0.1 < result.losses[0]
    assert all(eqx.is_array(a) for a in jax.tree.leaves(result.params))
