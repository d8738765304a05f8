"""The zig-zag process: its clock, its bounds, its algebra, and what it does when a bound fails."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import cosmoflow as cf
from cosmoflow._results import RunError, Status
from cosmoflow.samplers import Straight, ZigZag
from cosmoflow.samplers.pdmp import ChordBound, Path, SlopeBound
from cosmoflow.targets import AbstractTarget, CorrelatedGaussian


def path(rates):
    """A path on which the signed rates of all clocks are given functions of time."""
    x = jnp.zeros(1)
    return Path(x, jnp.ones(1), jnp.zeros(()), rates(jnp.zeros(())), Straight(), jnp.sum, lambda g, x, v: rates(x[0]))


def first_events(rates, horizon, num, bound):
    majorant = bound.majorant(path(rates), jnp.asarray(horizon))
    times, clocks = jax.vmap(majorant.first_event)(jr.split(jr.key(0), num))
    return np.asarray(times), np.asarray(clocks), majorant


@pytest.mark.slow
def test_first_event_of_linear_rates_has_the_exact_law():
    def rates(t):
        return jnp.stack([t - 1, 0.2 + 0.1 * t])

    time, clock, majorant = first_events(rates, 3.0, 20_000, ChordBound(safety=0.0))
    lift = np.array([0.01, 0.01 * 0.35])

    def integral(t):
        first = 0.5 * max(t - 1 + lift[0], 0) ** 2
        return first + (0.2 + lift[1]) * t + 0.05 * t**2

    inside = np.isfinite(time)
    survival = np.exp(-np.array([integral(t) for t in time[inside]]))
    floor = np.exp(-integral(3.0))
    assert abs(np.mean(~inside) - floor) < 5 * np.sqrt(floor / 20_000)
    assert stats.kstest((survival - floor) / (1 - floor), "uniform").pvalue > 1e-4
    expected = np.stack([time - 1 + lift[0], 0.2 + lift[1] + 0.1 * time], axis=1)[inside]
    np.testing.assert_allclose(jax.vmap(majorant)(jnp.asarray(time[inside])), expected, atol=1e-10)
    assert set(clock) == {0, 1}


@pytest.mark.soon(2)
@pytest.mark.parametrize("shape", [lambda t: jnp.sin(3 * t), lambda t: t**2 - 0.3, lambda t: 1 - (t - 0.4) ** 2])
@pytest.mark.parametrize("bound", [ChordBound(), SlopeBound()])
def test_bound_holds_on_smooth_rates(shape, bound):
    """The potential whose slope is the rate is integrated, as the slope bound uses both."""
    nodes, weights = np.polynomial.legendre.leggauss(20)

    def potential(x):
        return 0.5 * x[0] * jnp.sum(weights * shape(0.5 * x[0] * (1 + nodes)))

    along = path(lambda t: shape(t)[None])
    along = eqx.tree_at(lambda p: p.potential, along, potential)
    majorant = bound.majorant(along, jnp.asarray(1.0))
    times = jnp.linspace(0, 1, 1000)
    assert np.all(jax.vmap(majorant)(times)[:, 0] > shape(times))


def test_a_bound_of_one_cell_is_refused():
    with pytest.raises(ValueError, match="num_cells is 1"):
        ChordBound(num_cells=1)


def test_rates_of_opposite_velocities_differ_by_the_slope():
    gradient, v = jr.normal(jr.key(0), (2, 5))
    sampler = ZigZag()
    difference = sampler.event_rates(gradient, v, jnp.sign(v)) - sampler.event_rates(gradient, v, -jnp.sign(v))
    np.testing.assert_allclose(
        jnp.maximum(sampler.event_rates(gradient, v, v), 0) - jnp.maximum(-v * gradient, 0), v * gradient
    )
    np.testing.assert_allclose(difference, 2 * jnp.sign(v) * gradient)


def test_jump_turns_one_coordinate_round():
    v = jnp.array([1.0, -1.0, 1.0])
    np.testing.assert_array_equal(ZigZag().jump(v, v, v, jnp.asarray(1), key=jr.key(0)), [1, 1, 1])


@pytest.mark.slow
def test_linear_rates_never_violate():
    target = CorrelatedGaussian(jnp.zeros(3), jnp.array([[1.0, 0.9, 0], [0.9, 1.0, 0], [0, 0, 0.01]]))
    chain = cf.sample(target, ZigZag(), num_draws=1000, num_chains=2, key=jr.key(0))
    assert chain.sample_stats["num_violations"].sum() == 0
    assert chain.sample_stats["num_events"].sum() > 1000


class Wiggly(AbstractTarget):
    """Rates that no bound of three cells resolves."""

    dim: int = 2

    def log_density(self, x):
        return -0.5 * jnp.sum(x**2) + 0.05 * jnp.sum(jnp.cos(200 * x))

    def constrain(self, x):
        return {"x": x}


def test_violations_are_counted_and_end_the_run():
    sampler = ZigZag(bound=ChordBound(safety=0.0, num_cells=2))
    with pytest.raises(RunError) as error:
        cf.sample(Wiggly(), sampler, num_draws=1000, num_chains=2, key=jr.key(0))
    assert error.value.status is Status.BOUND_VIOLATIONS
    chain = cf.sample(Wiggly(), sampler, num_draws=1000, num_chains=2, key=jr.key(0), throw=False)
    assert chain.status is Status.BOUND_VIOLATIONS
    assert chain.sample_stats["num_violations"].sum() > 0


class Walled(AbstractTarget):
    """A standard normal law that ends at a wall x_0 = 1, where the gradient shows nothing of it."""

    beyond: float
    dim: int = 2

    def log_density(self, x):
        return jnp.where(x[0] > 1, self.beyond, -0.5 * jnp.sum(x**2))

    def constrain(self, x):
        return {"x": x}


@pytest.mark.soon(1)
@pytest.mark.parametrize(
    ("sampler", "beyond"),
    [
        (cf.samplers.ZigZag(), np.nan),
        (cf.samplers.ZigZag(), -np.inf),
        (cf.samplers.GHMC(), np.nan),
        pytest.param(cf.samplers.NUTS(), np.nan, marks=pytest.mark.slow),
    ],
)
def test_walls_end_the_run(sampler, beyond):
    chain = cf.sample(
        Walled(beyond), sampler, num_draws=100, num_chains=2, position=jnp.zeros((2, 2)), key=jr.key(0), throw=False
    )
    assert chain.status is Status.NON_FINITE
    assert chain.posterior["x"][..., 0].max() <= 1
    assert np.all(np.isfinite(chain.sample_stats["lp"]))
