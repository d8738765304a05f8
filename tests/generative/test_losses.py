"""The exact network minimises the loss of its process; another one does not."""

import exact_networks as exact
import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from exact_networks import MEAN, SD

from cosmoflow.generative import (
    CosineSchedule,
    CriticallyDamped,
    Diffusion,
    FlowMatching,
    LinearSchedule,
    OscillationMatching,
)

NUM = 20_000
DATA = MEAN + SD * jr.normal(jr.key(0), (NUM, 2))
LINEAR = LinearSchedule()


def slope(make, network):
    """dL/da at a = 0 of the network f + a g, in standard errors; g is any function."""

    def added(x, time, condition=None):
        return jnp.tanh(x) + jnp.cos(3 * time) * jnp.roll(x, 1)

    def loss(a, x, key):
        def perturbed(x, time, condition=None):
            value = network(x, time, condition)
            if value.ndim == 0:
                return value + a * jnp.sum(added(x, time))
            return value + a * added(x, time)[: len(value)]

        return make(perturbed).loss(x, key=key)

    slopes = jax.jit(jax.vmap(jax.grad(loss), (None, 0, 0)))(jnp.zeros(()), DATA, jr.split(jr.key(1), NUM))
    return jnp.mean(slopes) / (jnp.std(slopes) / NUM**0.5)


def diffusion(prediction):
    return lambda network: Diffusion(2, network, prediction=prediction, schedule=LINEAR)


PLAIN = CriticallyDamped(2, exact.zero)
CASES = {
    **{p: (diffusion(p), exact.diffusion(p, LINEAR)) for p in ("v", "noise", "score", "energy")},
    "straight": (lambda network: FlowMatching(2, network), exact.flow_matching),
    "oscillation": (lambda network: OscillationMatching(2, network, scale=0.8), exact.oscillation(0.8)),
    "critically damped": (lambda network: CriticallyDamped(2, network), exact.critically_damped(PLAIN)),
}
WRONG = {
    **{p: (diffusion(p), exact.diffusion(p, CosineSchedule(0.01))) for p in ("v", "noise", "score", "energy")},
    "straight": (CASES["straight"][0], exact.oscillation(1.0)),
    "oscillation": (CASES["oscillation"][0], exact.oscillation(1.6)),
    "critically damped": (
        CASES["critically damped"][0],
        exact.critically_damped(CriticallyDamped(2, exact.zero, duration=2.0)),
    ),
}


@pytest.mark.soon(2)
@pytest.mark.parametrize("name", CASES)
def test_the_exact_network_is_where_the_loss_is_flat(name):
    assert abs(slope(*CASES[name])) < 5


@pytest.mark.soon(2)
@pytest.mark.parametrize("name", WRONG)
def test_and_another_network_is_not(name):
    assert abs(slope(*WRONG[name])) > 5


def test_the_least_loss_of_flow_matching_is_the_variance_of_paths():
    """E of Var(x_1 - e | x_t) over t: sd^2 / (t^2 sd^2 + (1 - t)^2), coordinate by coordinate."""
    model = FlowMatching(2, exact.flow_matching)
    losses = jax.jit(jax.vmap(lambda x, k: model.loss(x, key=k)))(DATA, jr.split(jr.key(2), NUM))
    t = jnp.linspace(0.0005, 0.9995, 1000)[:, None]
    least = jnp.mean(SD**2 / (t**2 * SD**2 + (1 - t) ** 2))
    assert abs(jnp.mean(losses) - least) < 5 * jnp.std(losses) / NUM**0.5
