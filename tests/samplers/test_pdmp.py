"""Piecewise deterministic processes: motions, jumps, trajectories, and what they cost."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow.samplers import (
    Boomerang,
    BouncyParticle,
    CoordinateSampler,
    ForwardEventChain,
    Rotation,
    Straight,
    ZigZag,
)
from cosmoflow.samplers.pdmp import (
    ConstantBound,
    HessianBound,
    Moments,
    Quadrature,
    SlopeBound,
    path_integral,
    skeleton,
)
from cosmoflow.targets import CorrelatedGaussian

PROCESSES = {
    "zig_zag": ZigZag,
    "bouncy_particle": BouncyParticle,
    "forward_event_chain": ForwardEventChain,
    "boomerang": Boomerang,
    "coordinate": CoordinateSampler,
}
MOTIONS = [Straight(), Rotation()]
CORRELATED = CorrelatedGaussian([0.3, -0.2], [[1.0, 0.5], [0.5, 0.6]])


def start(target, sampler, num_chains=4):
    keys = jr.split(jr.key(0), num_chains)
    return jax.vmap(lambda k: sampler.init(target, target.sample(k), key=k))(keys)


@pytest.mark.parametrize("motion", MOTIONS)
def test_motion_is_a_flow_along_its_velocity(motion):
    x, v = jr.normal(jr.key(0), (2, 4))
    there = motion.move(x, v, jnp.asarray(0.7))
    np.testing.assert_allclose(motion.move(*there, jnp.asarray(-1.9)), motion.move(x, v, jnp.asarray(-1.2)), atol=1e-12)
    _, speed = jax.jvp(lambda t: motion.move(x, v, t)[0], (jnp.asarray(0.7),), (jnp.ones(()),))
    np.testing.assert_allclose(speed, there[1], atol=1e-12)


def test_rotation_preserves_the_standard_normal_law():
    x, v = jr.normal(jr.key(0), (2, 4))
    y, w = Rotation().move(x, v, jnp.asarray(0.7))
    np.testing.assert_allclose(y @ y + w @ w, x @ x + v @ v, rtol=1e-12)


@pytest.mark.parametrize("motion", MOTIONS)
def test_moments_of_a_piece(motion):
    x, v = jr.normal(jr.key(0), (2, 3))
    quadrature = Quadrature(lambda y: (y, jnp.outer(y, y)), num_nodes=20)
    exact = quadrature(motion, x, v, jnp.asarray(1.3))
    for ours, theirs in zip(Moments()(motion, x, v, jnp.asarray(1.3)), exact, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("process", [p for p in PROCESSES if p != "zig_zag"])
def test_rates_of_opposite_velocities_differ_by_the_slope(process):
    gradient, x, v = jr.normal(jr.key(0), (3, 5))

    def rate(w):
        return jnp.maximum(PROCESSES[process]().event_rates(gradient, x, w), 0)

    np.testing.assert_allclose(rate(v) - rate(-v), [v @ gradient], rtol=1e-12)


@pytest.mark.parametrize("process", ["bouncy_particle", "boomerang"])
def test_reflection_is_an_isometry_and_its_own_inverse(process):
    gradient, v = jr.normal(jr.key(0), (2, 5))

    def jump(w):
        return PROCESSES[process]().jump(gradient, w, w, jnp.asarray(0), key=jr.key(1))

    np.testing.assert_allclose(jump(jump(v)), v, atol=1e-12)
    np.testing.assert_allclose(jump(v) @ jump(v), v @ v, rtol=1e-12)
    np.testing.assert_allclose(jump(v) @ gradient, -(v @ gradient), rtol=1e-12)


def jumps(sampler, gradient, velocities):
    keys = jr.split(jr.key(2), len(velocities))
    return jax.vmap(lambda v, k: sampler.jump(gradient, v, v, jnp.asarray(0), key=k))(velocities, keys)


def test_event_chain_jump_goes_down_and_keeps_the_normal_law_across():
    gradient, dim = jr.normal(jr.key(0), (5,)), 5
    normal = gradient / jnp.linalg.norm(gradient)
    new = np.asarray(jumps(ForwardEventChain(), gradient, jr.normal(jr.key(1), (40_000, dim))))
    along = new @ np.asarray(normal)
    assert np.all(along < 0)
    assert abs(np.mean(along) + np.sqrt(np.pi / 2)) < 5 * np.sqrt((2 - np.pi / 2) / 40_000)
    across = new - along[:, None] * np.asarray(normal)
    assert abs(np.mean(np.sum(across**2, axis=1)) - (dim - 1)) < 5 * np.sqrt(2 * (dim - 1) / 40_000)


def test_coordinate_jump_takes_directions_by_the_rate_of_their_opposites():
    gradient = jnp.array([1.0, -3.0])
    new = np.asarray(
        jumps(CoordinateSampler(refreshment_rate=0.5), gradient, jnp.tile(jnp.array([1.0, 0.0]), (40_000, 1)))
    )
    seen = [np.mean(np.all(new == v, axis=1)) for v in ([-1, 0], [1, 0], [0, 1], [0, -1])]
    exact = np.array([1.5, 0.5, 3.5, 0.5]) / 6
    np.testing.assert_array_less(np.abs(seen - exact), 5 * np.sqrt(exact * (1 - exact) / 40_000))


@pytest.mark.slow
@pytest.mark.parametrize(
    "process",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "zig_zag")) for name in PROCESSES],
)
def test_skeleton_path_integral_and_draws_are_one_trajectory(process):
    sampler = PROCESSES[process]()
    states = start(CORRELATED, sampler)
    events, end = skeleton(CORRELATED, sampler, states, 50)
    total, same_end = path_integral(CORRELATED, sampler, states, Moments(), 50)
    np.testing.assert_array_equal(end.position, same_end.position)
    np.testing.assert_allclose(events.times[:, -1], total.duration, rtol=1e-12)
    pieces = jax.vmap(jax.vmap(events.motion.moments))(
        events.positions[:, :-1], events.velocities[:, :-1], jnp.diff(events.times)
    )
    for ours, theirs in zip(total.integral, pieces, strict=True):
        np.testing.assert_allclose(ours, jnp.sum(theirs, axis=1), rtol=1e-9, atol=1e-9)

    _, draws, infos = sampler.run_chunk(CORRELATED, states, jnp.asarray(5), capacity=5)
    times = sampler.draw_interval * jnp.arange(1.0, 6.0)
    inside = np.asarray(times < jnp.min(events.times[:, -1]))
    np.testing.assert_allclose(draws.position[:, inside], events.at(times)[:, inside], atol=1e-10)
    assert inside.sum() >= 3
    np.testing.assert_array_equal(infos.num_gradients, infos.num_bounds * (1 + sampler.bound.num_gradients))


def moments_of_paths(target, sampler, num_stretches, num_events):
    """z-scores of the moments, from the scatter of stretches."""
    states, means, weights = start(target, sampler), [], []
    for _ in range(num_stretches):
        total, states = path_integral(target, sampler, states, Moments(), num_events)
        means.append(np.concatenate([np.ravel(np.sum(v, axis=0)) for v in total.integral]))
        weights.append(float(total.duration.sum()))
    means, weights = np.array(means), np.array(weights)
    estimate = means.sum(0) / weights.sum()
    scatter = np.std(means - estimate * weights[:, None], axis=0) * np.sqrt(num_stretches) / weights.sum()
    exact = np.concatenate([np.asarray(target.mean()), np.ravel(COVARIANCE + np.outer(target.mean(), target.mean()))])
    return (estimate - exact) / scatter


COVARIANCE = np.array([[1.0, 0.5], [0.5, 0.6]])


@pytest.mark.soon(1)
@pytest.mark.parametrize("process", PROCESSES)
def test_moments_of_paths(process):
    assert np.max(np.abs(moments_of_paths(CORRELATED, PROCESSES[process](), 20, 500))) < 5


class Hasty(ForwardEventChain):
    """Every rate is half again too high."""

    def event_rates(self, gradient, position, velocity):
        return 1.5 * super().event_rates(gradient, position, velocity)


@pytest.mark.slow
def test_a_hasty_path_has_wrong_moments():
    assert np.max(np.abs(moments_of_paths(CORRELATED, Hasty(), 20, 500))) > 8


@pytest.mark.slow
def test_a_million_events_in_constant_memory():
    sampler = ForwardEventChain()
    states = start(CORRELATED, sampler, 1)
    compiled = jax.jit(lambda s, n: path_integral(CORRELATED, sampler, s, Moments(), n))
    memory = compiled.lower(states, jnp.asarray(1)).compile().memory_analysis().temp_size_in_bytes
    assert memory < 100_000
    total, _ = compiled(states, jnp.asarray(1_000_000))
    assert int(total.num_events[0]) == 1_000_000
    np.testing.assert_allclose(total.mean()[0][0], CORRELATED.mean(), atol=0.02)
    np.testing.assert_allclose(
        total.mean()[1][0], COVARIANCE + np.outer(CORRELATED.mean(), CORRELATED.mean()), atol=0.03
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler",
    [
        ForwardEventChain(bound=HessianBound(3.9)),
        ZigZag(bound=HessianBound(3.9)),
        BouncyParticle(
            bound=ConstantBound(
                lambda x, v, h: 3.9 * jnp.linalg.norm(v) * (0.5 + jnp.linalg.norm(x) + h * jnp.linalg.norm(v))
            )
        ),
    ],
)
def test_given_bounds_hold_and_cost_nothing(sampler):
    chain = cf.sample(CORRELATED, sampler, num_draws=500, num_chains=2, key=jr.key(0))
    assert chain.sample_stats["num_violations"].sum() == 0
    assert chain.sample_stats["num_directional_derivatives"].sum() == 0
    np.testing.assert_array_equal(chain.sample_stats["num_gradients"], chain.sample_stats["num_bounds"])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: BouncyParticle(refreshment_rate=-1.0), "BouncyParticle's refreshment_rate is -1"),
        (lambda: Boomerang(draw_interval=0.0), "Boomerang's draw_interval is 0"),
        (lambda: ForwardEventChain(renewal=0.0), "renewal is 0"),
        (lambda: SlopeBound(num_cells=0), "num_cells is 0"),
        (lambda: HessianBound(-1.0), "norm is -1"),
        (lambda: _tick(ZigZag(bound=SlopeBound())), "one clock"),
        (lambda: _tick(Boomerang(bound=HessianBound(1.0))), "straight lines"),
    ],
)
def test_bad_choices_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def _tick(sampler):
    return sampler.tick(CORRELATED, sampler.init(CORRELATED, jnp.zeros(2), key=jr.key(0)))
