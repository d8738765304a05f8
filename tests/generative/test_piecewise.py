"""Piecewise deterministic models: the forward law and its reversal against Kolmogorov's equation, limits, errors."""

from functools import cache
from itertools import product

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from flowjax.distributions import StandardNormal
from generative.kolmogorov import Data, ExactRatios, ExactVelocity, Stationary, solve, vmapped
from scipy import stats

from cosmoflow.generative import (
    BouncyParticleModel,
    ForwardEventChainModel,
    RandomisedHamiltonianModel,
    TimeNetwork,
    VelocityFlow,
    VelocityMixture,
    ZigZagModel,
)
from cosmoflow.generative._velocity import DiagonalMixture
from cosmoflow.generative._zig_zag import ratio_matching

HORIZON = 10.0
MODELS = {
    "bouncy_particle": BouncyParticleModel,
    "forward_event_chain": ForwardEventChainModel,
    "randomised_hamiltonian": RandomisedHamiltonianModel,
    "zig_zag": ZigZagModel,
}
names = pytest.mark.parametrize("name", MODELS)


@cache
def solution(name):
    dt, stride = {"zig_zag": (0.01, 5), "randomised_hamiltonian": (0.05, 1)}.get(name, (0.1, 1))
    return solve(name, HORIZON, dt, stride)


def exact(name):
    law = ExactRatios if name == "zig_zag" else ExactVelocity
    return MODELS[name](1, law.of(solution(name), HORIZON), HORIZON)


def forward_rates(name, dim=1):
    return MODELS[name](dim, (lambda x, clock, c: jnp.zeros(dim)) if name == "zig_zag" else Stationary(dim))


def z_scores(observed, expected):
    """Of probabilities of events, from indicators."""
    expected = np.asarray(expected)
    return (observed.mean(axis=0) - expected) / np.sqrt(expected * (1 - expected) / len(observed))


@pytest.mark.soon(1)
@names
def test_forward_law_solves_kolmogorovs_equation(name):
    starts = jnp.asarray(Data.sample(np.random.default_rng(0), 40_000))
    model, points = forward_rates(name), np.linspace(-2, 2, 9)
    run = jax.jit(jax.vmap(lambda x, t, k: model.noised(x[None], t, key=k), (0, None, 0)))
    law = solution(name)
    for time in (0.5, 1.5):
        x, v = (np.asarray(a[:, 0]) for a in run(starts, jnp.asarray(time), jr.split(jr.key(1), starts.size)))
        right = law.at(time)[:, law.v > 0].sum(axis=1)
        edges = law.x + (law.x[1] - law.x[0]) / 2
        joint = np.interp(points, edges, np.cumsum(right))
        assert np.max(np.abs(z_scores(x[:, None] < points, law.cdf(time, points)))) < 5
        assert np.max(np.abs(z_scores((x[:, None] < points) & (v[:, None] > 0), joint))) < 5
        assert np.max(np.abs(z_scores(x[:, None] < points, law.cdf(time + 0.2, points)))) > 5  # a little later


@names
def test_grids_have_converged(name):
    points, fine = np.linspace(-3, 3, 25), solve(name, 1.0, 0.005 if name == "zig_zag" else 0.05)
    assert np.max(np.abs(solution(name).cdf(1.0, points) - fine.cdf(1.0, points))) < 8e-4
    assert solution(name).distance(HORIZON) < 0.01


def test_the_grid_of_the_hamiltonian_process_has_its_moments():
    law, times = solution("randomised_hamiltonian"), np.array([0.5, 1.0, 2.5])
    omega = np.sqrt(3) / 2  # m'' + lambda_r m' + m = 0, m(0) = mean, m'(0) = 0, for lambda_r = 1
    means = Data.mean * np.exp(-times / 2) * (np.cos(omega * times) + np.sin(omega * times) / np.sqrt(3))
    np.testing.assert_allclose([law.at(t).sum(axis=1) @ law.x for t in times], means, atol=1e-3)


QUANTILE = -1.7
SPLIT = 0.0


def discrepancies(draws):
    """Mean, variance, weight of a mode and a quantile of draws, in standard errors from those of the data."""
    n, deviations = len(draws), draws - Data.mean
    kurtosis = np.mean(deviations**4) / Data.variance**2
    return np.array(
        [
            deviations.mean() / np.sqrt(Data.variance / n),
            (np.mean(deviations**2) / Data.variance - 1) / np.sqrt((kurtosis - 1) / n),
            *z_scores(draws[:, None] < np.array([SPLIT, QUANTILE]), Data.cdf(np.array([SPLIT, QUANTILE]))),
        ]
    )


def reversal(name, num_steps, num):
    model = exact(name)
    return vmapped(lambda model, k: model.sample(k, num_steps=num_steps)[0], model, num, jr.key(2))


@pytest.mark.soon(1)
@names
def test_reversal_with_exact_rates_returns_the_data(name):
    assert np.max(np.abs(discrepancies(reversal(name, num_steps=150, num=4000)))) < 5


@pytest.mark.slow
@names
def test_reversal_with_exact_rates_returns_the_data_finely(name):
    assert np.max(np.abs(discrepancies(reversal(name, num_steps=400, num=30_000)))) < 5


@pytest.mark.soon(1)
@names
def test_reversal_with_forward_rates_stays_noise(name):
    draws = vmapped(lambda model, k: model.sample(k, num_steps=50)[0], forward_rates(name), 4000, jr.key(3))
    assert np.min(np.abs(discrepancies(draws))[[0, 2]]) > 20  # mean and weight
    assert stats.kstest(draws, "norm").pvalue > 1e-4


@pytest.mark.slow
@names
def test_noise_is_the_limit_in_three_dimensions(name):
    model, start = forward_rates(name, dim=3), jnp.array([2.0, -1.0, 0.5])
    x, v = vmapped(lambda model, k: model.noised(start, jnp.asarray(15.0), key=k), model, 2000, jr.key(4))
    drawn = vmapped(lambda model, k: model.sample(k, num_steps=40), model, 2000, jr.key(5))
    for normal in (x, drawn) if name == "zig_zag" else (x, v, drawn):
        assert min(stats.kstest(normal, "norm").pvalue) > 1e-4
        assert stats.kstest(np.sum(normal**2, axis=1), "chi2", (3,)).pvalue > 1e-4
    early, _ = vmapped(lambda model, k: model.noised(start, jnp.asarray(0.5), key=k), model, 2000, jr.key(4))
    assert min(stats.kstest(early, "norm").pvalue) < 1e-9


@pytest.mark.soon(1)
@pytest.mark.parametrize("name", ["bouncy_particle", "forward_event_chain"])
def test_reversed_events_balance_the_forward_ones(name):
    """At a fixed x, p(v) q(v, w) = p(w) q_reversed(w, v), as means of functions of v and w."""
    model, x = forward_rates(name, dim=2), jnp.array([0.9, -0.6])
    means, scales = jnp.array([[-0.8, 0.5], [1.0, 0.2]]), jnp.array([[0.8, 1.0], [1.1, 0.8]])
    law = DiagonalMixture(jnp.log(jnp.array([0.4, 0.6])), means, jnp.log(scales))

    def observables(rate, v, w):
        return rate * jnp.array([1.0, v[0], v[1], w[0], jnp.sin(v[0] - w[1]), v[0] * w[0]])

    def forward(law, key):
        key_v, key_jump = jr.split(key)
        v = law.sample(key_v)
        return observables(jnp.maximum(v @ x, 0), v, model.jump(x, v, key=key_jump))

    def reversed_(laws, key):
        key_w, key_event = jr.split(key)
        w = laws[0].sample(key_w)
        rate, v = model.reversed_event(laws[1], x, w, key=key_event)
        return observables(rate, v, w)

    num = 10_000
    there = vmapped(forward, law, num, jr.key(6))
    back = vmapped(reversed_, (law, law), num, jr.key(7))
    wrong = vmapped(reversed_, (law, StandardNormal((2,))), num, jr.key(7))

    def z(a, b):
        return np.max(np.abs(a.mean(axis=0) - b.mean(axis=0)) / np.sqrt((a.var(axis=0) + b.var(axis=0)) / num))

    assert z(there, back) < 5
    assert z(there, wrong) > 5


@pytest.mark.slow
def test_ratio_matching_is_least_at_the_exact_ratios():
    states = jnp.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    p = jnp.array([0.1, 0.4, 0.3, 0.2])

    def index(v):
        return jnp.where(v > 0, jnp.array([2, 1]), 0).sum()

    def mean_loss(table):
        losses = jax.vmap(lambda v: ratio_matching(lambda v: table[index(v)], v, key=jr.key(0)))(states)
        return p @ losses

    exact = jnp.stack([jnp.log(p[jnp.array([2, 3, 0, 1])] / p), jnp.log(p[jnp.array([1, 0, 3, 2])] / p)], axis=1)
    np.testing.assert_allclose(jax.grad(mean_loss)(exact), 0, atol=1e-12)
    curvatures = np.linalg.eigvalsh(jax.hessian(mean_loss)(exact).reshape(8, 8))
    assert curvatures.min() > 1e-3
    assert np.max(np.abs(jax.grad(mean_loss)(exact + 0.1))) > 1e-3


@pytest.mark.slow
def test_ratio_matching_of_a_few_coordinates_stands_for_all():
    v, slopes = jr.rademacher(jr.key(0), (12,), float), jnp.linspace(-1.0, 1.0, 12)

    def log_ratios(v):
        return slopes * v

    g = jax.nn.sigmoid
    full = jnp.sum(g(-slopes * v) ** 2 + g(slopes * v) ** 2 - 2 * g(-slopes * v))
    some = jax.vmap(lambda k: ratio_matching(log_ratios, v, key=k))(jr.split(jr.key(1), 2000))
    assert abs(some.mean() - full) < 5 * some.std() / np.sqrt(2000)
    assert some.std() > 0


def trainable(name, velocity, dim, cond_size, key):
    """A model with a small network."""
    if name == "zig_zag":
        return ZigZagModel(dim, TimeNetwork(2 * dim, dim, cond_size=cond_size, width=8, depth=1, key=key))
    return MODELS[name](dim, velocity(dim, cond_size=cond_size, width=8, depth=1, key=key))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "velocity"),
    [("zig_zag", None), *product(sorted(MODELS.keys() - {"zig_zag"}), [VelocityMixture, VelocityFlow])],
)
def test_losses_and_draws_depend_on_the_condition(name, velocity):
    model = trainable(name, velocity, dim=2, cond_size=1, key=jr.key(0))

    @eqx.filter_jit
    def evaluated(model, c):
        value, gradient = eqx.filter_value_and_grad(lambda m: m.loss(jnp.ones(2), key=jr.key(1), condition=c))(model)
        return value, gradient, jax.vmap(lambda k: model.sample(k, num_steps=3, condition=c))(jr.split(jr.key(2), 50))

    one, two = (evaluated(model, jnp.array([c])) for c in (-1.0, 3.0))
    leaves = jax.tree.leaves(eqx.filter(one[1], eqx.is_inexact_array))
    assert all(np.all(np.isfinite(leaf)) for leaf in leaves)
    assert any(np.any(leaf != 0) for leaf in leaves)
    assert one[0] != two[0]
    assert np.all(np.isfinite(one[2])) and np.any(one[2] != two[2])


@pytest.mark.slow
@names
def test_single_precision(name):
    with jax.enable_x64(False):
        model = trainable(name, VelocityMixture, dim=2, cond_size=0, key=jr.key(0))
        x, v = model.noised(jnp.ones(2), jnp.asarray(2.0), key=jr.key(1))
        draw, loss = model.sample(jr.key(2), num_steps=3), model.loss(jnp.ones(2), key=jr.key(3))
    for value in (x, v, draw, loss):
        assert value.dtype == jnp.float32 and np.all(np.isfinite(value))


@pytest.mark.slow
def test_mixtures_are_normalised():
    law = VelocityMixture(1, num_components=3, width=8, depth=1, key=jr.key(0))(jnp.ones(1), jnp.asarray(0.3))
    v = np.linspace(-20, 20, 4001)
    density = np.exp(law.log_prob(v[:, None]))
    np.testing.assert_allclose(np.trapezoid(density, v), 1, rtol=1e-9)
    cdf = np.cumsum(density) * (v[1] - v[0])
    assert stats.kstest(np.asarray(law.sample(jr.key(1), (2000,))[:, 0]), lambda x: np.interp(x, v, cdf)).pvalue > 1e-4


@names
def test_evaluations_are_counted(name):
    calls = {"bouncy_particle": 6, "forward_event_chain": 21, "randomised_hamiltonian": 2, "zig_zag": 1}[name]
    assert forward_rates(name).num_evaluations(10) == 10 * calls
    assert trainable(name, VelocityMixture, 1, 0, jr.key(0)).num_evaluations(10) == 10


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ZigZagModel(0, jnp.sin), "dim is 0"),
        (lambda: ZigZagModel(1, jnp.sin, horizon=-1.0), "horizon is -1.0"),
        (lambda: BouncyParticleModel(1, Stationary(1), refreshment_rate=0.0), "refreshment_rate is 0.0"),
        (lambda: RandomisedHamiltonianModel(1, Stationary(1), refreshment_rate=0.0), "refreshment_rate is 0.0"),
        (lambda: ForwardEventChainModel(1, Stationary(1), refreshment_rate=-1.0), "refreshment_rate is -1.0"),
        (lambda: ForwardEventChainModel(1, Stationary(1), num_candidates=0), "num_candidates is 0"),
        (lambda: VelocityMixture(1, num_components=0, key=jr.key(0)), "num_components is 0"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


CENTRES = np.array([[i, j] for i in (-1.0, 0.0, 1.0) for j in (-1.0, 0.0, 1.0)])
WEIGHTS = np.array([0.01, 0.1, 0.3, 0.2, 0.02, 0.15, 0.02, 0.15, 0.05])


@pytest.mark.slow
@names
def test_training_learns_nine_modes(name):
    rng = np.random.default_rng(0)
    data = jnp.asarray(CENTRES[rng.choice(9, 20_000, p=WEIGHTS)] + 0.1 * rng.normal(size=(20_000, 2)))
    key_model, key_run, key_draws = jr.split(jr.key(0), 3)
    if name == "zig_zag":
        model = ZigZagModel(2, TimeNetwork(4, 2, width=64, depth=3, key=key_model))
    else:
        model = MODELS[name](2, VelocityMixture(2, width=64, depth=3, key=key_model))
    num_steps = 10_000 if name == "zig_zag" else 2500  # the matching of ratios converges slowly
    optimizer = optax.adam(optax.cosine_decay_schedule(3e-3, num_steps))
    parameters, rest = eqx.partition(model, eqx.is_inexact_array)

    def mean_loss(parameters, key):
        key_batch, key_losses = jr.split(key)
        batch = data[jr.randint(key_batch, (256,), 0, len(data))]
        model = eqx.combine(parameters, rest)
        return jnp.mean(jax.vmap(lambda x, k: model.loss(x, key=k))(batch, jr.split(key_losses, 256)))

    def step(carry, key):
        parameters, state = carry
        loss, gradient = jax.value_and_grad(mean_loss)(parameters, key)
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(parameters, updates), state), loss

    with jax.numpy_dtype_promotion("standard"):
        start = (parameters, optimizer.init(parameters))
        (parameters, _), losses = jax.jit(lambda s: jax.lax.scan(step, s, jr.split(key_run, num_steps)))(start)
    draws = vmapped(lambda model, k: model.sample(k, num_steps=50), eqx.combine(parameters, rest), 4000, key_draws)
    distances = np.linalg.norm(draws[:, None] - CENTRES, axis=-1)
    weights = np.bincount(np.argmin(distances, axis=1), minlength=9) / len(draws)
    assert np.mean(losses[-200:]) < np.mean(losses[:50])
    assert np.mean(distances.min(axis=1) < 0.4) > 0.8
    assert 0.5 * np.sum(np.abs(weights - WEIGHTS)) < 0.12
