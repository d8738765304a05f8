import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.fields import ConfigurationLatents, Grid, LagrangianField, ParticleMeshField, TabulatedPower

GRID = Grid((8, 8, 8), 80.0)
PLANCK = {name: jnp.asarray(v) for name, v in {"Omega_m": 0.31, "sigma8": 0.81}.items()}
GALAXIES = ParticleMeshField(GRID, 0.5, steps=2, line_of_sight=2)
BIASED = PLANCK | {"b1": jnp.asarray(0.8)}


@eqx.filter_jit
def observed(model, white, parameters):
    return model.predict(white, parameters)


def noise(seed, grid=GRID):
    return jax.random.normal(jax.random.key(seed), grid.shape)


def plane_wave(model, amplitude):
    """Of the largest scale along the first axis, and white noise for it."""
    grid = model.grid
    x = jnp.linspace(0, 1, grid.shape[0], endpoint=False)
    wave = jnp.broadcast_to((amplitude * jnp.cos(2 * np.pi * x))[:, None, None], grid.shape)
    return model.latents.latents(grid, grid.modes(wave * grid.cell_volume**0.5))


def test_mean_is_zero():
    np.testing.assert_allclose(observed(GALAXIES, noise(1), BIASED).mean(), 0, atol=1e-12)


@pytest.mark.slow
def test_shifted_initial_conditions_shift_the_field():
    model = ParticleMeshField(GRID, 0.5, steps=2, line_of_sight=2, latents=ConfigurationLatents())
    shifted = observed(model, jnp.roll(noise(2), 3, 1), BIASED)
    np.testing.assert_allclose(shifted, jnp.roll(observed(model, noise(2), BIASED), 3, 1), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("line_of_sight", [None, 2])
def test_early_times_are_those_of_perturbation_theory(line_of_sight):
    """On large scales, for the force is softened on small ones; a seventh more growth is refused."""

    def difference(field, other):
        large = GRID.wavenumber < 0.08
        field, other = GRID.modes(field)[large], GRID.modes(other)[large]
        return jnp.linalg.norm(field - other) / jnp.linalg.norm(other)

    given = {"grid": GRID, "line_of_sight": line_of_sight}
    simulated = observed(ParticleMeshField(**given, redshift=4.0, steps=2), noise(3), PLANCK)
    then, before = (observed(LagrangianField(**given, redshift=z), noise(3), PLANCK) for z in (4.0, 4.7))
    assert difference(simulated, then) < 0.04
    assert difference(simulated, before) > 0.08


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 4])
def test_a_long_wave_grows_linearly_at_any_number_of_steps(steps):
    """Its force is softened, by cloud in cell, by a little."""
    power = TabulatedPower(jnp.asarray([1e-3, 10.0]), jnp.asarray([1.0, 1.0]))
    grid = Grid((32, 2, 2), (320.0, 20.0, 20.0))
    parameters = {"Omega_m": jnp.asarray(0.31)}
    model = ParticleMeshField(grid, 0.0, steps=steps, power=power)
    white = plane_wave(model, 0.1)
    grown = grid.modes(observed(model, white, parameters))[1, 0, 0]
    expected = grid.modes(observed(LagrangianField(grid, 0.0, power=power), white, parameters))[1, 0, 0]
    np.testing.assert_allclose(grown.real / expected.real, 1, atol=0.02)


@pytest.mark.slow
def test_response_is_that_of_linear_theory():
    lagrangian = LagrangianField(GRID, 0.5, line_of_sight=2)
    np.testing.assert_array_equal(GALAXIES.response(BIASED), lagrangian.response(BIASED))


@pytest.mark.slow
def test_gradients_equal_finite_differences():
    given, step = BIASED | {"white_noise": noise(4)}, 1e-6

    @jax.jit
    def loss(values):
        return jnp.sum(noise(5) * GALAXIES.predict(values["white_noise"], values))

    gradient = jax.jit(jax.grad(loss))(given)
    for name, value in given.items():
        direction = jax.random.normal(jax.random.key(6), value.shape)
        up, down = (loss(given | {name: value + sign * step * direction}) for sign in (1, -1))
        np.testing.assert_allclose(jnp.vdot(gradient[name], direction), (up - down) / (2 * step), rtol=1e-5)


@pytest.mark.slow
def test_hessian_along_a_direction_equals_finite_differences():
    @jax.jit
    def gradient(white):
        return jax.grad(lambda w: jnp.sum(GALAXIES.predict(w, BIASED) ** 2))(white)

    direction, step = noise(7), 1e-6
    _, along = jax.jvp(gradient, (noise(8),), (direction,))
    difference = (gradient(noise(8) + step * direction) - gradient(noise(8) - step * direction)) / (2 * step)
    np.testing.assert_allclose(along, difference, atol=1e-4 * float(jnp.abs(along).max()))


@pytest.mark.slow
def test_single_precision_and_many_chains():
    expected = observed(GALAXIES, noise(2), BIASED)
    single = jax.tree.map(np.float32, (jnp.stack([noise(1), noise(2)]), BIASED))
    with jax.enable_x64(False):
        model = ParticleMeshField(GRID, 0.5, steps=2, line_of_sight=2)
        white, parameters = jax.tree.map(jnp.asarray, single)
        fields = jax.jit(jax.vmap(lambda w: model.predict(w, parameters)))(white)
    assert fields.dtype == jnp.float32
    np.testing.assert_allclose(fields[1], expected, atol=2e-3)


@pytest.mark.slow
def test_memory_keeps_only_the_particles_of_each_step():
    """Six numbers for each, in double precision, and no more."""

    def temporary(steps):
        model = ParticleMeshField(GRID, 0.5, steps=steps)
        loss = jax.jit(jax.grad(lambda w: jnp.sum(model.predict(w, PLANCK) ** 2)))
        return loss.lower(noise(1)).compile().memory_analysis().temp_size_in_bytes

    per_step = (temporary(12) - temporary(4)) / 8 / GRID.num_cells
    assert per_step < 2 * 6 * 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"steps": 0}, "needs a step"), ({"redshift": 10.0}, "ends before"), ({"line_of_sight": 4}, "line of sight")],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        ParticleMeshField(**({"grid": GRID} | arguments))
