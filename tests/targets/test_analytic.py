import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.stats

from cosmoflow.targets import Banana, CorrelatedGaussian, Funnel, GaussianMixture, Skewed, StudentT

TARGETS = {
    "gaussian": lambda: CorrelatedGaussian([1, -2], [[2, 0.9], [0.9, 1]]),
    "banana": Banana,
    "funnel": lambda: Funnel(2),
    "skewed": lambda: Skewed([0.7, 3]),
    "student": lambda: StudentT(12),
    "mixture": lambda: GaussianMixture([3, 7], [[-2.5, 0], [2.5, 1]], [[1, 1], [0.5, 2]]),
}
BOXES = {  # low, high, number of nodes of a quadrature, for each coordinate
    "gaussian": ((-9, 11, 401), (-10, 6, 401)),
    "banana": ((-80, 80, 801), (-15, 200, 1601)),
    "funnel": None,
    "skewed": ((-45, 5, 2001), (-14, 5, 801)),
    "student": None,
    "mixture": ((-10, 10, 401), (-16, 16, 401)),
}
NUM_DRAWS = 200_000

each_target = pytest.mark.parametrize("make", TARGETS.values(), ids=TARGETS.keys())


def integrate(target, box, function=lambda x: 1.0):
    x, y = (jnp.linspace(*side) for side in box)
    points = jnp.stack(jnp.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = jax.vmap(lambda point: function(point) * jnp.exp(target.log_density(point)))(points)
    return jnp.sum(values, axis=0) * (x[1] - x[0]) * (y[1] - y[0])


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", [name for name, box in BOXES.items() if box is not None])
def test_density_is_normalised_and_has_its_moments(name):
    target, box = TARGETS[name](), BOXES[name]
    np.testing.assert_allclose(integrate(target, box), 1, rtol=1e-7)
    mean = integrate(target, box, lambda x: x)
    np.testing.assert_allclose(mean, target.mean(), atol=1e-6)
    np.testing.assert_allclose(integrate(target, box, lambda x: (x - mean) ** 2), target.variance(), rtol=1e-6)
    square = integrate(target, box, lambda x: x**2)
    np.testing.assert_allclose(
        integrate(target, box, lambda x: (x**2 - square) ** 2), target.square_variance(), rtol=1e-6
    )


def test_funnel_is_a_product_of_conditionals():
    funnel = Funnel()
    x = funnel.sample(jr.key(0))
    assert funnel.dim == 10
    log_density = scipy.stats.norm(0, 3).logpdf(x[0]) + scipy.stats.norm(0, np.exp(x[0] / 2)).logpdf(x[1:]).sum()
    np.testing.assert_allclose(funnel.log_density(x), log_density, rtol=1e-12)
    np.testing.assert_allclose(funnel.variance()[1:], np.exp(4.5), rtol=1e-12)
    z = np.linspace(-40, 60, 100_001)
    fourth = np.trapezoid(scipy.stats.norm(0, 3).pdf(z) * 3 * np.exp(2 * z), z)
    np.testing.assert_allclose(funnel.square_variance()[1:], fourth - np.exp(9), rtol=1e-9)


def test_student_is_that_of_scipy():
    target = StudentT(12, dim=3)
    x = target.sample(jr.key(0), (5,))
    expected = scipy.stats.multivariate_t(shape=np.eye(3), df=12)
    np.testing.assert_allclose(jax.vmap(target.log_density)(x), expected.logpdf(x), rtol=1e-12)
    marginal = scipy.stats.t(12)
    np.testing.assert_allclose(target.variance(), marginal.var(), rtol=1e-12)
    np.testing.assert_allclose(target.square_variance(), marginal.moment(4) - marginal.var() ** 2, rtol=1e-12)


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", [name for name in TARGETS if name != "funnel"])
def test_draws_have_the_moments(name):
    target = TARGETS[name]()
    x = target.sample(jr.key(7), (NUM_DRAWS,))
    standard_error = jnp.sqrt(target.variance() / NUM_DRAWS)
    assert jnp.all(jnp.abs(jnp.mean(x, axis=0) - target.mean()) < 5 * standard_error)
    square = target.variance() + target.mean() ** 2
    square_error = jnp.sqrt(target.square_variance() / NUM_DRAWS)
    assert jnp.all(jnp.abs(jnp.mean(x**2, axis=0) - square) < 5 * square_error)


@pytest.mark.soon(2)
@each_target
def test_draws_have_the_density(make):
    """E[grad log pi] = 0 and E[x . grad log pi] = -d, per coordinate."""
    target = make()
    x = target.sample(jr.key(11), (NUM_DRAWS,))
    score = jax.vmap(jax.grad(target.log_density))(x)
    for statistic in (score, x * score + 1):
        error = jnp.std(statistic, axis=0) / NUM_DRAWS**0.5
        assert jnp.all(jnp.abs(jnp.mean(statistic, axis=0)) < 5 * error)


def test_draws_of_another_density_are_told_apart():
    x = 1.02 * Banana().sample(jr.key(11), (NUM_DRAWS,))
    statistic = x * jax.vmap(jax.grad(Banana().log_density))(x) + 1
    assert jnp.any(jnp.abs(jnp.mean(statistic, axis=0)) > 5 * jnp.std(statistic, axis=0) / NUM_DRAWS**0.5)


@pytest.mark.soon(4)
@each_target
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_precision_is_that_of_the_point(make, dtype):
    target = jax.tree.map(lambda leaf: leaf.astype(dtype), make())
    x = target.sample(jr.key(0)).astype(dtype)
    value, gradient = jax.value_and_grad(target.log_density)(x)
    assert value.dtype == gradient.dtype == dtype
    assert jax.eval_shape(jax.jit(lambda target, x: target.log_density(x)), target, x).dtype == dtype


@pytest.mark.soon(2)
@each_target
def test_shapes(make):
    target = make()
    assert target.sample(jr.key(0)).shape == target.mean().shape == target.variance().shape == (target.dim,)
    assert target.sample(jr.key(0), (3, 4)).shape == (3, 4, target.dim)
    assert list(target.constrain(jnp.zeros(2))) == ["x"]


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: CorrelatedGaussian([0, 0], [[1, 2], [2, 1]]), "positive definite"),
        (lambda: CorrelatedGaussian([0, 0], [[1]]), r"covariance of shape \(2, 2\), but it has \(1, 1\)"),
        (lambda: Skewed([1, 0]), "concentration > 0"),
        (lambda: StudentT(4), "degrees_of_freedom > 4"),
        (lambda: GaussianMixture([1], [[0], [1]]), "1 weights for 2 components"),
        (lambda: GaussianMixture([1, 1], [[0], [1]], -1), "positive weights and sd"),
    ],
)
def test_errors_name_the_values(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
