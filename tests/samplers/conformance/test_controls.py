"""Wrong twins, which the tests of invariance must tell from their originals."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from samplers.conformance.laws import surprises
from samplers.conformance.runs import LAW, NUM_CHAINS, Runs
from samplers.conformance.samplers import SAMPLERS, Entry

import cosmoflow as cf
from cosmoflow import samplers
from cosmoflow._results import Status
from cosmoflow.samplers import AbstractKernel
from cosmoflow.samplers.pdmp import AbstractRateBound

FRESH = LAW.sample(jr.key(101), (NUM_CHAINS,))
PERSISTENT = {"momentum", "velocity"}


class Meddled(AbstractKernel):
    """A kernel whose state is changed after each of its steps."""

    kernel: AbstractKernel
    meddle: callable = eqx.field(static=True)

    def init(self, target, position, *, key):
        return self.kernel.init(target, position, key=key)

    def log_density(self, state):
        return self.kernel.log_density(state)

    def step(self, target, state, *, key):
        new, info = self.kernel.step(target, state, key=key)
        return self.meddle(state, new), info


def velocity(state):
    """The name of what persists beside the position."""
    (name,) = PERSISTENT & set(vars(state))
    return name


def kept(old, new):
    """No flip on rejection."""
    name = velocity(new)
    rejected = jnp.all(old.position == new.position)
    turned = jnp.where(rejected, -getattr(new, name), getattr(new, name))
    return eqx.tree_at(lambda s: getattr(s, name), new, turned)


def hotter(old, new):
    """Refreshment from a law that is too wide."""
    name = velocity(new)
    return eqx.tree_at(lambda s: getattr(s, name), new, 1.2 * getattr(new, name))


def outcome(sampler, num_draws=40):
    runs = Runs(Entry(lambda: sampler))
    runs.num_draws = num_draws
    return surprises(LAW, runs.honest[1].position, FRESH)


KERNEL = samplers.GHMC(step_size=1.1, num_steps=2, persistence=0.9)


def test_the_kernel_that_is_meddled_with():
    assert outcome(KERNEL) == {}


@pytest.mark.parametrize("meddle", [kept, hotter])
def test_a_wrong_kernel(meddle):
    assert outcome(Meddled(KERNEL, meddle)) != {}


class Scaled(AbstractRateBound):
    """A bound that is multiplied by a factor."""

    bound: AbstractRateBound
    factor: float

    @property
    def num_gradients(self):
        return self.bound.num_gradients

    @property
    def num_directional_derivatives(self):
        return self.bound.num_directional_derivatives

    def majorant(self, path, horizon):
        right = self.bound.majorant(path, horizon)
        sides = jax.tree.map(lambda side: jnp.where(side > 0, self.factor * side, side), (right.left, right.right))
        return eqx.tree_at(lambda m: (m.left, m.right), right, sides)


PROCESSES = [name for name, entry in SAMPLERS.items() if entry.process]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSES)
def test_a_bound_that_is_too_low(name):
    sampler = SAMPLERS[name].make()
    low = eqx.tree_at(lambda s: s.bound, sampler, Scaled(sampler.bound, 0.8))
    statuses = [
        cf.sample(LAW, s, num_draws=500, num_chains=8, key=jr.key(0), throw=False).status for s in (sampler, low)
    ]
    assert statuses == [Status.SUCCESSFUL, Status.BOUND_VIOLATIONS]


@pytest.mark.slow
def test_rates_that_are_too_high():
    class Hasty(samplers.ZigZag):
        """Every rate is half again too high."""

        def event_rates(self, gradient, position, velocity):
            return 1.5 * super().event_rates(gradient, position, velocity)

    assert outcome(Hasty()) != {}


@pytest.mark.slow
def test_a_process_refreshed_from_a_wrong_law():
    class Drifting(samplers.BouncyParticle):
        """Velocities have a mean."""

        def sample_velocity(self, position, *, key):
            return super().sample_velocity(position, key=key) + 0.5

    assert outcome(Drifting()) != {}
