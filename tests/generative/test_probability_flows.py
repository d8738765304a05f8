"""Models with a probability flow: with the exact network of normal data they are exact, with another one they are not."""

from itertools import pairwise

import equinox as eqx
import exact_networks as exact
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_networks import MEAN, SD

from cosmoflow.generative import (
    CosineSchedule,
    CriticallyDamped,
    Diffusion,
    EnergyNetwork,
    FlowMatching,
    Guidance,
    LinearSchedule,
    OscillationMatching,
    ReflectionMatching,
    TimeNetwork,
    ZigZagModel,
    _probability_flow,
    oscillation_scale,
)
from cosmoflow.targets import CorrelatedGaussian

TARGET = CorrelatedGaussian(MEAN, jnp.diag(SD**2))
SCHEDULES = {"v": CosineSchedule(), "noise": CosineSchedule(1e-6 * 2), "score": CosineSchedule(1e-6 * 2)}
SCALE = jnp.array([0.7, 1.1])


def diffusion(prediction, schedule=None, **settings):
    schedule = SCHEDULES.get(prediction, CosineSchedule()) if schedule is None else schedule
    network = exact.diffusion(prediction, schedule)
    return Diffusion(2, network, prediction=prediction, schedule=schedule, **settings)


MODELS = {
    "v": lambda: diffusion("v"),
    "noise": lambda: diffusion("noise"),
    "score": lambda: diffusion("score"),
    "energy": lambda: diffusion("energy"),
    "straight": lambda: FlowMatching(2, exact.flow_matching),
    "oscillation": lambda: OscillationMatching(2, exact.oscillation(0.8), scale=0.8),
    "oscillation, two scales": lambda: OscillationMatching(2, exact.oscillation(SCALE), scale=SCALE),
}
POINTS = TARGET.sample(jr.key(0), (5,))


@pytest.mark.soon(2)
@pytest.mark.parametrize("name", MODELS)
def test_exact_density(name):
    model = MODELS[name]()
    found = jax.jit(jax.vmap(model.log_prob))(POINTS)
    np.testing.assert_allclose(found, jax.vmap(TARGET.log_density)(POINTS), atol=1e-4)


@pytest.mark.slow
def test_tolerances():
    """At a hundredth of the tolerance the error is a tenth at most."""
    exactly = TARGET.log_density(POINTS[0])
    errors = [abs(MODELS["v"]().log_prob(POINTS[0], rtol=tol, atol=tol) - exactly) for tol in (1e-3, 1e-5, 1e-7)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-6


def test_too_many_steps_are_nan(monkeypatch):
    monkeypatch.setattr(_probability_flow, "MAX_STEPS", 4)
    assert jnp.isnan(MODELS["v"]().log_prob(POINTS[0]))


@pytest.mark.slow
def test_derivatives_of_the_density_in_both_modes():
    log_prob = MODELS["straight"]().log_prob
    score = jax.grad(TARGET.log_density)(POINTS[0])
    np.testing.assert_allclose(jax.grad(log_prob)(POINTS[0]), score, atol=1e-3)
    _, slope = jax.jvp(log_prob, (POINTS[0],), (jnp.ones(2),))
    np.testing.assert_allclose(slope, jnp.sum(score), atol=1e-3)


def test_a_density_holds_no_host_callback():
    assert "callback" not in jax.jit(MODELS["straight"]().log_prob).lower(POINTS[0]).as_text()


@pytest.mark.parametrize("name", MODELS)
def test_transport_is_the_affine_map(name):
    """The flow of one coordinate keeps quantiles, so that it carries z to mean + sd z."""
    model = MODELS[name]()
    z = jr.normal(jr.key(1), (5, 2))
    found = jax.jit(jax.vmap(lambda z: model.transport(z, num_steps=200)))(z)
    np.testing.assert_allclose(found, MEAN + SD * z, atol=2e-4)


def test_solvers_converge_with_their_order():
    z = jnp.array([0.8, -1.1])

    def error(solver, num_steps):
        model = FlowMatching(2, exact.flow_matching, solver=solver)
        return jnp.max(jnp.abs(model.transport(z, num_steps=num_steps) - MEAN - SD * z))

    for solver, order in (("euler", 1), ("heun", 2), ("rk4", 4)):
        np.testing.assert_allclose(jnp.log2(error(solver, 64) / error(solver, 128)), order, atol=0.2)


@pytest.mark.slow
def test_the_linear_schedule_is_exact_up_to_the_signal_it_leaves():
    left = jnp.cos(LinearSchedule().angle(jnp.array(1.0)))
    for prediction in ("v", "noise", "score", "energy"):
        model = diffusion(prediction, LinearSchedule())
        found = jax.vmap(lambda x: model.log_prob(x, rtol=1e-7, atol=1e-7))(POINTS)
        z = (POINTS - MEAN) / SD
        shift = jnp.abs(jax.vmap(TARGET.log_density)(POINTS) - found)
        assert jnp.all(shift < left * jnp.sum(jnp.abs(MEAN * z), axis=1) + left**2)


@pytest.mark.slow
def test_ddim_rotates_onto_the_affine_map():
    """With the error of first order that the rotation makes where E[x_0 | x] changes."""
    keys = jr.split(jr.key(3), 5)
    z = jax.vmap(lambda k: jr.normal(jr.split(k)[0], (2,)))(keys)

    def error(model, num_steps):
        found = jax.vmap(lambda k: model.sample(k, num_steps=num_steps))(keys)
        return jnp.max(jnp.abs(found - MEAN - SD * z))

    assert error(diffusion("v"), 400) < 1e-2
    np.testing.assert_allclose(error(diffusion("v"), 100) / error(diffusion("v"), 200), 2, atol=0.1)
    np.testing.assert_allclose(error(diffusion("score"), 50), error(diffusion("v"), 50), atol=1e-4)
    wrong = Diffusion(2, exact.diffusion("v", LinearSchedule()))
    assert error(wrong, 400) > 0.1


@pytest.mark.slow
def test_another_schedule_than_in_training_is_wrong():
    wrong = Diffusion(2, exact.diffusion("v", LinearSchedule()))
    found = jax.vmap(wrong.log_prob)(POINTS)
    assert jnp.max(jnp.abs(found - jax.vmap(TARGET.log_density)(POINTS))) > 0.1


@pytest.mark.soon(1)
@pytest.mark.parametrize("wrong", [False, True])
def test_ancestral_sampling(wrong):
    trained = LinearSchedule() if wrong else CosineSchedule()
    model = Diffusion(2, exact.diffusion("v", trained), sampler="ancestral")
    x = jax.jit(jax.vmap(lambda k: model.sample(k, num_steps=200)))(jr.split(jr.key(4), 4000))
    scores = jnp.concatenate(
        [(x.mean(axis=0) - MEAN) / (SD / 4000**0.5), (x.var(axis=0) / SD**2 - 1) / (2 / 4000) ** 0.5]
    )
    assert (jnp.max(jnp.abs(scores)) > 5) == wrong


def test_ancestral_sampling_of_nothing_but_noise_is_fresh():
    """For N(0, I) the network is zero, x_0 and e are cos(phi) x and sin(phi) x, and every step keeps the variance."""
    schedule = CosineSchedule()
    model = Diffusion(1, exact.diffusion("v", schedule, jnp.zeros(1), jnp.ones(1)), sampler="ancestral")
    x = jax.jit(jax.vmap(lambda k: model.sample(k, num_steps=8)))(jr.split(jr.key(5), 4000))
    variance = 1.0
    angles = model.grid(8)
    for a, b in pairwise(angles):
        kept = jnp.sin(b) ** 2 / jnp.sin(a) * jnp.cos(a) / jnp.cos(b)
        variance = (jnp.cos(b) * jnp.cos(a) + kept * jnp.sin(a)) ** 2 * variance + jnp.sin(b) ** 2 - kept**2
    assert abs(x.var() / variance - 1) < 5 * (2 / 4000) ** 0.5


def test_the_score_and_the_energy():
    time = jnp.array(0.3)
    x = POINTS[0]
    scores = [diffusion(p, CosineSchedule(0.01)).score(x, time) for p in ("v", "noise", "score", "energy")]
    for score in scores[1:]:
        np.testing.assert_allclose(score, scores[0], rtol=1e-9)
    model = diffusion("energy")
    shift = jax.vmap(model.log_density)(POINTS) - jax.vmap(TARGET.log_density)(POINTS)
    np.testing.assert_allclose(shift, shift[0], atol=1e-12)
    np.testing.assert_allclose(model.score(x, jnp.array(0.0)), jax.grad(TARGET.log_density)(x), rtol=1e-9)
    with pytest.raises(ValueError, match="gradient of no density"):
        diffusion("score").log_density(x)


@pytest.mark.slow
def test_the_oscillation_flow_is_diffusion_with_the_cosine_schedule():
    network = TimeNetwork(2, 2, width=16, depth=1, key=jr.key(0))
    one, other = OscillationMatching(2, network), Diffusion(2, network)
    x, key = POINTS[0], jr.key(8)
    np.testing.assert_allclose(one.loss(x, key=key), other.loss(x, key=key), rtol=1e-12)
    np.testing.assert_allclose(one.transport(x, num_steps=7), other.transport(x, num_steps=7), rtol=1e-12)
    np.testing.assert_allclose(one.log_prob(x), other.log_prob(x), rtol=1e-10)
    linear = Diffusion(2, network, schedule=LinearSchedule())
    assert abs(linear.log_prob(x) - other.log_prob(x)) > 1e-3


@pytest.mark.slow
def test_scales_are_units():
    """The oscillation flow of x with scales s is that of x / s with none."""
    network = TimeNetwork(2, 2, width=16, depth=1, key=jr.key(0))
    scaled = OscillationMatching(2, lambda x, t, c: network(x / SCALE, t, c), scale=SCALE)
    plain = OscillationMatching(2, network)
    x, key = POINTS[0], jr.key(8)
    np.testing.assert_allclose(scaled.loss(x * SCALE, key=key), plain.loss(x, key=key), rtol=1e-12)
    np.testing.assert_allclose(scaled.transport(x, num_steps=7), SCALE * plain.transport(x, num_steps=7), rtol=1e-12)
    shift = jnp.sum(jnp.log(SCALE))
    fine = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(scaled.log_prob(x * SCALE, **fine), plain.log_prob(x, **fine) - shift, atol=1e-7)


def test_scale_of_data():
    data = jnp.array([[1.0, 2.0], [-1.0, 4.0]])
    np.testing.assert_allclose(oscillation_scale(data), np.sqrt([5.5, 5.5]))
    np.testing.assert_allclose(oscillation_scale(data, diagonal=True), np.sqrt([1.0, 10.0]))


def wave(model, height):
    """Density (1 + A cos(k y)) / 2h of y = x + h, k = pi / 2h, and its exact velocity: the wave decays as a whole."""
    h = model.half_width
    k = jnp.pi / (2 * h)

    def velocity(x, time, condition=None):
        t = time * model.time_scale
        y, left = x + h, height * jnp.exp(-0.5 * (k * t) ** 2)
        return k * t * left * jnp.sin(k * y) / (1 + left * jnp.cos(k * y))

    return velocity, lambda x: jnp.log1p(height * jnp.cos(k * (x + h))) - jnp.log(2 * h)


@pytest.mark.slow
def test_reflection_in_a_box():
    plain = ReflectionMatching(1, exact.zero, half_width=1.5)
    velocity, log_density = wave(plain, 0.6)
    model = ReflectionMatching(1, velocity, half_width=1.5)
    x = jnp.linspace(-1.49, 1.49, 7)[:, None]
    found = jax.jit(jax.vmap(model.log_prob))(x)
    np.testing.assert_allclose(found, log_density(x[:, 0]), atol=1e-4)
    short = ReflectionMatching(1, velocity, half_width=1.5, duration=0.3)
    assert jnp.max(jnp.abs(jax.vmap(short.log_prob)(x) - log_density(x[:, 0]))) > 0.05
    draws = jax.jit(jax.vmap(lambda k: model.sample(k, num_steps=50)))(jr.split(jr.key(3), 4000))[:, 0]
    levels = jnp.linspace(-1.5, 1.5, 13)
    cumulative = (levels + 1.5) / 3 + 0.6 * jnp.sin(jnp.pi * (levels + 1.5) / 3) / jnp.pi
    empirical = jnp.mean(draws[:, None] <= levels, axis=0, dtype=float)
    assert jnp.max(jnp.abs(empirical - cumulative)) < 2.5 / 4000**0.5
    assert jnp.max(jnp.abs(empirical - (levels + 1.5) / 3)) > 5 / 4000**0.5


def test_walls_reflect():
    model = ReflectionMatching(1, exact.zero, half_width=1.0)
    for start, distance, end, sign in ((0.5, 1.0, 0.5, -1.0), (0.5, 3.0, -0.5, 1.0), (-0.5, -1.0, -0.5, -1.0)):
        x, v = model.noised(jnp.array([start]), jnp.array([distance / model.time_scale]), jnp.array(1.0))
        np.testing.assert_allclose(x, [end], atol=1e-12)
        np.testing.assert_allclose(v, [sign * distance / model.time_scale], atol=1e-12)


@pytest.mark.parametrize(
    ("model", "span", "speed"),
    [
        (Diffusion(2, exact.zero), (0.2, 1.3), 1.0),
        (FlowMatching(2, exact.zero), (0.2, 0.7), 1.0),
        (OscillationMatching(2, exact.zero, scale=SCALE), (0.2, 1.3), SCALE),
        (ReflectionMatching(2, exact.zero, half_width=2.0), (0.2, 0.9), 6.0),
    ],
)
def test_targets_are_the_velocities_of_paths(model, span, speed):
    x, noise = POINTS[1], jnp.array([0.4, -0.9])
    for s in jnp.linspace(*span, 3):
        _, rate = jax.jvp(lambda s: model.noised(x, noise, s)[0], (s,), (jnp.ones(()),))
        np.testing.assert_allclose(rate, speed * model.noised(x, noise, s)[1], rtol=1e-10)


def test_schedules_are_the_moments_of_their_equation():
    """d log cos(phi) / dt = -beta / 2, and time is the inverse of angle."""
    linear = LinearSchedule(0.2, 12.0)
    for t in jnp.array([0.01, 0.3, 0.9]):
        rate = jax.grad(lambda t: -2 * jnp.log(jnp.cos(linear.angle(t))))(t)
        np.testing.assert_allclose(rate, 0.2 + 11.8 * t, rtol=1e-9)
        for schedule in (linear, CosineSchedule(0.1)):
            np.testing.assert_allclose(schedule.time(schedule.angle(t)), t, rtol=1e-9)
    assert linear.angle(jnp.zeros(())) == 0 == CosineSchedule(0.1).angle(jnp.zeros(()))


GUIDED = TimeNetwork(2, 2, cond_size=1, width=16, depth=1, key=jr.key(0))


@pytest.mark.parametrize("process", [Diffusion, FlowMatching, OscillationMatching])
def test_guidance(process):
    x, key, c, null = POINTS[0], jr.key(1), jnp.array([0.5]), jnp.array([9.0])
    plain = process(2, GUIDED)
    without = process(2, GUIDED, guidance=Guidance(null))
    strong = process(2, GUIDED, guidance=Guidance(null, weight=2.0, dropout=1.0))
    s = jnp.array(0.4)
    with_condition, with_null = plain.velocity(x, s, c), plain.velocity(x, s, null)
    np.testing.assert_array_equal(without.velocity(x, s, c), with_condition)
    np.testing.assert_array_equal(without.velocity(x, s), with_null)
    np.testing.assert_allclose(strong.velocity(x, s, c), 3 * with_condition - 2 * with_null, rtol=1e-12)
    assert strong.num_evaluations(5) == 2 * plain.num_evaluations(5) == 2 * without.num_evaluations(5)
    np.testing.assert_array_equal(strong.loss(x, key=key, condition=c), plain.loss(x, key=key, condition=null))
    never = process(2, GUIDED, guidance=Guidance(null, weight=2.0, dropout=0.0))
    np.testing.assert_array_equal(never.loss(x, key=key, condition=c), plain.loss(x, key=key, condition=c))


def test_conditions_move_the_law():
    schedule = CosineSchedule()
    model = Diffusion(2, exact.diffusion("v", schedule))
    c = jnp.array([2.0, -1.0])
    exactly = CorrelatedGaussian(c, jnp.diag(SD**2)).log_density(POINTS[0])
    np.testing.assert_allclose(model.log_prob(POINTS[0], condition=c), exactly, atol=1e-4)


def counted(model, condition=None):
    """How often `sample` with three steps calls the network."""
    calls = []

    def network(x, time, c=None):
        calls.append(time)
        return jnp.zeros_like(x)

    model = type(model)(2, network, **{k: v for k, v in vars(model).items() if k not in ("dim", "network", "scale")})
    with jax.disable_jit():
        model.sample(jr.key(0), num_steps=3, condition=condition)
    return len(calls), model.num_evaluations(3)


@pytest.mark.soon(2)
@pytest.mark.parametrize(
    "model",
    [
        *(Diffusion(2, exact.zero, sampler=s) for s in ("ddim", "ancestral", "ode")),
        *(FlowMatching(2, exact.zero, solver=s) for s in ("euler", "heun", "rk4")),
        OscillationMatching(2, exact.zero),
        ReflectionMatching(2, exact.zero, guidance=Guidance([0.0], weight=1.0)),
    ],
)
def test_evaluations_are_counted(model):
    found, promised = counted(model, None if model.guidance is None else jnp.ones(1))
    assert found == promised


@pytest.mark.parametrize(
    "model",
    [
        *(Diffusion(2, exact.zero, sampler=s) for s in ("ddim", "ancestral", "ode")),
        FlowMatching(2, exact.zero),
        OscillationMatching(2, exact.zero),
        ReflectionMatching(2, exact.zero),
        CriticallyDamped(2, exact.zero),
        ZigZagModel(2, exact.zero),
    ],
)
def test_no_draw_without_a_step(model):
    with pytest.raises(ValueError, match="`num_steps` is 0, but the way from noise to data takes at least one step"):
        model.sample(jr.key(0), num_steps=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Diffusion(2, exact.zero, prediction="x"), "no prediction 'x'; choose one of v, noise"),
        (lambda: Diffusion(2, exact.zero, sampler="euler"), "no sampler 'euler'"),
        (lambda: Diffusion(2, exact.zero, prediction="noise"), "CosineSchedule\\(margin=0.01\\)"),
        (lambda: FlowMatching(2, exact.zero, solver="rk5"), "no solver 'rk5'"),
        (lambda: FlowMatching(0, exact.zero), "`dim` is 0"),
        (lambda: OscillationMatching(2, exact.zero, scale=[1.0, 0.0]), "`scale` must be"),
        (lambda: OscillationMatching(2, exact.zero, scale=[1.0, 1.0, 1.0]), "`scale` must be"),
        (lambda: ReflectionMatching(2, exact.zero, duration=0.0), "`duration` is 0"),
        (lambda: CosineSchedule(2.0), "`margin` is 2"),
        (lambda: LinearSchedule(2.0, 1.0), "not from 2.0 to 1.0"),
        (lambda: Guidance([0.0], dropout=1.5), "`dropout` is 1.5"),
    ],
)
def test_bad_settings_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.slow
def test_single_precision():
    with jax.enable_x64(False):
        network = TimeNetwork(2, 2, cond_size=1, width=8, depth=1, key=jr.key(0))
        models = [
            Diffusion(2, network, guidance=Guidance([9.0], weight=1.0), sampler="ancestral"),
            Diffusion(2, network, prediction="score", schedule=LinearSchedule()),
            Diffusion(2, EnergyNetwork(network), prediction="energy"),
            FlowMatching(2, network),
            OscillationMatching(2, network),
            ReflectionMatching(2, network),
        ]
        x, c = jnp.array([0.3, -0.2]), jnp.array([0.1])
        for model in models:
            assert_finite(eqx.filter_jit(eqx.filter_grad(lambda m: m.loss(x, key=jr.key(2), condition=c)))(model))
            assert_finite(eqx.filter_jit(lambda m: m.sample(jr.key(1), num_steps=3, condition=c))(model))
        assert_finite(jax.jit(jax.grad(lambda x: models[3].log_prob(x, condition=c)))(x))


def assert_finite(tree):
    for value in jax.tree.leaves(tree):
        assert value.dtype == jnp.float32
        assert jnp.all(jnp.isfinite(value))
