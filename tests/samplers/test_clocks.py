"""Between events the integral of the true rate is Exp(1), for every piecewise deterministic process."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from cosmoflow.samplers import Boomerang, BouncyParticle, CoordinateSampler, ForwardEventChain, Rotation, ZigZag
from cosmoflow.samplers.pdmp import HessianBound, SlopeBound
from cosmoflow.targets import Banana, CorrelatedGaussian, GaussianMixture

PROCESSES = {
    "zig_zag": ZigZag,
    "bouncy_particle": BouncyParticle,
    "forward_event_chain": ForwardEventChain,
    "boomerang": Boomerang,
    "coordinate": CoordinateSampler,
    "rotating_event_chain": lambda: ForwardEventChain(motion=Rotation(), refreshment_rate=0.2),
    "one_node": lambda: ForwardEventChain(bound=SlopeBound(num_cells=1)),
}
TARGETS = {
    "gaussian": lambda: CorrelatedGaussian(jnp.zeros(2), jnp.array([[1.0, 0.5], [0.5, 0.6]])),
    "banana": Banana,
    "mixture": lambda: GaussianMixture([0.5, 0.5], [[-1.5, 0.0], [1.5, 0.0]]),
}


def clock_times(target, sampler, num_ticks):
    """Integrals of the true rate between events, and how often a bound was exceeded."""
    state = sampler.init(target, jnp.array([0.3, -0.2]), key=jr.key(4))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    gradient = jax.grad(sampler.potential(target))

    @jax.jit
    def run(state):
        def body(state, _):
            new, tick = sampler.tick(target, state)
            return new, (state.position, state.velocity, tick.elapsed, tick.event, tick.violation)

        return jax.lax.scan(body, state, length=num_ticks)[1]

    @jax.jit
    @jax.vmap
    def integral(x, v, duration):
        def rate(time):
            y, w = sampler.motion.move(x, v, time)
            return jnp.sum(jnp.maximum(sampler.event_rates(gradient(y), y, w), 0))

        return 0.5 * duration * (jax.vmap(rate)(0.5 * duration * (1 + nodes)) @ weights)

    *pieces, events, violations = run(state)
    events = np.asarray(events)
    return np.bincount(np.cumsum(events) - events, integral(*pieces))[1:-1], int(violations.sum())


def assert_exponential(times):
    assert len(times) > 2000
    assert stats.kstest(times, "expon").pvalue > 1e-4
    assert abs(np.corrcoef(times[1:], times[:-1])[0, 1]) < 5 / np.sqrt(len(times))


def check(process, target):
    times, violations = clock_times(TARGETS[target](), PROCESSES[process](), 20_000)
    assert_exponential(times)
    assert violations < 0.003 * len(times)


@pytest.mark.parametrize(
    "process",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in ("zig_zag", "forward_event_chain")))
        for name in PROCESSES
    ],
)
def test_clock(process):
    check(process, "mixture")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["gaussian", "banana"])
@pytest.mark.parametrize("process", PROCESSES)
def test_clock_elsewhere(process, target):
    check(process, target)


@pytest.mark.parametrize(("norm", "holds"), [(3.9, True), (1.0, False)])
def test_clock_under_a_bound_that_is_given(norm, holds):
    """The largest eigenvalue of the Hessian is 3.82; a smaller norm is found out."""
    sampler = ForwardEventChain(bound=HessianBound(norm))
    times, violations = clock_times(TARGETS["gaussian"](), sampler, 20_000)
    assert (violations == 0) == holds
    if holds:
        assert_exponential(times)


def test_a_clock_that_runs_fast_fails():
    times, _ = clock_times(TARGETS["gaussian"](), BouncyParticle(), 20_000)
    with pytest.raises(AssertionError):
        assert_exponential(times / 1.1)
