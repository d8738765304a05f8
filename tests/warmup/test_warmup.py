"""Warm-up: coordinates, step sizes, starting points, and its commit."""

import json

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import assert_moments

import cosmoflow as cf
from cosmoflow._results import RunError, StartError
from cosmoflow.samplers import GHMC, NUTS, ZigZag
from cosmoflow.targets import AbstractTarget, Banana, CorrelatedGaussian, Funnel
from cosmoflow.warmup import Triangular, laplace

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


@pytest.mark.parametrize("sampler", [GHMC(), *(pytest.param(s, marks=pytest.mark.slow) for s in (ZigZag(), NUTS()))])
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


@pytest.mark.slow
def test_a_spurious_mode_is_not_taken_for_the_bulk():
    """The funnel's mode lies at z = -40, where there is no mass."""
    target, _, start = cf.warmup(Funnel(10), NUTS(), max_gradients=8000, num_chains=4, key=jr.key(0))
    z = jax.vmap(target.bijection.transform)(start)[:, 0]
    assert jnp.all(z > -15)


@pytest.fixture(scope="module")
def automatic(tmp_path_factory):
    """A warm-up without settings, done and then taken from its store, and what the store says of it."""
    settings = {"max_gradients": 12_000, "num_chains": 4, "key": jr.key(3)}
    with cf.ChainStore(tmp_path_factory.mktemp("auto") / "run.h5") as store:
        first = cf.warmup(Banana(), store=store, **settings)
        second = cf.warmup(Banana(), store=store, stop=lambda: pytest.fail("warmed up again"), **settings)
        _, facts = store.load_stage("warmup")
    return first, second, facts


@pytest.mark.slow
def test_committed_warmup_is_not_repeated(automatic):
    first, second, _ = automatic
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_auto_stays_in_its_budget_and_says_what_it_did(automatic):
    _, _, facts = automatic
    steps = json.loads(facts["steps"])
    assert abs(sum(step["gradients"] for step in steps) - facts["num_gradients"]) <= 4 + len(steps)
    assert 0 < facts["num_gradients"] < 1.2 * 12_000
    named = ("langevin", "global_and_local", "hybrid_splitting")
    tried = {step["step"]: step["efficiency"] for step in steps if step["step"] in named}
    assert facts["sampler"] == max(tried, key=tried.get)


def test_auto_straightens_the_banana(automatic):
    (target, sampler, start), _, _ = automatic
    assert isinstance(target.bijection, Triangular)
    chain = cf.sample(target, sampler, num_draws=4000, num_chains=4, position=start, key=jr.key(0))
    assert_moments(chain.posterior["x"], Banana(), min_ess=2000)


def test_stop():
    with pytest.raises(RunError, match="stopped"):
        cf.warmup(CorrelatedGaussian(MEAN, COVARIANCE), GHMC(), num_chains=2, key=jr.key(0), stop=lambda: True)


class Nowhere(AbstractTarget):
    dim: int = 2

    def log_density(self, x):
        return jnp.nan * x[0]

    def constrain(self, x):
        return {"x": x}


def test_a_start_that_is_nan_is_an_error():
    with pytest.raises(StartError, match="log-density is nan"):
        cf.warmup(Nowhere(), NUTS(), num_chains=2, key=jr.key(0))
