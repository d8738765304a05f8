import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import AdditiveCondition, Affine, Chain, Planar, RationalQuadraticSpline, TriangularAffine, Vmap

from cosmoflow.targets import Banana, CorrelatedGaussian, Pullback

BIJECTIONS = {
    "affine": lambda: Affine(jnp.array([1.0, -2.0]), jnp.array([3.0, 0.5])),
    "triangular": lambda: TriangularAffine(jnp.array([1.0, -2.0]), jnp.array([[2.0, 0.0], [-1.0, 0.3]])),
    "chain": lambda: Chain(
        [
            Vmap(RationalQuadraticSpline(knots=5, interval=4.0), axis_size=2),
            Planar(jax.random.key(0), dim=2, negative_slope=0.1),
        ]
    ),
}


@pytest.mark.soon(1)
@pytest.mark.parametrize("make", BIJECTIONS.values(), ids=BIJECTIONS.keys())
def test_density_is_that_of_the_image_times_the_jacobian(make):
    bijection, banana = make(), Banana()
    pullback = Pullback(banana, bijection)
    assert pullback.dim == 2
    z = jax.random.normal(jax.random.key(1), (5, 2))
    x, jacobian = jax.jit(jax.vmap(lambda z: (bijection.transform(z), jax.jacfwd(bijection.transform)(z))))(z)
    expected = jax.vmap(banana.log_density)(x) + jnp.linalg.slogdet(jacobian)[1]
    np.testing.assert_allclose(jax.jit(jax.vmap(pullback.log_density))(z), expected, rtol=1e-10)
    np.testing.assert_allclose(jax.jit(jax.vmap(pullback.constrain))(z)["x"], x, rtol=1e-12)


def test_whitening_a_gaussian_gives_the_standard_normal():
    gaussian = CorrelatedGaussian([1, -2], [[2, 0.5], [0.5, 1]])
    white = Pullback(gaussian, TriangularAffine(gaussian.mean(), gaussian.cholesky))
    z = jnp.array([0.3, -1.2])
    np.testing.assert_allclose(white.log_density(z), jnp.sum(jax.scipy.stats.norm.logpdf(z)), rtol=1e-12)


@pytest.mark.parametrize("bijection", [Affine(jnp.zeros(3)), AdditiveCondition(lambda c: c, (2,), (2,))])
def test_errors_name_the_shapes(bijection):
    with pytest.raises(ValueError, match=r"unconditional bijection of shape \(2,\)"):
        Pullback(Banana(), bijection)
