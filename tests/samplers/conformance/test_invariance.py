"""Ten thousand exact draws are advanced, and are exact draws still; from one compilation, what else a chunk promises."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from samplers.conformance.laws import surprises
from samplers.conformance.runs import CAPACITY, LAW, NUM_CHAINS, STARTS, law, runs, with_step
from samplers.conformance.samplers import SAMPLERS
from samplers.conformance.targets import energies

from cosmoflow.chains import arrays_to_tree, tree_to_arrays

FRESH = LAW.sample(jr.key(101), (NUM_CHAINS,))

every_sampler = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * entry.slow) for name, entry in SAMPLERS.items()]
)


def assert_same(a, b):
    a, b = (jax.tree.leaves(jax.tree.map(lambda leaf: jr.key_data(leaf) if is_key(leaf) else leaf, x)) for x in (a, b))
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def is_key(leaf):
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def first(tree, num):
    return jax.tree.map(lambda leaf: leaf[:num], tree)


@pytest.mark.soon(1)
@every_sampler
def test_exact_draws_stay_exact(name):
    _, draws, infos = runs(name).honest
    assert surprises(LAW, draws.position, FRESH) == {}
    assert infos.non_finite.sum() == 0
    moved = np.any(draws.position[:, -1] != STARTS, axis=-1)
    assert np.mean(moved) > 0.8
    np.testing.assert_allclose(draws.log_density, -energies(LAW, draws.position), atol=1e-12)


@pytest.mark.soon(1)
@every_sampler
def test_a_wrong_gradient(name):
    """What is accepted by densities stands it; the law of everything else shows it."""
    _, draws, _ = runs(name).draws(law(slope=0.9))
    assert (surprises(LAW, draws.position, FRESH) == {}) is SAMPLERS[name].corrected


@pytest.mark.soon(1)
@every_sampler
def test_a_chain_depends_on_nothing_but_its_state(name):
    """Not on the cuts between chunks, nor on a file that the state went through, nor on the chains beside it."""
    chunk, half = runs(name), NUM_CHAINS // 2
    whole = chunk.honest
    others = chunk.states(starts=STARTS.at[half:].set(FRESH[half:]))
    between, *before = chunk.draws(states=others, lengths=(1,))
    restored = arrays_to_tree(others, tree_to_arrays(between))
    state, *after = chunk.draws(states=restored, lengths=(2, chunk.num_draws - 3))
    joined = jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), before, after)
    assert_same(first((state, *joined), half), first(whole, half))
    assert np.any(joined[0].position[half:] != whole[1].position[half:])


@every_sampler
def test_one_compilation(name):
    """Neither fields nor the number of draws nor data are compiled in."""
    chunk = runs(name)
    chunk.draws(law(slope=1.1), lengths=(1,), sampler=with_step(chunk.sampler, 0.7))
    assert chunk.chunk._cached._cache_size() == 1


@every_sampler
def test_single_precision_stays_single(name):
    with jax.enable_x64(False):
        sampler, target, keys = SAMPLERS[name].make(), law(), jr.split(jr.key(0), 3)
        states = jax.eval_shape(jax.vmap(lambda x, key: sampler.init(target, x, key=key)), jnp.zeros((3, 2)), keys)
        chunk = jax.jit(lambda states, length: sampler.run_chunk(target, states, length, capacity=CAPACITY))
        lowered = chunk.lower(states, jnp.asarray(5))
    after, draws, infos = lowered.out_info
    assert {leaf.dtype for leaf in jax.tree.leaves(draws)} == {jnp.dtype(jnp.float32)}
    floating = [leaf.dtype for leaf in jax.tree.leaves((after, infos)) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    assert set(floating) == {jnp.dtype(jnp.float32)}
    shapes = [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(states)]
    assert [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(after)] == shapes
    assert "callback" not in lowered.as_text()
