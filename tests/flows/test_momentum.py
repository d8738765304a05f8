"""Momentum encoders and bases: normalised, drawn from what they say, at home in a flow."""

import equinox as eqx
import flowjax.distributions as fd
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import paramax
import pytest
from dynamics.test_symplectic_map import shaken
from flowjax.bijections import RationalQuadraticSpline
from flowjax.flows import coupling_flow, masked_autoregressive_flow
from jax.scipy.stats import multivariate_normal

from cosmoflow.dynamics import RadialNetwork
from cosmoflow.flows import (
    AdditiveGaussianMomentum,
    DenseGaussianMomentum,
    GaussianMomentum,
    Given,
    HamiltonianFlow,
    LowRankGaussianMomentum,
    PhaseBase,
    SinhTails,
    fixed_kinetic_flow,
)


def bells(inputs, outputs, key):
    return RadialNetwork(inputs, outputs, num_bells=8, key=key)


ENCODERS = {
    "diagonal": lambda **s: GaussianMomentum(3, width=8, **s, key=jr.key(0)),
    "dense": lambda **s: DenseGaussianMomentum(3, width=8, **s, key=jr.key(0)),
    "bells": lambda **s: DenseGaussianMomentum(3, network=bells, **s, key=jr.key(0)),
    "additive": lambda **s: AdditiveGaussianMomentum(3, width=8, **s, key=jr.key(0)),
    "low_rank": lambda **s: LowRankGaussianMomentum(3, rank=2, width=8, **s, key=jr.key(0)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_gaussian_encoders_against_the_moments_of_their_draws(name):
    """An affine function of standard normal noise has the covariance of its derivative."""
    encoder = shaken(ENCODERS[name](), jr.key(1))
    q = jnp.array([0.3, -1.0, 0.5])
    np.testing.assert_allclose(ENCODERS[name]().log_prob(q, q), fd.StandardNormal((3,)).log_prob(q), atol=1e-3)
    draws = jax.jit(jax.vmap(lambda k: encoder.sample(k, condition=q)))(jr.split(jr.key(2), 100_000))
    mean, covariance = jnp.mean(draws, axis=0), jnp.cov(draws.T)
    points = draws[:20]
    expected = multivariate_normal.logpdf(points, mean, covariance)
    np.testing.assert_allclose(encoder.log_prob(points, q), expected, atol=0.06)
    if name not in ("diagonal", "additive"):
        sd = jnp.sqrt(jnp.diagonal(covariance))
        assert np.max(np.abs(covariance / jnp.outer(sd, sd) - jnp.eye(3))) > 0.1


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_of_conditional_flows(name):
    encoder = shaken(ENCODERS[name](cond_dim=2), jr.key(1))
    q, c, p = jnp.array([0.3, -1.0, 0.5]), jnp.array([2.0, 1.0]), jnp.ones(3)
    given = Given(encoder, c)
    assert given.cond_shape == (3,)
    np.testing.assert_array_equal(given.log_prob(p, q), encoder.log_prob(p, jnp.concatenate([q, c])))
    with pytest.raises(ValueError, match="does not fit"):
        Given(encoder, jnp.ones(6))


@pytest.mark.slow
@jax.numpy_dtype_promotion("standard")
def test_a_flow_with_a_spline_base_and_a_flow_as_encoder():
    normal = fd.StandardNormal((2,))
    spline = RationalQuadraticSpline(knots=4, interval=4)
    position = coupling_flow(jr.key(0), base_dist=normal, flow_layers=2, nn_width=8, transformer=spline)
    encoder = masked_autoregressive_flow(jr.key(1), base_dist=normal, cond_dim=2, flow_layers=1, nn_width=8)
    base = PhaseBase(position, fd.Normal(jnp.zeros(2), jnp.ones(2)))
    flow = fixed_kinetic_flow(2, num_steps=2, num_maps=1, width=8, base=base, momentum=encoder, key=jr.key(2))
    x, log_prob = eqx.filter_jit(flow.sample_and_log_prob)(jr.key(3), (5,))
    np.testing.assert_allclose(eqx.filter_jit(flow.log_prob)(x), log_prob, atol=1e-9)
    q, p = jnp.split(x, 2, axis=-1)
    np.testing.assert_allclose(base.log_prob(x), position.log_prob(q) + base.momentum.log_prob(p), atol=1e-12)
    assert np.isfinite(flow.elbo(q[0], key=jr.key(4)))


def test_bases_that_do_not_fit_are_refused():
    normal = fd.StandardNormal((2,))
    with pytest.raises(ValueError, match="two laws of one shape"):
        PhaseBase(normal, fd.StandardNormal((3,)))
    with pytest.raises(ValueError, match="unconditional"):
        PhaseBase(normal, GaussianMomentum(2, width=8, key=jr.key(0)))
    flow = fixed_kinetic_flow(2, num_steps=2, num_maps=1, width=8, key=jr.key(0))
    with pytest.raises(ValueError, match="condition shape"):
        HamiltonianFlow(flow.base, flow.bijection, GaussianMomentum(2, cond_dim=1, width=8, key=jr.key(1)))


def test_learned_tails():
    """The law of a normal variable between quantiles, and its tails on either side."""
    tails = shaken(SinhTails(2), jr.key(0))
    law = fd.Transformed(fd.StandardNormal((2,)), tails)
    x = jnp.array([-3.0, 2.0])
    y, log_det = eqx.filter_jit(lambda t: paramax.unwrap(t).transform_and_log_det(x))(tails)
    np.testing.assert_allclose(
        jnp.linalg.slogdet(jax.jacfwd(paramax.unwrap(tails).transform)(x))[1], log_det, atol=1e-12
    )
    back, log_det_back = paramax.unwrap(tails).inverse_and_log_det(y)
    np.testing.assert_allclose(back, x, atol=1e-12)
    np.testing.assert_allclose(log_det_back, -log_det, atol=1e-12)
    np.testing.assert_allclose(law.log_prob(y), fd.StandardNormal((2,)).log_prob(x) - log_det, atol=1e-12)
    assert y[0] < -3 and y[1] > 2
    far = paramax.unwrap(tails).inverse_and_log_det(jnp.array([-1e6, 1e6]))
    assert np.all(np.isfinite(far[0])) and np.isfinite(far[1])
