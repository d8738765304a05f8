"""Training of generative models: pairs stay together, data fields stay as they are, what is learned can be kept."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import paramax
import pytest

from cosmoflow.flows import load_flow, save_flow
from cosmoflow.generative import (
    AbstractGenerativeModel,
    CriticallyDamped,
    Diffusion,
    EnergyNetwork,
    FlowMatching,
    Guidance,
    OscillationMatching,
    TimeNetwork,
)
from cosmoflow.targets import GaussianMixture
from cosmoflow.training import Matching, fit


class Distance(AbstractGenerativeModel):
    """Its loss says which datum met which condition."""

    dim: int = 1

    def loss(self, x, *, key, condition=None):
        return jnp.sum(x) if condition is None else jnp.sum((x - condition) ** 2)

    def sample(self, key, *, num_steps, condition=None):
        return jnp.zeros(1)

    def num_evaluations(self, num_steps):
        return 0


def test_matching_is_the_mean_over_the_batch():
    x = jnp.arange(5.0)[:, None]
    assert Matching()(Distance(), x, key=jr.key(0)) == 2
    assert Matching()(Distance(), (x, x), key=jr.key(0)) == 0
    assert Matching()(Distance(), (x, x + 2), key=jr.key(0)) == 4


def test_every_datum_has_a_key():
    model = FlowMatching(2, lambda x, t, c: x)
    x = jnp.zeros((50, 2))
    keys = jr.split(jr.key(3), 50)
    expected = jnp.mean(jnp.stack([model.loss(x[0], key=k) for k in keys]))
    np.testing.assert_allclose(Matching()(model, x, key=jr.key(3)), expected, rtol=1e-12)


def test_without_data_it_is_refused():
    with pytest.raises(ValueError, match="pass them to fit as data"):
        fit(FlowMatching(2, TimeNetwork(2, 2, width=8, depth=1, key=jr.key(0))), Matching(), num_steps=1, key=jr.key(0))


def test_training_learns_and_keeps_what_is_given(tmp_path):
    """The scale of the process and the null condition are not trained, weight decay or not."""
    network = TimeNetwork(1, 1, cond_size=1, width=16, depth=1, key=jr.key(0))
    model = OscillationMatching(1, network, scale=2.0, guidance=Guidance([9.0]))
    c = jr.normal(jr.key(1), (500, 1))
    trained, history = fit(
        model,
        Matching(),
        data=(2 * c, c),
        num_steps=60,
        chunk=30,
        batch_size=64,
        key=jr.key(2),
        optimizer=optax.adamw(1e-2, weight_decay=0.1),
    )
    assert history.validation[-1] < history.losses[0]
    np.testing.assert_array_equal(paramax.unwrap(trained.scale), [2.0])
    np.testing.assert_array_equal(paramax.unwrap(trained.guidance.null), [9.0])
    save_flow(tmp_path / "model", trained)
    loaded = load_flow(tmp_path / "model", model)
    x = jnp.array([0.3])
    np.testing.assert_array_equal(loaded.velocity(x, jnp.array(0.2), x), trained.velocity(x, jnp.array(0.2), x))


MODES = GaussianMixture([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("process", ["diffusion", "energy", "straight", "oscillation", "critically damped"])
def test_two_modes_are_learned(process):
    size = 4 if process == "critically damped" else 2
    network = TimeNetwork(size, 2, width=64, depth=2, key=jr.key(0))
    model = {
        "diffusion": lambda: Diffusion(2, network),
        "energy": lambda: Diffusion(2, EnergyNetwork(network), prediction="energy"),
        "straight": lambda: FlowMatching(2, network),
        "oscillation": lambda: OscillationMatching(2, network),
        "critically damped": lambda: CriticallyDamped(2, network),
    }[process]()
    data = MODES.sample(jr.key(1), (10_000,))
    optimizer = optax.adam(optax.cosine_decay_schedule(3e-3, 1500))
    trained, _ = fit(model, Matching(), data=data, num_steps=1500, chunk=250, key=jr.key(2), optimizer=optimizer)
    draws = eqx.filter_jit(jax.vmap(lambda k: trained.sample(k, num_steps=50)))(jr.split(jr.key(3), 4000))
    right = draws[:, 0] > 0
    assert abs(jnp.mean(right, dtype=float) - 0.7) < 0.04
    assert jnp.max(jnp.abs(draws[right].mean(axis=0) - jnp.array([1.0, 0.5]))) < 0.06
    assert jnp.max(jnp.abs(draws[right].std(axis=0) / 0.3 - 1)) < 0.12
    if process != "critically damped":
        held_out = MODES.sample(jr.key(4), (500,))
        found = eqx.filter_jit(jax.vmap(lambda x: trained.log_prob(x)))(held_out)
        assert abs(jnp.mean(found - jax.vmap(MODES.log_density)(held_out))) < 0.06
