"""The evaluations that a sampler tells of are those that were made, counted at the target itself; cuts and stops."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from samplers.conformance.samplers import SAMPLERS

import cosmoflow as cf
from cosmoflow.targets import AbstractTarget, Skewed

LAW = Skewed([1.0, 3.0])
SEEN = {"value": 0, "derivative": 0}


def count(kind, x):
    jax.debug.callback(lambda x: SEEN.update({kind: SEEN[kind] + 1}), x)


@jax.custom_jvp
def counted(x):
    count("value", x)
    return LAW.log_density(x)


@counted.defjvp
def _(primals, tangents):
    count("derivative", *primals)
    return jax.jvp(LAW.log_density, primals, tangents)


class Counted(AbstractTarget):
    """A density that counts how it is evaluated."""

    dim: int = 2

    def log_density(self, x):
        return counted(x)

    def constrain(self, x):
        return {"x": x}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_costs(name):
    """One chain, so that nothing is computed for the sake of others."""
    sampler = SAMPLERS[name].make()
    target = Counted()
    states = jax.vmap(lambda x, key: sampler.init(target, x, key=key))(jnp.ones((1, 2)), jr.split(jr.key(0), 1))
    run = jax.jit(lambda states: sampler.run_chunk(target, states, jnp.asarray(50), capacity=50)[2])
    compiled = run.lower(states).compile()
    jax.effects_barrier()
    SEEN.update(value=0, derivative=0)
    infos = jax.block_until_ready(compiled(states))
    jax.effects_barrier()
    slopes = getattr(infos, "num_directional_derivatives", None)
    assert SEEN["derivative"] == np.sum(infos.num_gradients) + (0 if slopes is None else np.sum(slopes))
    assert SEEN["value"] <= np.sum(infos.num_densities)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_chunks_and_stops(name, tmp_path):
    """Buffers of other lengths, and a run that was stopped twice, give the same bits."""
    settings = {"num_draws": 260, "num_chains": 3, "key": jr.key(5)}
    sampler = SAMPLERS[name].make()
    whole = cf.sample(LAW, sampler, chunk=250, **settings)
    answers = iter([False, True, False, True] + [False] * 100)
    for _ in range(3):
        with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
            stopped = cf.sample(LAW, sampler, store=store, chunk=100, stop=lambda: next(answers), **settings)
    chains = [stopped, cf.sample(LAW, sampler, chunk=1, **settings), cf.sample(LAW, sampler, chunk=7, **settings)]
    for chain in chains:
        for found, expected in ((chain.posterior, whole.posterior), (chain.sample_stats, whole.sample_stats)):
            for statistic in expected:
                np.testing.assert_array_equal(found[statistic], expected[statistic], err_msg=statistic)
