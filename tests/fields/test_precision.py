"""Fields in single precision beside parameters in double."""

import equinox as eqx
import jax
import jax.extend
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from tilted_power import Tilted

from cosmoflow.fields import GaussianField, Grid, LagrangianField, LogNormalField, ParticleMeshField
from cosmoflow.likelihoods import FieldLevel, GaussianNoise, NegativeBinomialNoise, PoissonNoise
from cosmoflow.targets import Normal, Posterior, Prior, Pullback, WhiteNoise, wiener_coordinates

SHAPE, LENGTHS = (4, 6, 8), (40.0, 60.0, 80.0)
POINT = {"Omega_m": 0.31, "sigma8": 0.81}
BIAS = {"b1": 0.8, "b2": 0.3, "bs2": -0.2, "bn2": 4.0}
COUNTS = jr.poisson(jr.key(1), 3.0, SHAPE)
MODELS = {
    "gaussian": (lambda grid: GaussianField(grid, Tilted()), GaussianNoise(0.8), {}),
    "log_normal": (lambda grid: LogNormalField(grid, Tilted()), PoissonNoise(3.0), {}),
    "lagrangian": (
        lambda grid: LagrangianField(grid, 0.5, line_of_sight=2, power=Tilted()),
        NegativeBinomialNoise(3.0, 9.0),
        BIAS,
    ),
    "particle_mesh": (
        lambda grid: ParticleMeshField(grid, 0.5, steps=2, line_of_sight=2, power=Tilted()),
        GaussianNoise(jnp.full(SHAPE, 0.8)),
        BIAS,
    ),
}
MASK = np.arange(192).reshape(SHAPE) % 5 > 0


def made(name, precision):
    model, noise, bias = MODELS[name]
    likelihood = FieldLevel(model(Grid(SHAPE, LENGTHS, precision=precision)), noise, COUNTS, MASK)
    parameters = {parameter: jnp.asarray(value) for parameter, value in (POINT | bias).items()}
    return likelihood, parameters | {"white_noise": jr.normal(jr.key(0), SHAPE)}


def value_and_gradient(likelihood, parameters):
    return eqx.filter_value_and_grad(lambda p: likelihood.log_likelihood(p))(parameters)


def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from equations(inner)


def computed_in_double(likelihood, parameters):
    """What is computed of arrays in double that have the shape of the field or of its modes."""
    traced = jax.make_jaxpr(lambda p: value_and_gradient(likelihood, p))(parameters)
    shapes = {SHAPE, likelihood.model.grid.half_shape}
    return {
        equation.primitive.name
        for equation in equations(traced.jaxpr)
        for variable in equation.outvars
        if variable.aval.shape[-3:] in shapes and variable.aval.dtype in (jnp.float64, jnp.complex128)
    }


@pytest.mark.parametrize("name", MODELS)
def test_value_and_gradient_are_those_in_double(name):
    (single, parameters), (double, _) = made(name, "single"), made(name, "double")
    value, gradient = eqx.filter_jit(value_and_gradient)(single, parameters)
    expected, slopes = eqx.filter_jit(value_and_gradient)(double, parameters)
    assert {leaf.dtype for leaf in jax.tree.leaves((value, gradient))} == {jnp.dtype("float64")}
    np.testing.assert_allclose(value, expected, rtol=2e-6)
    for parameter, slope in slopes.items():
        scale = np.abs(slope).max()
        np.testing.assert_allclose(gradient[parameter], slope, rtol=0, atol=2e-5 * scale, err_msg=parameter)
    assert not np.array_equal(gradient["white_noise"], slopes["white_noise"])


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_the_size_of_the_field_is_computed_in_double(name):
    """Cells are turned to double to be summed, and gradients to be given back."""
    moved = {"convert_element_type", "broadcast_in_dim"}
    assert computed_in_double(*made(name, "single")) <= moved
    assert {"fft", "mul", "add"} <= computed_in_double(*made(name, "double"))


def test_sums_over_cells_keep_their_digits():
    """A million cells of one and the same value lose none."""
    likelihood = FieldLevel(
        GaussianField(Grid((1024, 1024), 1.0, precision="single"), Tilted()),
        GaussianNoise(1.0),
        np.full((1024, 1024), 0.1),
    )
    cell = float(likelihood.noise.log_prob(jnp.float32(0.1), jnp.float32(0.0)))
    parameters = {name: jnp.asarray(value) for name, value in POINT.items()} | {"white_noise": jnp.zeros((1024, 1024))}
    np.testing.assert_allclose(eqx.filter_jit(likelihood.log_likelihood)(parameters), 2**20 * cell, rtol=1e-13)


@pytest.mark.parametrize("name", ["gaussian", "lagrangian"])
def test_the_posterior_in_coordinates_of_wiener(name):
    """Its density and gradient, what is derived of a draw, and the averaged maps."""
    likelihood, parameters = made(name, "single")
    prior = Prior(
        {key: Normal(value, 0.1 * value) for key, value in POINT.items()} | {"white_noise": WhiteNoise(SHAPE)}
    )

    def seen(likelihood):
        target = Posterior(prior, likelihood)
        return Pullback(target, wiener_coordinates(target))

    z = 0.1 * jr.normal(jr.key(2), (prior.dim,))
    gradients = eqx.filter_jit(lambda target, z: jax.value_and_grad(lambda z: target.log_density(z))(z))
    (value, slope), (expected, slopes) = (gradients(seen(made(name, p)[0]), z) for p in ("single", "double"))
    np.testing.assert_allclose(value, expected, rtol=2e-6)
    np.testing.assert_allclose(slope, slopes, rtol=0, atol=3e-5 * np.abs(slopes).max())
    kept, maps = jax.jit(lambda p: (likelihood.derived(p), likelihood.averaged(p)))(parameters)
    assert {leaf.dtype for leaf in jax.tree.leaves((kept, maps))} == {jnp.dtype("float32")}
