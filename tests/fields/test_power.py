"""Power spectra: linear matter, tables, and convergence beside that of the two-point likelihood."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.cosmology import MULTIPOLE, Cosmology, growth_factor, linear_power
from cosmoflow.datasets import RedshiftDistribution, TwoPointData
from cosmoflow.fields import ConvergencePower, Grid, InterpolatedMatterPower, LinearMatterPower, TabulatedPower
from cosmoflow.likelihoods import TwoPoint

POINT = {"Omega_m": jnp.asarray(0.31), "sigma8": jnp.asarray(0.81)}
GRID = Grid((8, 9, 10), (300.0, 320.0, 340.0))
SKY = Grid((32, 24), (0.1, 0.2))
Z = np.linspace(0, 2.5, 101)
DENSITY = Z**2 * np.exp(-((Z / 0.64) ** 1.5))


@pytest.mark.slow
def test_linear_power_is_that_of_the_theory():
    power = eqx.filter_jit(LinearMatterPower(redshift=1.0))(GRID, POINT)
    cosmology = Cosmology(0.31, h=0.6774, Omega_b=0.0486)
    theory = linear_power(cosmology, n_s=jnp.asarray(0.9667), sigma8=jnp.asarray(0.81))
    growth = growth_factor(cosmology, 1.0) / growth_factor(cosmology, 0.0)
    assert power[0] == 0
    np.testing.assert_allclose(power[1:], np.exp(theory(jnp.log(GRID.shells[1:]))) * growth**2, rtol=1e-10)


@pytest.mark.slow
def test_optional_parameters_are_used():
    power = eqx.filter_jit(LinearMatterPower())
    usual = power(GRID, POINT)
    for name in LinearMatterPower().optional:
        changed = power(GRID, POINT | {name: jnp.asarray({"w0": -0.8, "wa": 0.3, "Omega_k": 0.1}.get(name, 0.5))})
        assert (name in ("Omega_k", "w0", "wa")) == np.allclose(changed, usual), name  # growth is one today


def test_a_table_is_a_power_law_between_its_points_and_constant_beyond():
    power = TabulatedPower([0.01, 0.1], [100.0, 1.0])(GRID, {})
    assert power[0] == 0
    inside = (GRID.shells > 0.01) & (GRID.shells < 0.1)
    np.testing.assert_allclose(power[inside], 0.01 / GRID.shells[inside] ** 2, rtol=1e-10)
    np.testing.assert_allclose(power[GRID.shells >= 0.1], 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("wavenumber", "power", "message"),
    [
        ([1.0], [1.0], "two at least"),
        ([1.0, 2.0], [1.0], "as many powers"),
        ([2.0, 1.0], [1.0, 1.0], "ascending"),
        ([1.0, 2.0], [1.0, 0.0], "positive powers"),
        ([1.0, 2.0], [1.0, np.nan], "positive powers"),
    ],
)
def test_tables_that_are_refused(wavenumber, power, message):
    with pytest.raises(ValueError, match=message):
        TabulatedPower(wavenumber, power)


@pytest.mark.slow
@pytest.mark.parametrize("nonlinear", [False, True])
def test_convergence_is_that_of_the_two_point_likelihood(nonlinear):
    distribution = RedshiftDistribution(Z, DENSITY / np.trapezoid(DENSITY, Z))
    data = TwoPointData(
        ("cl_ee",), ("src0",), ("src0",), np.array([300.0]), np.array([1e-9]), np.eye(1), {"src0": distribution}
    )
    likelihood = TwoPoint(data, amplitude="sigma8", nonlinear=nonlinear)
    others = {"h": jnp.asarray(0.6774), "Omega_b": jnp.asarray(0.0486), "n_s": jnp.asarray(0.9667)}
    use = (MULTIPOLE > 20) & (MULTIPOLE < 10_000)
    expected = likelihood.angular_power(POINT | others)[0, use]
    power = ConvergencePower(Z, DENSITY, nonlinear=nonlinear)
    np.testing.assert_allclose(power.angular_power(MULTIPOLE[use], POINT), expected, rtol=0.01)
    on_map = power(SKY, POINT)
    assert on_map[0] == 0
    exact = power.angular_power(SKY.shells[1:], POINT)
    np.testing.assert_allclose(on_map[1:], exact, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("power", [LinearMatterPower(0.5), ConvergencePower(Z, DENSITY)], ids=["linear", "convergence"])
def test_gradients_are_those_of_finite_differences(power):
    grid = GRID if isinstance(power, LinearMatterPower) else SKY

    @jax.jit
    def total(x):
        return jnp.sum(jnp.log(power(grid, {"Omega_m": x[0], "sigma8": x[1]})[1:]))

    x, step = jnp.array([0.3, 0.8]), 1e-4
    numerical = [(total(x.at[i].add(step)) - total(x.at[i].add(-step))) / (2 * step) for i in range(2)]
    np.testing.assert_allclose(jax.jit(jax.grad(total))(x), numerical, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("power", [LinearMatterPower(0.5), ConvergencePower(Z, DENSITY)], ids=["linear", "convergence"])
def test_single_precision(power):
    grid = GRID if isinstance(power, LinearMatterPower) else SKY
    single = eqx.filter_jit(power)(grid, {name: value.astype(jnp.float32) for name, value in POINT.items()})
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, eqx.filter_jit(power)(grid, POINT), rtol=1e-3)


def test_data_are_leaves():
    leaves = [leaf.shape for leaf in jax.tree.leaves(ConvergencePower(Z, DENSITY))]
    assert leaves == [Z.shape, Z.shape]


@pytest.mark.parametrize(
    ("redshift", "density", "message"),
    [
        ([0.0, 1.0], [1.0], "as many densities"),
        ([1.0], [1.0], "two at least"),
        ([1.0, 0.5], [1.0, 1.0], "do not ascend"),
        ([-0.1, 0.5], [1.0, 1.0], "do not ascend"),
        ([0.0, 1.0], [0.0, 0.0], "zero everywhere"),
        ([0.0, 1.0], [1.0, -1.0], "negative"),
        ([0.0, 1.0], [1.0, np.nan], "not finite"),
    ],
)
def test_distributions_that_are_refused(redshift, density, message):
    with pytest.raises(ValueError, match=message):
        ConvergencePower(np.array(redshift), np.array(density))


@pytest.mark.slow
def test_the_interpolated_power_is_the_exact_one_and_ends_where_its_table_does():
    grid = Grid((8, 8, 8), 80.0)
    exact, interpolated = LinearMatterPower(0.5), InterpolatedMatterPower(grid, redshift=0.5)
    for Omega_m in (0.15, 0.3111, 0.7):
        parameters = {"Omega_m": jnp.asarray(Omega_m), "sigma8": jnp.asarray(0.8)}
        np.testing.assert_allclose(interpolated(grid, parameters), exact(grid, parameters), rtol=1e-6)
    assert np.all(np.isnan(interpolated(grid, parameters | {"Omega_m": jnp.asarray(0.04)})))
