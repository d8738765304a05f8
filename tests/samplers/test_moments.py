"""After a warm-up: the moments of curved targets, by short steps or in coordinates that undo them."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from flowjax.bijections import AbstractBijection
from helpers import assert_moments, z_score

import cosmoflow as cf
from cosmoflow.samplers import GHMC, NUTS, ZigZag
from cosmoflow.targets import Banana, CorrelatedGaussian, Funnel, Pullback

SAMPLERS = {"zig_zag": ZigZag, "ghmc": GHMC, "nuts": NUTS}


def draw(target, sampler, num_draws, seed=2):
    whitened, sampler, start = cf.warmup(target, sampler, num_chains=4, key=jr.key(1))
    return cf.sample(whitened, sampler, num_draws=num_draws, num_chains=4, position=start, key=jr.key(seed))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_moments_after_a_warmup(sampler):
    target = CorrelatedGaussian(
        jnp.array([1.0, -2.0, 3.0]), jnp.array([[4.0, 1.8, 0.0], [1.8, 1.0, 0.1], [0.0, 0.1, 0.25]])
    )
    assert_moments(draw(target, SAMPLERS[sampler](), 5000).posterior["x"], target, min_ess=1000)


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


@pytest.mark.slow
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
