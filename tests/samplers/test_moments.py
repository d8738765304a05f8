"""Every sampler finds the moments of every analytic target, and a wrong zig-zag does not."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from flowjax.bijections import AbstractBijection
from helpers import assert_moments, z_score

import cosmoflow as cf
from cosmoflow.samplers import GHMC, NUTS, ZigZag
from cosmoflow.targets import Banana, CorrelatedGaussian, Funnel, GaussianMixture, Pullback, Skewed

SAMPLERS = {
    "zig_zag": ZigZag,
    "ghmc": GHMC,
    "persistent_ghmc": lambda: GHMC(num_steps=2, persistence=0.7),
    "nuts": NUTS,
}
TARGETS = {
    "gaussian": lambda: CorrelatedGaussian(
        jnp.array([1.0, -2.0, 3.0]), jnp.array([[4.0, 1.8, 0.0], [1.8, 1.0, 0.1], [0.0, 0.1, 0.25]])
    ),
    "skewed": lambda: Skewed(jnp.array([1.0, 3.0])),
    "mixture": lambda: GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [1.5, 0.0]]),
}


class WrongZigZag(ZigZag):
    """The rate of the first coordinate has its sign flipped."""

    def event_rates(self, gradient, position, velocity):
        return super().event_rates(gradient, position, velocity).at[0].multiply(-1)


class HastyZigZag(ZigZag):
    """Every rate is half again too high."""

    def event_rates(self, gradient, position, velocity):
        return 1.5 * super().event_rates(gradient, position, velocity)


def draw(target, sampler, num_draws, seed=2):
    whitened, sampler, start = cf.warmup(target, sampler, num_chains=4, key=jr.key(1))
    return cf.sample(whitened, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(seed))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("target", TARGETS)
def test_moments(target, sampler):
    target = TARGETS[target]()
    assert_moments(draw(target, SAMPLERS[sampler](), 10_000).posterior["x"], target, min_ess=1000)


@pytest.mark.parametrize(
    ("sampler", "num_draws"),
    [
        (ZigZag(), 40_000),
        (GHMC(num_steps=32, target_acceptance=0.95), 60_000),
        (NUTS(target_acceptance=0.95), 40_000),
    ],
)
@pytest.mark.slow
def test_moments_of_the_banana(sampler, num_draws):
    """Far out on the banana trajectories need short steps."""
    target = Banana()
    assert_moments(draw(target, sampler, num_draws).posterior["x"], target, min_ess=400)


def test_zig_zag_on_the_banana():
    target = Banana()
    assert_moments(draw(target, ZigZag(), 20_000).posterior["x"], target, min_ess=400)


def funnel_scores(x):
    """The moments of Neal's funnel that exist to second order: x_i^2 itself has no useful Monte Carlo error.

    E[z] = 0, E[z^2] = 9, E[x_i] = 0 and E[x_i^2 e^-z] = 1.
    """
    z, rest = x[..., 0], x[..., 1:]
    tests = [(z, 0.0), (z**2, 9.0)]
    for i in range(rest.shape[-1]):
        tests += [(rest[..., i] * np.exp(-z / 2), 0.0), (rest[..., i] ** 2 * np.exp(-z), 1.0)]
    return [z_score(values, exact) for values, exact in tests]


class NonCentred(AbstractBijection):
    """(z, y) to (3 z, e^(3 z / 2) y): the coordinates in which the funnel is a standard normal law."""

    shape: tuple[int, ...]
    cond_shape: None = None

    def transform_and_log_det(self, x, condition=None):
        z = 3 * x[0]
        return jnp.append(z, jnp.exp(z / 2) * x[1:]), jnp.log(3.0) + (x.size - 1) * z / 2

    def inverse_and_log_det(self, y, condition=None):
        return jnp.append(y[0] / 3, jnp.exp(-y[0] / 2) * y[1:]), -jnp.log(3.0) - (y.size - 1) * y[0] / 2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_moments_of_the_funnel(sampler):
    """In coordinates that undo it: nothing local passes in ten dimensions in its own."""
    target = Pullback(Funnel(10), NonCentred((10,)))
    scores = funnel_scores(draw(target, SAMPLERS[sampler](), 5000).posterior["x"])
    assert min(size for _, size in scores) > 1000
    assert max(abs(z) for z, _ in scores) < 5


@pytest.mark.slow
def test_zig_zag_on_the_bare_funnel():
    scores = funnel_scores(draw(Funnel(3), ZigZag(), 200_000).posterior["x"])
    assert min(size for _, size in scores) > 400
    assert max(abs(z) for z, _ in scores) < 5


@pytest.mark.parametrize("target", TARGETS)
def test_a_hasty_zig_zag_fails(target):
    """It mixes well, to the wrong law."""
    target = TARGETS[target]()
    x = draw(target, HastyZigZag(), 10_000).posterior["x"]
    with pytest.raises(AssertionError, match="MCSE"):
        assert_moments(x, target, min_ess=1000)


@pytest.mark.parametrize("target", TARGETS)
def test_a_zig_zag_with_a_flipped_sign_fails(target):
    """Its first coordinate runs away: to infinity, or into a region where the density underflows."""
    target = TARGETS[target]()
    chain = cf.sample(target, WrongZigZag(), num_draws=1000, num_chains=4, key=jr.key(0), throw=False)
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match=r"below the gate|MCSE"):
        assert_moments(chain.posterior["x"], target, min_ess=100)
