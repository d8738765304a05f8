import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.cosmology import Cosmology, growth_factor
from cosmoflow.fields import ConfigurationLatents, Grid, LagrangianField, TabulatedPower
from cosmoflow.fields._bias import lagrangian_weights
from cosmoflow.fields._displacement import displacement, growth, second_order_density, tidal_field
from cosmoflow.fields._grid import filtered

GRID = Grid((8, 8, 8), 80.0)
PLANCK = {name: jnp.asarray(v) for name, v in {"Omega_m": 0.31, "sigma8": 0.81}.items()}
BIASED = PLANCK | {name: jnp.asarray(v) for name, v in {"b1": 0.8, "b2": 0.3, "bs2": -0.2, "bn2": 4.0}.items()}
GALAXIES = LagrangianField(GRID, 0.5, line_of_sight=2)


@eqx.filter_jit
def observed(model, white, parameters):
    return model.predict(white, parameters)


def noise(seed, grid=GRID, dtype=float):
    return jax.random.normal(jax.random.key(seed), grid.shape, dtype)


def plane_wave(axis, amplitude=0.3, grid=GRID):
    """delta = amplitude cos(k x), and k and x."""
    k = 2 * np.pi / grid.box_size[axis]
    x = jnp.arange(float(grid.shape[axis])) * grid.cell_size[axis]
    shape = [-1 if i == axis else 1 for i in range(3)]
    return jnp.broadcast_to(amplitude * jnp.cos(k * x).reshape(shape), grid.shape), k, x.reshape(shape)


@pytest.mark.soon(1)
@pytest.mark.parametrize("axis", range(3))
def test_plane_wave_is_that_of_zeldovich(axis):
    """psi = -A sin(k x) / k, and no second order."""
    grid = Grid((8, 6, 10), (80.0, 50.0, 70.0))
    wave, k, x = plane_wave(axis, grid=grid)
    shift = displacement(grid, [grid.modes(wave)] * 3)
    expected = np.zeros((3, *grid.shape))
    expected[axis] = -0.3 * jnp.sin(k * x) / k / grid.cell_size[axis]
    np.testing.assert_allclose(shift, expected, atol=1e-12)
    np.testing.assert_allclose(second_order_density(tidal_field(grid, grid.modes(wave))), 0, atol=1e-12)


@pytest.mark.slow
def test_displacement_diverges_by_minus_the_density():
    """Where no mode is that of Nyquist."""
    modes = filtered(
        GRID.modes(noise(0)), jnp.asarray((GRID.wavenumber < 0.9 * GRID.nyquist) & (GRID.wavenumber > 0), float)
    )
    shift = displacement(GRID, [modes] * 3)
    divergence = sum(
        GRID.modes(part) * jnp.asarray(1j * k * size)
        for k, part, size in zip(GRID.wavenumbers, shift, GRID.cell_size, strict=True)
    )
    np.testing.assert_allclose(divergence, -modes, atol=1e-12)


def test_two_crossed_waves_at_second_order():
    """phi,xx = A cos(k x) and phi,yy = B cos(k y) have the product as the Laplacian of phi2."""
    one, other = plane_wave(0)[0], plane_wave(1, 0.2)[0]
    second = second_order_density(tidal_field(GRID, GRID.modes(one + other)))
    np.testing.assert_allclose(second, one * other, atol=1e-12)


def test_spherical_collapse_fixes_the_second_order():
    """In an Einstein-de Sitter universe delta = D + 17/21 D^2: isotropic strain D / 3 + D^2 / 21."""
    second = growth(Cosmology(1.0), jnp.asarray(0.0)).second
    strain = second_order_density(
        {(i, j): jnp.full(GRID.shape, float(i == j) / 3) for i in range(3) for j in range(i, 3)}
    )
    np.testing.assert_allclose(second * strain / 3, 1 / 21, rtol=1e-12)


def test_growth_of_einstein_de_sitter():
    grown = growth(Cosmology(1.0), jnp.asarray([0.0, 1.0]))
    np.testing.assert_allclose(grown.factor, [1, 0.5], rtol=1e-9)
    np.testing.assert_allclose(grown.rate, 1, rtol=1e-9)
    np.testing.assert_allclose(grown.second_rate, 2, rtol=1e-9)


def test_second_rate_is_the_logarithmic_slope():
    """To the accuracy of the approximations, half a percent."""
    universe, step = Cosmology(0.3), 1e-4
    up, down = (growth(universe, jnp.asarray(1.5 * np.exp(sign * step) - 1)) for sign in (-1, 1))
    slope = np.log(up.second * up.factor**2 / (down.second * down.factor**2)) / (2 * step)
    np.testing.assert_allclose(growth(universe, jnp.asarray(0.5)).second_rate, slope, rtol=5e-3)


def test_mean_is_zero():
    np.testing.assert_allclose(observed(GALAXIES, noise(1), BIASED).mean(), 0, atol=1e-12)


@pytest.mark.soon(1)
@pytest.mark.parametrize("axis", range(3))
def test_shifted_initial_conditions_shift_the_field(axis):
    model = LagrangianField(GRID, 0.5, line_of_sight=2, latents=ConfigurationLatents())
    shifted = observed(model, jnp.roll(noise(2), 3, axis), BIASED)
    np.testing.assert_allclose(shifted, jnp.roll(observed(model, noise(2), BIASED), 3, axis), atol=1e-10)


@pytest.mark.slow
def test_no_bias_is_zero_bias():
    matter = observed(GALAXIES, noise(3), PLANCK)
    unbiased = observed(GALAXIES, noise(3), PLANCK | dict.fromkeys(("b1", "b2", "bs2", "bn2"), jnp.asarray(0.0)))
    np.testing.assert_allclose(matter, unbiased, atol=1e-12)


@pytest.mark.parametrize("known", [True, False])
def test_weights_are_the_expansion(known):
    modes = GRID.modes(noise(4)).at[0, 0, 0].set(0)
    tidal, delta = tidal_field(GRID, modes), GRID.field(modes)
    shear = sum((1.0 if i == j else 2.0) * phi**2 for (i, j), phi in tidal.items()) - delta**2 / 3
    laplacian = GRID.field(filtered(modes, jnp.asarray(-(GRID.wavenumber**2))))
    expected = 1 + 0.8 * delta + 0.15 * (delta**2 - jnp.mean(delta**2)) - 0.2 * (shear - shear.mean()) + 4 * laplacian
    np.testing.assert_allclose(lagrangian_weights(GRID, modes, tidal if known else None, BIASED), expected, atol=1e-10)
    assert lagrangian_weights(GRID, modes, tidal, PLANCK) is None


@pytest.mark.slow
def test_variance_of_the_tidal_field():
    """<s^2> = 2/3 <delta^2> of an isotropic field."""
    grid = Grid((16, 16, 16), 100.0)
    modes = filtered(grid.modes(noise(5, grid)), jnp.asarray(grid.wavenumber < grid.nyquist, float))
    tidal = tidal_field(grid, modes.at[0, 0, 0].set(0))
    delta = tidal[0, 0] + tidal[1, 1] + tidal[2, 2]
    shear = sum((1.0 if i == j else 2.0) * phi**2 for (i, j), phi in tidal.items()) - delta**2 / 3
    np.testing.assert_allclose(jnp.mean(shear) / jnp.mean(delta**2), 2 / 3, rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("order", "line_of_sight"), [(1, None), (2, 0)])
def test_large_scales_respond_as_linear_theory_says(order, line_of_sight):
    """The regression of the field on white noise, mode by mode, over some universes; half the response is refused."""
    grid = Grid((16, 16, 16), 160.0)
    model = LagrangianField(grid, 0.5, order=order, line_of_sight=line_of_sight)
    galaxies = PLANCK | {"b1": jnp.asarray(0.5), "bn2": jnp.asarray(2.0)}
    white = jax.random.normal(jax.random.key(6), (16, *grid.shape))
    modes = jax.vmap(lambda w: model.latents.modes(grid, w))(white)
    fields = jax.jit(jax.vmap(lambda w: grid.modes(model.predict(w, galaxies))))(white)
    large = (grid.wavenumber < 0.05) & (grid.wavenumber > 0)
    response = model.response(galaxies)
    cross = jnp.sum((fields * modes.conj()).real[:, large] * response[large])
    ratio = cross / jnp.sum((jnp.abs(modes) * response)[:, large] ** 2)
    np.testing.assert_allclose(ratio, 1, atol=0.03)
    assert abs(ratio - 0.5) > 0.2


@pytest.mark.slow
def test_redshift_space_is_real_space_across_the_line_of_sight():
    """A wave along another axis is not moved; along the line of sight it is, by 1 + f."""
    wave, k, x = plane_wave(0, 0.05)
    power = TabulatedPower(jnp.asarray([1e-3, 10.0]), jnp.asarray([1.0, 1.0]))
    white = GRID.modes(wave * GRID.cell_volume**0.5)
    fields = {}
    for axis in (None, 0, 1):
        model = LagrangianField(GRID, 0.5, line_of_sight=axis, power=power)
        fields[axis] = observed(model, model.latents.latents(GRID, white), {"Omega_m": jnp.asarray(0.31)})
    factor = growth_factor(Cosmology(0.31), 0.5) / growth_factor(Cosmology(0.31), 0.0)
    np.testing.assert_allclose(fields[1], fields[None], atol=1e-12)
    rate = growth(Cosmology(0.31, h=0.6774, Omega_b=0.0486), jnp.asarray(0.5)).rate
    shift = jnp.zeros((3, *GRID.shape)).at[0].set(-factor * 0.05 * jnp.sin(k * x) / k / 10)
    np.testing.assert_allclose(fields[None], GRID.paint(shift) - 1, atol=1e-6)
    np.testing.assert_allclose(fields[0], GRID.paint((1 + rate) * shift) - 1, atol=1e-6)


@pytest.mark.slow
def test_displacement_equals_that_of_jaxpm():
    """With its gradients, of finite differences, in the place of ours; growth is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pm = pytest.importorskip("jaxpm.pm")
        jc = pytest.importorskip("jax_cosmo")
    grid = Grid((16, 16, 16), 16.0)
    smooth = np.exp(-((2 * grid.wavenumber) ** 2)) * (grid.wavenumber > 0)
    modes = filtered(grid.modes(noise(7, grid)), jnp.asarray(smooth))
    with warnings.catch_warnings(), jax.numpy_dtype_promotion("standard"):
        warnings.simplefilter("ignore")
        theirs = jc.Planck15()
        shift, _, _ = pm.lpt(theirs, grid.field(modes), a=1.0, order=2)
        first, _, _ = pm.lpt(theirs, grid.field(modes), a=1.0, order=1)
        second = pm.growth_factor_second(theirs, jnp.atleast_1d(1.0))
    source = grid.modes(second_order_density(tidal_field(grid, modes)))
    expected = displacement(grid, [modes] * 3), displacement(grid, [source] * 3) * (3 / 7 * second)
    for ours, others in zip(expected, (first, shift - first), strict=True):
        np.testing.assert_allclose(jnp.moveaxis(others, -1, 0), ours, atol=0.02 * float(jnp.abs(ours).max()))


@pytest.mark.slow
def test_gradients_equal_finite_differences():
    given, step = BIASED | {"white_noise": noise(8)}, 1e-6

    @jax.jit
    def loss(values):
        return jnp.sum(noise(9) * GALAXIES.predict(values["white_noise"], values))

    gradient = jax.jit(jax.grad(loss))(given)
    for name, value in given.items():
        direction = jax.random.normal(jax.random.key(10), value.shape)
        up, down = (loss(given | {name: value + sign * step * direction}) for sign in (1, -1))
        np.testing.assert_allclose(jnp.vdot(gradient[name], direction), (up - down) / (2 * step), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_hessian_along_a_direction_equals_finite_differences():
    @jax.jit
    def gradient(white):
        return jax.grad(lambda w: jnp.sum(GALAXIES.predict(w, BIASED) ** 2))(white)

    direction, step = noise(11), 1e-6
    _, along = jax.jvp(gradient, (noise(8),), (direction,))
    difference = (gradient(noise(8) + step * direction) - gradient(noise(8) - step * direction)) / (2 * step)
    np.testing.assert_allclose(along, difference, atol=1e-4 * float(jnp.abs(along).max()))


@pytest.mark.slow
def test_single_precision_and_many_chains():
    expected = observed(GALAXIES, noise(2), BIASED)
    single = jax.tree.map(np.float32, (jnp.stack([noise(1), noise(2)]), BIASED))
    with jax.enable_x64(False):
        model, (white, parameters) = LagrangianField(GRID, 0.5, line_of_sight=2), jax.tree.map(jnp.asarray, single)
        fields = jax.jit(jax.vmap(lambda w: model.predict(w, parameters)))(white)
    assert fields.dtype == jnp.float32
    np.testing.assert_allclose(fields[1], expected, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 3}, "order 1 or 2"),
        ({"line_of_sight": 3}, "line of sight"),
        ({"grid": Grid((4, 4), 1.0)}, "three axes"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        LagrangianField(**({"grid": GRID} | arguments))
