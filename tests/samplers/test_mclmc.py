"""Microcanonical Langevin dynamics: bias that falls with the step, tuning, and steps out of the support."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.samplers import MCLMC, AdjustedMCLMC
from cosmoflow.targets import AbstractTarget, Skewed
from cosmoflow.warmup._tuner import Tuner

TARGET = Skewed(jnp.array([1.0, 2.0, 3.0, 5.0]))
NUM_CHAINS = 3000


def draws_of_target(num):
    return jnp.log(np.random.default_rng(0).gamma(TARGET.concentration, size=(num, 4)))


@eqx.filter_jit
def evolve(sampler, target, starts, num_draws, key):
    states = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(starts, jr.split(key, len(starts)))
    return sampler.run_chunk(target, states, num_draws, capacity=50)


def bias(step_size):
    """Of the variances, relative, after 50 draws from exact starts, with equipartition and the energy error."""
    starts = draws_of_target(NUM_CHAINS)
    _, draws, infos = evolve(MCLMC(step_size=step_size), TARGET, starts, jnp.asarray(50), jr.key(1))
    x = np.asarray(draws.position[:, 20:])
    variance = np.mean((x - np.asarray(TARGET.mean())) ** 2, axis=(0, 1)) / np.asarray(TARGET.variance())
    return np.max(np.abs(variance - 1)), np.mean(infos.equipartition[:, 20:]), np.mean(infos.energy_change**2) / 4


@pytest.mark.slow
def test_bias_and_energy_error_fall_with_the_step():
    coarse, fine = bias(1.2), bias(0.3)
    assert fine[0] < 0.03 < coarse[0]
    assert abs(fine[1] - 1) < 0.02 < abs(coarse[1] - 1)
    assert coarse[2] > 100 * fine[2]


@pytest.mark.slow
def test_the_energy_error_is_tuned():
    sampler, starts = MCLMC(step_size=0.1), draws_of_target(NUM_CHAINS)
    tuner = Tuner(sampler)
    for i in range(12):
        states, draws, infos = evolve(tuner.sampler, TARGET, starts, jnp.asarray(25), jr.key(i))
        stats = {name: getattr(infos, name) for name in ("energy_change", "diverging", "non_finite")}
        tuner.update(np.asarray(draws.position)[:, :25], {n: np.asarray(v)[:, :25] for n, v in stats.items()})
        starts = states.position
    _, _, infos = evolve(tuner.tuned(), TARGET, starts, jnp.asarray(50), jr.key(99))
    assert 2.5e-4 < np.mean(infos.energy_change**2) / 4 < 1e-3


class Walled(AbstractTarget):
    """A standard normal law that ends at a wall."""

    dim: int = 2

    def log_density(self, x):
        return jnp.where(x[0] > 1, jnp.nan, -0.5 * jnp.sum(x**2))

    def constrain(self, x):
        return {"x": x}


@pytest.mark.slow
def test_steps_out_of_the_support_are_undone_and_counted():
    _, draws, infos = evolve(MCLMC(), Walled(), jnp.zeros((50, 2)), jnp.asarray(50), jr.key(0))
    stuck = np.asarray(infos.non_finite) == 1
    assert 0 < stuck.mean() < 0.5
    assert np.max(draws.position[..., 0]) <= 1 and np.all(np.isfinite(draws.log_density))
    assert np.all(np.diff(draws.position, axis=1)[stuck[:, 1:]] == 0)
    assert retuned(non_finite=1).step_size < MCLMC().step_size


def retuned(*, non_finite=0, diverging=False):
    stats = {"energy_change": 0.0, "non_finite": non_finite, "diverging": diverging}
    stats = {name: np.full((1, 25), value) for name, value in stats.items()}
    return MCLMC().retuned(np.zeros((1, 25, 2)), stats, 1.0)


class Narrow(AbstractTarget):
    """A quartic density, on which long steps run away."""

    dim: int = 3

    def log_density(self, x):
        return -jnp.sum(x**4)

    def constrain(self, x):
        return {"x": x}


@pytest.mark.slow
def test_steps_beyond_stability_are_undone_and_counted():
    starts = 0.5 * jr.normal(jr.key(0), (50, 3))
    _, draws, infos = evolve(MCLMC(step_size=5.0), Narrow(), starts, jnp.asarray(50), jr.key(1))
    undone = np.asarray(infos.diverging)
    assert undone.any()
    assert np.all(np.diff(np.asarray(draws.position), axis=1)[undone[:, 1:]] == 0)
    assert np.max(np.abs(draws.position)) < 10
    assert retuned(diverging=True).step_size < MCLMC().step_size


class Cliff(AbstractTarget):
    """A density that falls like that of a log-gamma variable."""

    dim: int = 3

    def log_density(self, x):
        return jnp.sum(x - jnp.exp(x))

    def constrain(self, x):
        return {"x": x}


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler", [MCLMC(step_size=0.3), pytest.param(AdjustedMCLMC(step_size=0.1), marks=pytest.mark.slow)]
)
def test_far_starts_come_down(sampler):
    """In single precision too, where the length of a momentum would overflow."""
    starts = jnp.full((4, 3), 8, jnp.float32)
    states, _, infos = evolve(sampler, Cliff(), starts, jnp.asarray(50), jr.key(0))
    assert states.position.dtype == jnp.float32
    assert np.sum(infos.non_finite) == 0
    assert np.all(np.asarray(states.potential) < 100)


@pytest.mark.parametrize("sampler", [MCLMC(), AdjustedMCLMC()])
def test_one_dimension_is_refused(sampler):
    with pytest.raises(ValueError, match="two dimensions at least"):
        sampler.init(Skewed(jnp.array([1.0])), jnp.zeros(1), key=jr.key(0))


def test_refusals():
    with pytest.raises(ValueError, match="MCLMC's energy_variance is 0"):
        MCLMC(energy_variance=0.0)
