"""Triangular and low-rank coordinates: their algebra, and what is learned of them from draws and curvatures."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from cosmoflow.targets import AbstractTarget, Banana, CorrelatedGaussian, Funnel, GaussianMixture, Pullback
from cosmoflow.warmup import LowRank, Triangular
from cosmoflow.warmup._coordinates import assess
from cosmoflow.warmup._fit_triangular import fit_triangular
from cosmoflow.warmup._laplace import find_modes
from cosmoflow.warmup._low_rank_laplace import low_rank_laplace
from cosmoflow.warmup._sinh_arcsinh import SinhArcsinh, fit_sinh_arcsinh


def triangular(dim=4):
    """A map of which no part is trivial."""
    keys = iter(jr.split(jr.key(0), 8))
    below = jnp.tril(jnp.ones((dim, dim)), -1)
    return Triangular(
        order=jnp.array([2, 0, 3, 1]),
        location=jr.normal(next(keys), (dim,)),
        log_scale=jr.normal(next(keys), (dim,)),
        linear=below * jr.normal(next(keys), (dim, dim)),
        slope=below * jr.normal(next(keys), (dim, dim)),
        quadratic=below[:, :, None] * below[:, None] * jr.normal(next(keys), (dim, dim, dim)),
        shift=jr.normal(next(keys), (dim,)),
        skew=0.3 * jr.normal(next(keys), (dim,)),
        tail=jnp.exp(0.3 * jr.normal(next(keys), (dim,))),
    )


def low_rank(dim=4):
    directions, _ = jnp.linalg.qr(jr.normal(jr.key(1), (dim, 2)))
    return LowRank(jnp.arange(4.0), jnp.array([0.5, 1.0, 2.0, 3.0]), directions, jnp.array([0.1, 5.0]))


@pytest.mark.soon(1)
@pytest.mark.parametrize("bijection", [triangular(), low_rank()], ids=["triangular", "low rank"])
def test_bijections(bijection):
    z = jr.normal(jr.key(2), (4,))
    x, log_det = bijection.transform_and_log_det(z)
    back, inverse_log_det = bijection.inverse_and_log_det(x)
    jacobian = jax.jacfwd(bijection.transform)(z)
    np.testing.assert_allclose(back, z, atol=1e-10)
    np.testing.assert_allclose(log_det, jnp.linalg.slogdet(jacobian)[1], atol=1e-10)
    np.testing.assert_allclose(inverse_log_det, -log_det, atol=1e-8)


def test_affine_maps_are_triangular():
    cholesky = jnp.linalg.cholesky(jnp.array([[2.0, 0.5], [0.5, 1.0]]))
    z = jnp.array([0.3, -1.0])
    x = Triangular.affine(jnp.array([1.0, 2.0]), cholesky).transform(z)
    np.testing.assert_allclose(x, jnp.array([1.0, 2.0]) + cholesky @ z, atol=1e-12)


@pytest.mark.soon(1)
@pytest.mark.parametrize(
    ("target", "least"),
    [(Banana(), 0.95), (Funnel(5), 0.7), (CorrelatedGaussian(jnp.ones(2), jnp.array([[4.0, 1.9], [1.9, 1.0]])), 0.95)],
    ids=["banana", "funnel", "gaussian"],
)
def test_draws_show_the_map(target, least):
    """The funnel's driver stands first in it; here its coordinates are put in another order."""
    draws = np.asarray(target.sample(jr.key(0), (1000,)))
    fitted = fit_triangular(draws, 500.0)
    fit = assess(Pullback(target, fitted), size=2048, num_chains=4, key=jr.key(1))
    assert fit.ess_fraction > least
    if isinstance(target, Funnel):
        turned = fit_triangular(draws[:, ::-1], 500.0)
        assert turned.order[0] == 4


def test_few_draws_make_an_affine_map():
    fitted = fit_triangular(np.asarray(jr.normal(jr.key(3), (400, 5))), 40.0)
    for part in (fitted.slope, fitted.quadratic, fitted.skew):
        np.testing.assert_array_equal(part, 0)
    np.testing.assert_array_equal(fitted.tail, 1)


def test_sinh_arcsinh_makes_its_own_law_normal():
    true = SinhArcsinh(0.2, 0.1, 0.5, 0.3)
    z = np.random.default_rng(0).normal(size=20_000)
    u = np.exp(true.log_scale) * (true.shift + np.sinh(np.exp(true.log_tail) * (np.arcsinh(z) + true.skew)))
    np.testing.assert_allclose(true.inverse(u), z, atol=1e-10)
    u = (u - np.mean(u)) / np.std(u)
    assert stats.kstest(fit_sinh_arcsinh(u, 20_000.0).inverse(u), "norm").pvalue > 0.01
    assert fit_sinh_arcsinh(z, 20_000.0) == SinhArcsinh(0.0, 0.0, 0.0, 0.0)


def test_scores_are_derivatives():
    at, step = np.array([0.2, 0.1, 0.5, 0.3]), 1e-5
    u = np.random.default_rng(0).normal(size=50)
    scores = SinhArcsinh(*at).scores(u).mean(axis=0)
    for i in range(4):
        ends = [SinhArcsinh(*(at + s * step * np.eye(4)[i])).log_likelihood(u) for s in (1, -1)]
        np.testing.assert_allclose(scores[i], (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


def test_modes_are_weighed():
    target = GaussianMixture([0.3, 0.7], [[-5.0, 0.0], [5.0, 1.0]], [[1.0, 2.0], [0.5, 1.0]])
    modes = find_modes(target, jnp.array([[-4.0, 0.0], [4.0, 0.0], [5.5, 1.0], [-5.0, 0.1]]))
    np.testing.assert_allclose(modes.weights, [0.7, 0.3], rtol=1e-3)
    np.testing.assert_allclose(modes.locations, [[5.0, 1.0], [-5.0, 0.0]], atol=1e-3)
    affine = modes.matched()
    np.testing.assert_allclose(affine.location, target.mean(), atol=1e-2)
    np.testing.assert_allclose(jnp.sum(affine.cholesky**2, axis=1), target.variance(), rtol=1e-3)


class Spiked(AbstractTarget):
    """A normal law with scales along its axes, and a few directions much narrower."""

    scale: jax.Array
    directions: jax.Array
    dim: int = 40

    def log_density(self, x):
        y = (x - 1) / self.scale
        along = y @ self.directions
        return -0.5 * (y @ y) - 0.5 * jnp.sum(jnp.array([99.0, 24.0]) * along**2)

    def constrain(self, x):
        return {"x": x}


@pytest.mark.slow
def test_low_rank_laplace():
    """Curvatures along the axes are rough, but the spikes stand out whatever the scales."""
    directions, _ = jnp.linalg.qr(jr.normal(jr.key(0), (40, 2)))
    target = Spiked(10 ** jnp.linspace(-1, 1, 40), directions)
    bijection, cost = low_rank_laplace(target, jnp.zeros(40), key=jr.key(1))
    hessian = -jax.hessian(Pullback(target, bijection).log_density)(jnp.zeros(40))
    plain = -jax.hessian(target.log_density)(jnp.zeros(40))
    assert np.linalg.cond(hessian) < 2 < 1e3 < np.linalg.cond(plain)
    np.testing.assert_allclose((bijection.location - 1) / target.scale, 0.0, atol=0.1)
    assert cost < 1000
