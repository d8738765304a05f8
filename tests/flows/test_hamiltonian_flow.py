"""Neural Hamiltonian flows: densities, bounds and evidences against exact ones."""

import flowjax.distributions as fd
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.flows import (
    GaussianMomentum,
    HamiltonianFlow,
    fixed_kinetic_flow,
    importance_sample,
    neural_transport,
    pareto_smooth,
)
from cosmoflow.targets import CorrelatedGaussian


class ExactMomentum(fd.AbstractDistribution):
    """N(0, sd^2 I) whatever the position."""

    sd: jax.Array
    shape: tuple[int, ...] = (2,)
    cond_shape: tuple[int, ...] = (2,)

    def _log_prob(self, x, condition=None):
        return jnp.sum(-0.5 * (x / self.sd) ** 2 - jnp.log(self.sd) - 0.5 * jnp.log(2 * jnp.pi))

    def _sample(self, key, condition=None):
        return self.sd * jr.normal(key, self.shape)


def quarter_turn_flow(num_steps):
    flow = fixed_kinetic_flow(2, num_steps=num_steps, num_maps=1, base=fd.StandardNormal((4,)), key=jr.key(0))
    c = np.cos(np.pi / (4 * num_steps))
    return HamiltonianFlow(flow.base, flow.bijection, ExactMomentum(jnp.asarray(c))), c


@pytest.mark.soon(1)
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_elbo_is_the_exact_log_density_of_a_quarter_turn(num_steps):
    flow, c = quarter_turn_flow(num_steps)
    exact = fd.Normal(jnp.zeros(2), jnp.full(2, 1 / c))
    points, keys = jr.normal(jr.key(1), (5, 2)), jr.split(jr.key(2), 5)
    elbo = jax.jit(jax.vmap(lambda q, k: flow.elbo(q, key=k)))(points, keys)
    np.testing.assert_allclose(elbo, exact.log_prob(points), atol=1e-12)
    bound = jax.jit(jax.vmap(lambda q, k: flow.log_marginal(q, num_samples=3, key=k)))(points, keys)
    np.testing.assert_allclose(bound, exact.log_prob(points), atol=1e-12)


@pytest.mark.slow
def test_importance_weighted_bound_is_above_the_elbo_and_below_the_truth():
    flow, c = quarter_turn_flow(3)
    flow = HamiltonianFlow(flow.base, flow.bijection, ExactMomentum(jnp.asarray(1.5 * c)))
    q = jnp.array([0.3, -1.0])
    keys = jr.split(jr.key(0), 4000)
    elbo = jax.jit(jax.vmap(lambda k: flow.elbo(q, key=k)))(keys).mean()
    bound = jax.jit(jax.vmap(lambda k: flow.log_marginal(q, num_samples=16, key=k)))(keys).mean()
    exact = fd.Normal(jnp.zeros(2), jnp.full(2, 1 / c)).log_prob(q)
    assert elbo + 0.05 < bound < exact


def test_log_prob_of_own_draws():
    flow = fixed_kinetic_flow(3, num_steps=2, num_maps=1, key=jr.key(0))
    x, log_prob = flow.sample_and_log_prob(jr.key(1), (10,))
    np.testing.assert_allclose(flow.log_prob(x), log_prob, atol=1e-10)
    assert flow.sample_position(key=jr.key(1)).shape == (3,)


@pytest.mark.slow
def test_evidence_of_a_known_gaussian():
    covariance = jnp.array([[1.3, 0.4], [0.4, 0.8]])
    flow, _ = quarter_turn_flow(5)
    result = importance_sample(flow, CorrelatedGaussian(jnp.zeros(2), covariance), num_samples=20_000, key=jr.key(5))
    assert 0.5 < result.ess_fraction < 0.95
    assert abs(result.log_evidence) < 5 * result.log_evidence_error < 0.05
    assert result.pareto_k < 0.5
    smoothed, k = pareto_smooth(result.log_weights)
    np.testing.assert_allclose(result.smoothed_log_weights, smoothed, rtol=1e-12)
    np.testing.assert_allclose(result.pareto_k, k, rtol=1e-10)


@pytest.mark.slow
def test_a_flow_narrower_than_its_target_has_weights_of_a_heavy_tail():
    flow, c = quarter_turn_flow(5)
    target = CorrelatedGaussian(jnp.zeros(2), 9 * jnp.eye(2) / c**2)
    assert importance_sample(flow, target, num_samples=10_000, key=jr.key(6)).pareto_k > 0.7


def test_weights_of_the_exact_flow_have_no_tail():
    flow, c = quarter_turn_flow(5)
    target = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2) / c**2)
    assert importance_sample(flow, target, num_samples=10_000, key=jr.key(6)).pareto_k < 0.5


@pytest.mark.slow
def test_several_momenta_leave_the_weights_of_the_positions():
    flow, c = quarter_turn_flow(3)
    wrong_encoder = HamiltonianFlow(flow.base, flow.bijection, ExactMomentum(jnp.asarray(1.3 * c)))
    target = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2) / c**2)
    one, many = (
        importance_sample(wrong_encoder, target, num_samples=4000, num_momenta=k, key=jr.key(7)) for k in (1, 64)
    )
    assert one.ess_fraction < 0.8
    assert many.ess_fraction > 0.98
    assert abs(many.log_evidence) < 5 * many.log_evidence_error < 0.02
    # without the momentum that each position came with, the mean weight is too large
    q = jnp.split(many.x, 2, axis=1)[0]
    bound = jax.jit(jax.vmap(lambda q, k: wrong_encoder.log_marginal(q, num_samples=2, key=k)))
    without = jax.vmap(target.log_density)(q) - bound(q, jr.split(jr.key(8), len(q)))
    assert jnp.mean(jnp.exp(without)) > 1.05


@pytest.mark.slow
def test_transport_of_the_exact_target_is_the_base():
    num_steps = 4
    flow, c = quarter_turn_flow(num_steps)
    target = neural_transport(CorrelatedGaussian(jnp.zeros(2), jnp.eye(2) / c**2), flow)
    z = jr.normal(jr.key(0), (20, 4))
    np.testing.assert_allclose(jax.vmap(target.log_density)(z), flow.base.log_prob(z), atol=1e-11)
    assert target.constrain(z[0])["x"].shape == (2,)


def test_mismatched_parts_are_refused():
    flow = fixed_kinetic_flow(2, num_steps=2, num_maps=1, key=jr.key(0))
    with pytest.raises(ValueError, match="condition shape"):
        HamiltonianFlow(flow.base, flow.bijection, GaussianMomentum(3, key=jr.key(1)))
