"""The zig-zag process: its clock, its bounds, its algebra, and what it does when a bound fails."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import cosmoflow as cf
from cosmoflow._results import RunError, Status
from cosmoflow.samplers import ZigZag
from cosmoflow.targets import AbstractTarget, Banana, CorrelatedGaussian, GaussianMixture


def first_events(rates, horizon, num, bound):
    time, clock, majorant = jax.vmap(lambda k: bound.first_event(rates, horizon, key=k))(jr.split(jr.key(0), num))
    return np.asarray(time), np.asarray(clock), np.asarray(majorant)


def test_first_event_of_linear_rates_has_the_exact_law():
    rates = jnp.array([[-1.0, 0.2], [0.0, 0.3], [1.0, 0.4], [2.0, 0.5]])
    time, clock, majorant = first_events(rates, jnp.asarray(3.0), 20_000, ChordBound(safety=0.0))
    lift = 0.01 * np.mean(np.abs(rates), axis=0)

    def integral(t):
        first = 0.5 * max(t - 1 + lift[0], 0) ** 2
        return first + (0.2 + lift[1]) * t + 0.05 * t**2

    inside = np.isfinite(time)
    survival = np.exp(-np.array([integral(t) for t in time[inside]]))
    floor = np.exp(-integral(3.0))
    assert abs(np.mean(~inside) - floor) < 5 * np.sqrt(floor / 20_000)
    assert stats.kstest((survival - floor) / (1 - floor), "uniform").pvalue > 1e-4
    expected = np.stack([time - 1 + lift[0], 0.2 + lift[1] + 0.1 * time], axis=1)[inside]
    np.testing.assert_allclose(majorant[inside], expected, atol=1e-10)
    assert set(clock) == {0, 1}


@pytest.mark.parametrize("shape", [lambda t: jnp.sin(3 * t), lambda t: t**2 - 0.3, lambda t: 1 - (t - 0.4) ** 2])
def test_bound_holds_on_smooth_rates(shape):
    nodes = jnp.linspace(0, 1, 4)
    rates = shape(nodes)[:, None]
    time, _, majorant = first_events(rates, jnp.asarray(1.0), 4000, ChordBound())
    inside = np.isfinite(time)
    true = np.asarray(shape(jnp.asarray(time[inside])))
    assert np.all(majorant[inside, 0] > true)


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


@pytest.mark.parametrize(
    "target",
    [CorrelatedGaussian(jnp.zeros(2), jnp.eye(2)), Banana(), GaussianMixture([0.5, 0.5], [[-1.5, 0.0], [1.5, 0.0]])],
)
def test_clock(target):
    """Between events the integral of the true rate is Exp(1)."""
    sampler = ZigZag()
    state = sampler.init(target, jnp.array([0.3, -0.2]), key=jr.key(4))
    num_ticks = 20_000

    @jax.jit
    def run(state):
        def body(state, _):
            new, tick = sampler._tick(target, state)
            return new, (new.position, new.velocity, state.position, state.velocity, tick.event)

        return jax.lax.scan(body, state, length=num_ticks)[1]

    end, _, start, velocity, event = run(state)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    elapsed = jnp.max(jnp.abs(end - start), axis=1)
    times = 0.5 * elapsed[:, None] * (1 + nodes)

    @jax.jit
    @jax.vmap
    def integral(x, v, t):
        rates = jax.vmap(lambda s: jnp.sum(jnp.maximum(v * jax.grad(lambda y: -target.log_density(y))(x + s * v), 0)))(
            t
        )
        return rates @ weights

    pieces = np.asarray(0.5 * elapsed * integral(start, velocity, times))
    groups = np.cumsum(np.asarray(event)) - np.asarray(event)
    clocks = np.bincount(groups, pieces)[1:-1]
    assert len(clocks) > 2000
    assert stats.kstest(clocks, "expon").pvalue > 1e-4
    assert abs(np.corrcoef(clocks[1:], clocks[:-1])[0, 1]) < 5 / np.sqrt(len(clocks))


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


@pytest.mark.parametrize(
    ("sampler", "beyond"),
    [
        (cf.samplers.ZigZag(), np.nan),
        (cf.samplers.ZigZag(), -np.inf),
        (cf.samplers.GHMC(), np.nan),
        (cf.samplers.NUTS(), np.nan),
    ],
)
def test_walls_end_the_run(sampler, beyond):
    chain = cf.sample(
        Walled(beyond), sampler, num_draws=100, num_chains=2, position=jnp.zeros((2, 2)), key=jr.key(0), throw=False
    )
    assert chain.status is Status.NON_FINITE
    assert chain.posterior["x"][..., 0].max() <= 1
    assert np.all(np.isfinite(chain.sample_stats["lp"]))
