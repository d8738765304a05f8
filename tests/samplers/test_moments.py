"""Every sampler finds the moments of every analytic target, and a wrong zig-zag does not."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import assert_moments, z_score

import cosmoflow as cf
from cosmoflow.samplers import GHMC, NUTS, ZigZag
from cosmoflow.targets import Banana, CorrelatedGaussian, Funnel, GaussianMixture, Skewed

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
    whitened, sampler, start = cf.warmup(target, sampler, num_steps=500, num_chains=4, key=jr.key(1))
    return cf.sample(whitened, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(seed))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("target", TARGETS)
def test_moments(target, sampler):
    target = TARGETS[target]()
    assert_moments(draw(target, SAMPLERS[sampler](), 10_000).posterior["x"], target, min_ess=1000)


@pytest.mark.parametrize(("sampler", "num_draws"), [("zig_zag", 40_000), ("ghmc", 400_000), ("nuts", 100_000)])
@pytest.mark.slow
def test_moments_of_the_banana(sampler, num_draws):
    target = Banana()
    assert_moments(draw(target, SAMPLERS[sampler](), num_draws).posterior["x"], target, min_ess=400)


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


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "num_draws"), [("zig_zag", 200_000), ("ghmc", 2_000_000), ("nuts", 400_000)])
def test_moments_of_the_funnel(sampler, num_draws):
    scores = funnel_scores(draw(Funnel(3), SAMPLERS[sampler](), num_draws).posterior["x"])
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
