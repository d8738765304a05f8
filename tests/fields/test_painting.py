import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.fields import Grid
from cosmoflow.fields._painting import fold, paint, read, unfold

SHAPE = (4, 6, 5)
GRID = Grid(SHAPE, 1.0)


def normal(seed, *shape, dtype=float):
    return jax.random.normal(jax.random.key(seed), shape, dtype)


DISPLACEMENT, WEIGHTS, FIELD = 2 * normal(0, 3, *SHAPE), normal(1, *SHAPE), normal(2, *SHAPE)


def test_particles_that_stay_paint_their_weights():
    np.testing.assert_array_equal(paint(jnp.zeros((3, *SHAPE)), WEIGHTS), WEIGHTS)
    np.testing.assert_array_equal(paint(jnp.zeros((3, *SHAPE))), 1)


def test_mass_is_conserved():
    np.testing.assert_allclose(paint(DISPLACEMENT, WEIGHTS).sum(), WEIGHTS.sum(), rtol=1e-12)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("cells", [-7, 1, 9])
def test_whole_cells_roll(axis, cells):
    moved = DISPLACEMENT.at[axis].add(cells)
    np.testing.assert_allclose(paint(moved, WEIGHTS), jnp.roll(paint(DISPLACEMENT, WEIGHTS), cells, axis), atol=1e-12)


def test_reading_is_the_transpose_of_painting():
    painted = jnp.vdot(paint(DISPLACEMENT, WEIGHTS), FIELD)
    np.testing.assert_allclose(painted, jnp.vdot(WEIGHTS, read(FIELD, DISPLACEMENT)), rtol=1e-12)
    rows = normal(3, *SHAPE, 8)
    np.testing.assert_allclose(jnp.vdot(fold(rows), FIELD), jnp.vdot(rows, unfold(FIELD)), rtol=1e-12)


def test_reading_interpolates():
    """What is linear in the position, away from the edge."""
    axes = jnp.meshgrid(*(jnp.arange(float(n)) for n in SHAPE), indexing="ij")
    within = jnp.abs(DISPLACEMENT) % 1
    read_out = read(axes[0] - 2 * axes[1] + 3 * axes[2], within)
    expected = sum(c * (x + d) for c, x, d in zip((1.0, -2.0, 3.0), axes, within, strict=True))
    np.testing.assert_allclose(read_out[:-1, :-1, :-1], expected[:-1, :-1, :-1], rtol=1e-12)


def test_each_particle_goes_to_its_eight_cells():
    """Against a loop over particles."""
    expected = np.zeros(SHAPE)
    for cell in np.ndindex(*SHAPE):
        position = np.array(cell) + np.asarray(DISPLACEMENT[:, *cell])
        for corner in np.ndindex(2, 2, 2):
            target = np.floor(position).astype(int) + corner
            kernel = np.prod(1 - np.abs(position - target))
            expected[tuple(target % SHAPE)] += kernel * WEIGHTS[cell]
    np.testing.assert_allclose(paint(DISPLACEMENT, WEIGHTS), expected, atol=1e-12)


@pytest.mark.slow
def test_window_is_that_of_linear_theory_on_average():
    """Particles anywhere in their cells: a weight's response is sinc^2, a displacement's i k sinc^2."""
    n, k = 8, 2 * np.pi * 3 / 8
    wave = jnp.cos(k * jnp.arange(float(n)))
    nodes, quadrature = np.polynomial.legendre.leggauss(8)

    def at(offset):
        def painted(amplitude):
            return paint((offset + amplitude[0] * wave)[None], 1 + amplitude[1] * wave)

        slopes = jax.jacfwd(painted)(jnp.zeros(2)).T
        return np.fft.fft(slopes)[:, 3] * np.exp(1j * k * offset)

    response = sum(w / 2 * at((x + 1) / 2) for x, w in zip(nodes, quadrature, strict=True)) / (n / 2)
    window = np.sinc(k / 2 / np.pi) ** 2
    np.testing.assert_allclose(response, [-1j * k * window, window], atol=1e-9)


def test_gradients_equal_finite_differences():
    given = {"displacement": DISPLACEMENT, "weights": WEIGHTS, "field": FIELD}

    @jax.jit
    def loss(values):
        painted = paint(values["displacement"], values["weights"])
        return jnp.sum(FIELD * painted**2 + jnp.sin(read(values["field"], values["displacement"])))

    gradient, step = jax.jit(jax.grad(loss))(given), 1e-7
    for name, value in given.items():
        direction = normal(4, *value.shape)
        up, down = (loss(given | {name: value + sign * step * direction}) for sign in (1, -1))
        np.testing.assert_allclose(jnp.vdot(gradient[name], direction), (up - down) / (2 * step), rtol=1e-6)


def test_hessians_along_directions_equal_finite_differences():
    @jax.jit
    def gradient(displacement):
        return jax.grad(lambda d: jnp.sum(FIELD * paint(d, WEIGHTS) ** 2))(displacement)

    direction, step = normal(5, *DISPLACEMENT.shape), 1e-7
    _, along = jax.jvp(gradient, (DISPLACEMENT,), (direction,))
    difference = (gradient(DISPLACEMENT + step * direction) - gradient(DISPLACEMENT - step * direction)) / (2 * step)
    np.testing.assert_allclose(along, difference, atol=1e-6)


def test_single_precision_and_many_chains():
    displacement, weights = DISPLACEMENT.astype(jnp.float32), WEIGHTS.astype(jnp.float32)
    painted = jax.jit(jax.vmap(GRID.paint))(jnp.stack([displacement, -displacement]), jnp.stack([weights, weights]))
    assert painted.dtype == jnp.float32
    np.testing.assert_allclose(painted[1], paint(-DISPLACEMENT, WEIGHTS), atol=1e-5)
