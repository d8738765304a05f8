"""The discrete bouncy particle sampler: its way back, its invariance, and wrong twins."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_starts import TARGET, worst_score

from cosmoflow.samplers import DiscreteBouncyParticle, _discrete_bouncy_particle
from cosmoflow.samplers._discrete_bouncy_particle import delayed_log_acceptance
from cosmoflow.samplers._jumps import reflect


def test_delayed_acceptances_there_and_back_balance():
    x, z, y = jr.uniform(jr.key(0), (3, 100)) + jnp.array([[0.0], [0.0], [1.0]])
    there, back = jax.vmap(delayed_log_acceptance)(x, y, z), jax.vmap(delayed_log_acceptance)(z, y, x)
    np.testing.assert_allclose(there + back, 0, atol=1e-12)
    expected = np.exp(-z) * (1 - np.exp(z - y)) / (np.exp(-x) - np.exp(-y))
    np.testing.assert_allclose(np.exp(there), expected * np.ones(100), rtol=1e-10)
    assert delayed_log_acceptance(*jnp.array([0.0, 1.0, 2.0])) == -jnp.inf


def test_a_bounce_is_its_own_way_back():
    x, v = jr.normal(jr.key(1), (2, 2))
    gradient = jax.grad(TARGET.log_density)(x + v)
    bounced = reflect(gradient, v)
    z = x + v + bounced
    np.testing.assert_allclose(z - bounced - reflect(gradient, bounced), x, atol=1e-12)


@pytest.mark.slow
def test_exact_draws_stay_exact():
    assert worst_score(DiscreteBouncyParticle(1.0)) < 5


class Unflipped(DiscreteBouncyParticle):
    """It goes on in the same direction after a rejection."""

    def advance(self, target, state, *, key):
        new, counts = super().advance(target, state, key=key)
        stayed = jnp.all(new.position == state.position)
        return eqx.tree_at(lambda s: s.velocity, new, jnp.where(stayed, -new.velocity, new.velocity)), counts


@pytest.mark.slow
def test_without_a_flip_it_fails():
    assert worst_score(Unflipped(1.0, 0.95)) > 5


@pytest.mark.slow
def test_without_the_delay_in_its_ratio_it_fails(monkeypatch):
    monkeypatch.setattr(_discrete_bouncy_particle, "delayed_log_acceptance", lambda x, y, z: x - z)
    assert worst_score(DiscreteBouncyParticle(1.0)) > 5


def test_its_step_follows_acceptance_but_not_into_every_step_bouncing():
    def tuned(acceptance, bounces):
        stats = {"acceptance_rate": np.array([[acceptance]]), "num_events": np.array([[bounces]])}
        return float(DiscreteBouncyParticle(1.0).retuned(np.zeros((1, 1, 2)), stats, 0.1).step_size)

    assert tuned(1.0, 0.2) > 1 > tuned(1.0, 0.9) and tuned(0.5, 0.2) < 1


def test_nonsense_is_refused():
    for options, message in (
        ({"step_size": 0}, "step_size is 0.0"),
        ({"persistence": 1}, "persistence is 1.0"),
        ({"num_steps": 0}, "num_steps is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            DiscreteBouncyParticle(**options)
