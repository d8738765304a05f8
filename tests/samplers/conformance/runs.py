"""A batch of chains that start from exact draws, compiled once per sampler for many tests."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from samplers.conformance.samplers import SAMPLERS
from samplers.conformance.targets import Inclined

from cosmoflow.targets import CallableTarget, Skewed
from cosmoflow.targets._normal import floats

NUM_CHAINS = 10_000
CAPACITY = 40
LAW = Skewed([1.0, 3.0])
STARTS = LAW.sample(jr.key(100), (NUM_CHAINS,))


class OnTree(eqx.Module):
    """The law as a density on a dictionary."""

    law: Skewed

    def __call__(self, tree):
        return self.law.log_density(jnp.stack([tree["a"]["b"], tree["c"]]))


def law(slope: float = 1.0):
    """The law of all conformance runs, in the default precision, with a gradient multiplied by a slope."""
    target = Inclined(CallableTarget(OnTree(LAW), {"a": {"b": 0.0}, "c": 0.0}), jnp.asarray(slope))
    return jax.tree.map(floats, target)


def with_step(sampler, factor: float):
    """The sampler with all its tunable fields multiplied by a factor."""
    for name in sampler.tunable:
        sampler = eqx.tree_at(lambda s: getattr(s, name), sampler, getattr(sampler, name) * jnp.asarray(factor, float))
    return sampler


class Runs:
    """A sampler and its compiled chunk."""

    def __init__(self, entry):
        self.sampler = with_step(entry.make(), entry.fine)
        self.burn_in = entry.burn_in
        self.chunk = eqx.filter_jit(lambda *arguments: self.sampler.run_chunk.__func__(*arguments, capacity=CAPACITY))
        self._init = eqx.filter_jit(jax.vmap(lambda s, t, x, key: s.init(t, x, key=key), in_axes=(None, None, 0, 0)))
        self.num_draws = 8 if entry.exact else CAPACITY

    def states(self, target=None, starts=STARTS, seed=0):
        """The states of chains that start from exact draws, after the burn-in."""
        target = law() if target is None else target
        states = self._init(self.sampler, target, starts, jr.split(jr.key(seed), len(starts)))
        return self.chunk(self.sampler, target, states, jnp.asarray(self.burn_in))[0] if self.burn_in else states

    def draws(self, target=None, *, states=None, lengths=(None,), sampler=None):
        """States after, draws and infos of consecutive chunks, with the empty part of the buffers cut off."""
        target = law() if target is None else target
        states = self.states(target) if states is None else states
        pieces = []
        for length in lengths:
            length = self.num_draws if length is None else length
            states, draws, infos = self.chunk(sampler or self.sampler, target, states, jnp.asarray(length))
            pieces.append(jax.tree.map(lambda a: np.asarray(a)[:, :length], (draws, infos)))
        return states, *jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *pieces)

    @functools.cached_property
    def honest(self):
        """The outcome for the true gradient."""
        return self.draws()


@functools.cache
def runs(name: str) -> Runs:
    """The runs of one of the samplers."""
    return Runs(SAMPLERS[name])
