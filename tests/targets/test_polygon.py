import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from cosmoflow.targets import UniformPolygon
from cosmoflow.targets._normal import between

DARK_ENERGY = [(-3, -3), (1, -3), (1, -1), (-2, 2), (-3, 2)]
POLYGONS = {
    "dark_energy": DARK_ENERGY,
    "clockwise": DARK_ENERGY[::-1],
    "square": [(0, 0), (1, 0), (1, 1), (0, 1)],
    "triangle": [(0, 0), (2, 1), (1, 3)],
    "triangle_with_a_vertical_edge": [(0, 0), (2, -1), (2, 4)],
    "diamond": [(-1, 0), (0, -2), (1, 0), (0, 2)],
    "straight_corner": [(0, 0), (1, 0), (2, 0), (2, 1), (0, 1)],
    "narrow": [(0, 0), (1e-3, 0), (1, 1e4), (1 - 1e-3, 1e4)],
}
TAILS = jnp.array([-30.0, -12.0, -9.0, -5.0, -1.0, -1e-12, 0.0, 1e-12, 1.0, 5.0, 9.0, 12.0, 30.0])

each_polygon = pytest.mark.parametrize("vertices", POLYGONS.values(), ids=POLYGONS.keys())


def area(vertices):
    x, y = np.asarray(vertices, dtype=float).T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def is_inside(vertices, points, tolerance=1e-9):
    v = np.asarray(vertices, dtype=float)
    edges = np.roll(v, -1, axis=0) - v
    offset = np.asarray(points)[:, None] - v
    cross = edges[:, 0] * offset[..., 1] - edges[:, 1] * offset[..., 0]
    sign = np.sign(np.sum(v[:, 0] * np.roll(v[:, 1], -1) - v[:, 1] * np.roll(v[:, 0], -1)))
    return np.all(sign * cross > -tolerance * area(v), axis=1)


def draws(num=200_000):
    return jax.random.normal(jax.random.key(3), (num, 2))


def cell_chi2(points, low, high, cells=10):
    """Pearson chi^2 of draws against equal probabilities of the grid cells wholly inside w0 + wa < 0, and its freedom."""
    counts, x, y = np.histogram2d(*np.asarray(points).T, bins=cells, range=list(zip(low, high, strict=True)))
    whole = x[1:, None] + y[None, 1:] <= 1e-9
    expected = len(points) * (x[1] - x[0]) * (y[1] - y[0]) / area(DARK_ENERGY)
    return np.sum((counts[whole] - expected) ** 2 / expected), whole.sum()


@pytest.mark.soon(2)
@each_polygon
def test_jacobian_is_uniform_by_area(vertices):
    polygon = UniformPolygon(vertices)
    z = draws(2000)
    jacobian = jax.jit(jax.vmap(jax.jacfwd(polygon.forward)))(z)
    log_density = jnp.sum(jax.scipy.stats.norm.logpdf(z), axis=1) - jnp.linalg.slogdet(jacobian)[1]
    np.testing.assert_allclose(log_density, -np.log(area(vertices)), atol=1e-7)
    assert is_inside(vertices, jax.vmap(polygon.forward)(z)).all()


@pytest.mark.soon(2)
@each_polygon
def test_inverse_undoes_forward(vertices):
    polygon = UniformPolygon(vertices)
    z = jnp.clip(draws(2000), -5, 5)
    again = jax.jit(jax.vmap(lambda z: polygon.inverse(polygon.forward(z))))(z)
    np.testing.assert_allclose(again, z, atol=1e-7)


@pytest.mark.soon(5)
@each_polygon
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_values_and_gradients_are_finite_in_the_far_tails(vertices, dtype):
    polygon = jax.tree.map(lambda leaf: leaf.astype(dtype), UniformPolygon(vertices))
    z = jnp.stack(jnp.meshgrid(TAILS, TAILS), axis=-1).reshape(-1, 2).astype(dtype)
    x, jacobian = jax.jit(jax.vmap(lambda z: (polygon.forward(z), jax.jacrev(polygon.forward)(z))))(z)
    assert x.dtype == dtype
    assert jnp.all(jnp.isfinite(x)) and jnp.all(jnp.isfinite(jacobian))


@pytest.mark.slow
def test_cells_have_equal_probability():
    points = jax.vmap(UniformPolygon(DARK_ENERGY).forward)(draws())
    chi2, cells = cell_chi2(points, (-3, -3), (1, 2))
    assert chi2 < scipy.stats.chi2(cells).isf(1e-6)


def test_a_conditional_uniform_after_a_uniform_is_told_apart():
    def wrong(z):
        x = between(z[0], jnp.array(-3.0), jnp.array(1.0))
        return jnp.stack([x, between(z[1], jnp.array(-3.0), jnp.minimum(2.0, -x))])

    chi2, cells = cell_chi2(jax.vmap(wrong)(draws()), (-3, -3), (1, 2))
    assert chi2 > 2 * scipy.stats.chi2(cells).isf(1e-6)


def test_forward_is_continuous_through_the_middle():
    polygon = UniformPolygon(POLYGONS["triangle"])
    left, right = polygon.forward(jnp.array([-1e-14, -1e-14])), polygon.forward(jnp.array([1e-14, 1e-14]))
    np.testing.assert_allclose(left, right, atol=1e-12)


@pytest.mark.soon(6)
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.1, 0.2)])
@pytest.mark.parametrize("sum_below", [-5.9, -4.0, -2.0, -1.0, 0.0, 1.5, 2.9, 3.0, 10.0])
def test_box_below_a_diagonal(shift, sum_below):
    (x0, y0), (x1, y1) = (-3 + shift[0], -3 + shift[1]), (1 + shift[0], 2 + shift[1])
    limit = sum_below + sum(shift)
    polygon = UniformPolygon.from_box((x0, y0), (x1, y1), limit)
    z = draws(2000)
    jacobian = jax.jit(jax.vmap(jax.jacfwd(polygon.forward)))(z)
    log_area = jnp.linalg.slogdet(jacobian)[1] - jnp.sum(jax.scipy.stats.norm.logpdf(z), axis=1)
    x = np.linspace(x0, x1, 100_001)
    expected = np.trapezoid(np.clip(np.minimum(y1, limit - x) - y0, 0, None), x)
    np.testing.assert_allclose(jnp.exp(log_area), expected, rtol=1e-6)
    points = jax.vmap(polygon.forward)(z)
    assert jnp.all(jnp.sum(points, axis=1) <= limit + 1e-12)


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: UniformPolygon([(0, 0), (1, 1)]), "at least three vertices"),
        (lambda: UniformPolygon([(0, 0), (1, 1), (2, 2)]), "enclose an area"),
        (lambda: UniformPolygon([(0, 0), (2, 0), (2, 2), (1, 0.5)]), "convex polygon in order"),
        (lambda: UniformPolygon([(0, 0), (1, 1), (1, 0), (0, 1), (-1, 0.5)]), "convex polygon in order"),
        (lambda: UniformPolygon([(np.cos(a), np.sin(a)) for a in 4 * np.pi / 5 * np.arange(5)]), "convex polygon"),
        (lambda: UniformPolygon.from_box((0.0, 0.0), (1.0, 1.0), -1.0), "sum below -1.0"),
        (lambda: UniformPolygon.from_box((2.0, 0.0), (1.0, 1.0), 5.0), "low < high"),
    ],
)
def test_errors_say_what_is_wrong(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
