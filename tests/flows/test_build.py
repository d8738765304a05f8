"""The usual architectures: all start as the quarter turn, chained, timed and conditional ones are exact too."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
import pytest
from dynamics.test_symplectic_map import shaken

from cosmoflow.dynamics import RadialPotential, with_num_steps, with_reversible
from cosmoflow.flows import fixed_kinetic_flow, learned_kinetic_flow, neural_transport
from cosmoflow.targets import CorrelatedGaussian

FLOWS = {
    "fixed": lambda: fixed_kinetic_flow(2, width=8, key=jr.key(0)),
    "learned": lambda: learned_kinetic_flow(2, width=8, key=jr.key(0)),
    "chained": lambda: learned_kinetic_flow(2, num_steps=2, num_maps=3, width=8, key=jr.key(0)),
    "radial": lambda: fixed_kinetic_flow(
        2, num_steps=1, num_maps=5, potential=lambda dim, key: RadialPotential(dim, num_bells=8, key=key), key=jr.key(0)
    ),
    "timed": lambda: fixed_kinetic_flow(2, num_steps=3, num_maps=1, time_dependent=True, width=8, key=jr.key(0)),
}


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", FLOWS)
def test_it_starts_as_the_quarter_turn_and_stays_a_density(name):
    flow = FLOWS[name]()
    x = jnp.array([0.4, -1.3, 2.0, 0.1])
    steps = {"fixed": 5, "learned": 5, "chained": 6, "radial": 5, "timed": 3}[name]
    c = np.cos(np.pi / (4 * steps))
    end = eqx.filter_jit(lambda f: paramax.unwrap(f).bijection.transform(x))(flow)
    np.testing.assert_allclose(end, [2.0 / c, 0.1 / c, -0.4 * c, 1.3 * c], atol=1e-12)
    flow = shaken(flow, jr.key(1))
    x, log_prob = eqx.filter_jit(flow.sample_and_log_prob)(jr.key(2), (6,))
    np.testing.assert_allclose(eqx.filter_jit(flow.log_prob)(x), log_prob, atol=1e-8)


def test_a_flow_without_steps_is_refused():
    with pytest.raises(ValueError, match="not 5 and 0"):
        fixed_kinetic_flow(2, num_steps=0, key=jr.key(0))


@pytest.mark.slow
def test_more_steps_at_sampling_than_in_training():
    flow = FLOWS["chained"]()
    finer = with_num_steps(flow, 20)
    a, b = (eqx.filter_jit(f.sample_position)(key=jr.key(3)) for f in (flow, finer))
    np.testing.assert_allclose(a, b, rtol=0.02)


@pytest.mark.slow
def test_conditional_flows_are_unconditional_ones_for_each_condition():
    flow = fixed_kinetic_flow(2, num_steps=2, num_maps=2, time_dependent=True, cond_dim=3, width=8, key=jr.key(0))
    flow = shaken(flow, jr.key(1))
    conditions = jr.normal(jr.key(2), (2, 3))
    x = jr.normal(jr.key(3), (4,))
    probabilities = flow.log_prob(x, condition=conditions)
    assert abs(probabilities[0] - probabilities[1]) > 1e-3
    given = flow.given(conditions[0])
    assert given.cond_shape is None
    np.testing.assert_allclose(given.log_prob(x), probabilities[0], atol=1e-12)
    q, key = x[:2], jr.key(4)
    np.testing.assert_allclose(given.elbo(q, key=key), flow.elbo(q, key=key, condition=conditions[0]), atol=1e-12)
    np.testing.assert_array_equal(
        given.sample_position(key=key), flow.sample_position(key=key, condition=conditions[0])
    )
    with pytest.raises(ValueError, match="to a flow of one of"):
        flow.given(jnp.ones(2))


def test_transport_of_a_reversible_flow_has_a_forward_mode():
    target = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2))
    transport = neural_transport(target, with_reversible(FLOWS["fixed"](), True))
    _, slope = jax.jit(lambda z: jax.jvp(transport.log_density, (z,), (z,)))(jnp.ones(4))
    assert np.isfinite(slope)
