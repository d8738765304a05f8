"""Densities that no sampler can be right on: counted, named, and the sentence says what to try."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import z_score
from scipy import stats

import cosmoflow as cf
from cosmoflow._results import RunError, Status
from cosmoflow.samplers import GHMC, NUTS, BouncyParticle, ZigZag
from cosmoflow.targets import AbstractTarget


class Plane(AbstractTarget):
    """A density on two coordinates."""

    dim: int = 2

    def constrain(self, x):
        return {"x": x}


class Cliff(Plane):
    """A standard normal law, e^2 times less dense where x_0 is above one half."""

    def log_density(self, x):
        return -0.5 * (x @ x) - jnp.where(x[0] > 0.5, 2.0, 0.0)


class Cusp(Plane):
    """Ridges whose slope goes as |x_i|^-1/2."""

    def log_density(self, x):
        return -jnp.sum(3 * jnp.sqrt(jnp.abs(x)) + 0.5 * x**2)


class Edge(Plane):
    """An edge at x_0 = 1, where the slope goes as (1 - x_0)^-1/2."""

    def log_density(self, x):
        return -0.5 * (x @ x) + jnp.where(x[0] < 1, 2 * jnp.sqrt(1 - x[0]), -jnp.inf)


class Corner(Plane):
    """A smooth law above x_0 = 1 too, where a square root that is not used makes the gradient NaN."""

    def log_density(self, x):
        return -0.5 * (x @ x) + jnp.where(x[0] < 1, 0.1 * jnp.sqrt(1 - x[0]) ** 5, 0.0)


class Flat(Plane):
    """A law of no finite mass: flat in x_0 on one side."""

    def log_density(self, x):
        return -0.5 * jnp.minimum(x[0], 0.0) ** 2 - 0.5 * x[1] ** 2


class Needle(Plane):
    """A standard normal law with a needle at (3, 0)."""

    def log_density(self, x):
        away = x - jnp.array([3.0, 0.0])
        return jnp.logaddexp(-0.5 * (x @ x), 20.0 - 0.5e8 * (away @ away))


def run(target, sampler, num_draws=1000, position=None):
    position = jnp.zeros((4, 2)) + 0.1 if position is None else position
    return cf.sample(target, sampler, num_draws=num_draws, num_chains=4, position=position, key=jr.key(0), throw=False)


def test_a_smooth_hump_between_two_modes_is_no_cliff():
    modes = cf.targets.GaussianMixture([0.3, 0.7], [[-2.0, 0.0], [2.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]])
    chain = run(modes, ZigZag(draw_interval=3.0))
    assert chain.status == Status.SUCCESSFUL
    assert np.sum(chain.sample_stats["num_cliffs"]) == 0


@pytest.mark.soon(2)
@pytest.mark.parametrize(
    ("target", "sampler", "status", "advice"),
    [
        (Cliff(), ZigZag(), Status.DISCONTINUOUS, "make the likelihood continuous"),
        (Cliff(), BouncyParticle(), Status.DISCONTINUOUS, "make the likelihood continuous"),
        (Cusp(), ZigZag(), Status.BOUND_VIOLATIONS, "look for a spike or an edge"),
        (Edge(), ZigZag(), Status.NON_FINITE, "repair the likelihood"),
        (Corner(), ZigZag(), Status.NON_FINITE, "repair the likelihood"),
        (Corner(), GHMC(), Status.NON_FINITE, "repair the likelihood"),
        pytest.param(Corner(), NUTS(), Status.NON_FINITE, "repair the likelihood", marks=pytest.mark.slow),
        (Flat(), ZigZag(), Status.RUNAWAY, "proper prior"),
        (Flat(), GHMC(), Status.RUNAWAY, "proper prior"),
    ],
)
def test_the_status_names_it(target, sampler, status, advice):
    assert run(target, sampler).status is status
    assert advice in status.value


def test_what_densities_decide_passes():
    chain = run(Cliff(), GHMC(), 4000)
    beyond = chain.posterior["x"][..., 0] > 0.5
    share = stats.norm.sf(0.5) * np.exp(-2) / (stats.norm.sf(0.5) * np.exp(-2) + stats.norm.cdf(0.5))
    score, size = z_score(beyond, share)
    assert chain.status is Status.SUCCESSFUL
    assert size > 1000 and abs(score) < 5


def test_a_frozen_chain_is_named():
    position = jnp.array([[0.0, 0.0], [3.0, 0.0], [0.5, 0.0], [-0.5, 0.0]])
    assert run(Needle(), GHMC(), 200, position).status is Status.FROZEN
    with pytest.raises(RunError, match=r"near its place \(chain 1\)\.$"):
        cf.sample(Needle(), GHMC(), num_draws=200, num_chains=4, position=position, key=jr.key(0))
