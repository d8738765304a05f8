"""Warm-up: coordinates, step sizes, starting points, and its commit."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow._results import RunError, StartError
from cosmoflow.samplers import GHMC, NUTS, ZigZag
from cosmoflow.targets import AbstractTarget, CorrelatedGaussian, Funnel
from cosmoflow.warmup import laplace

MEAN = jnp.array([3.0, -50.0])
COVARIANCE = jnp.array([[1e-4, 3e-3], [3e-3, 1.0]])


def test_laplace_of_a_gaussian_is_the_gaussian():
    affine, cost = laplace(CorrelatedGaussian(MEAN, COVARIANCE), jr.normal(jr.key(0), (4, 2)))
    np.testing.assert_allclose(affine.location, MEAN, rtol=1e-6)
    np.testing.assert_allclose(affine.cholesky @ affine.cholesky.T, COVARIANCE, rtol=1e-8)
    assert cost > 0


def test_whitened_gaussian_is_standard_normal():
    target = cf.whiten(CorrelatedGaussian(MEAN, COVARIANCE), key=jr.key(0))
    z = jr.normal(jr.key(1), (10, 2))
    exact = -0.5 * jnp.sum(z**2, axis=1) - jnp.log(2 * jnp.pi)
    np.testing.assert_allclose(jax.vmap(target.log_density)(z), exact, rtol=1e-5)


@pytest.mark.parametrize("sampler", [ZigZag(), GHMC(), NUTS()])
def test_warmup_whitens_and_tunes(sampler):
    target, tuned, start = cf.warmup(CorrelatedGaussian(MEAN, COVARIANCE), sampler, num_chains=4, key=jr.key(3))
    jacobian = jax.jacfwd(target.bijection.transform)(jnp.zeros(2))
    whitened = jnp.linalg.solve(jacobian, jnp.linalg.solve(jacobian, COVARIANCE).T)
    np.testing.assert_allclose(whitened, jnp.eye(2), atol=0.25)
    assert start.shape == (4, 2)
    assert jnp.all(jnp.abs(start) < 5)
    chain = cf.sample(target, tuned, num_draws=1000, num_chains=4, position=start, key=jr.key(0))
    if not isinstance(sampler, ZigZag):
        assert abs(chain.sample_stats["acceptance_rate"].mean() - sampler.target_acceptance) < 0.07


def test_a_spurious_mode_is_not_taken_for_the_bulk():
    """The funnel's mode lies at z = -40, where there is no mass."""
    target, _, start = cf.warmup(Funnel(10), NUTS(), max_gradients=8000, num_chains=4, key=jr.key(0))
    z = jax.vmap(target.bijection.transform)(start)[:, 0]
    assert jnp.all(z > -15)


def test_committed_warmup_is_not_repeated(tmp_path):
    target = CorrelatedGaussian(MEAN, COVARIANCE)
    settings = {"max_gradients": 4000, "num_chains": 2, "key": jr.key(3)}
    with cf.ChainStore(tmp_path / "run.h5") as store:
        first = cf.warmup(target, NUTS(), store=store, **settings)
        second = cf.warmup(target, NUTS(), store=store, stop=lambda: pytest.fail("warmed up again"), **settings)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_stop():
    with pytest.raises(RunError, match="stopped"):
        cf.warmup(CorrelatedGaussian(MEAN, COVARIANCE), NUTS(), num_chains=2, key=jr.key(0), stop=lambda: True)


class Nowhere(AbstractTarget):
    dim: int = 2

    def log_density(self, x):
        return jnp.nan * x[0]

    def constrain(self, x):
        return {"x": x}


def test_a_start_that_is_nan_is_an_error():
    with pytest.raises(StartError, match="log-density is nan"):
        cf.warmup(Nowhere(), NUTS(), num_chains=2, key=jr.key(0))
