"""Splittings: the algebra of their acceptance, their invariance, wrong twins that fail, and their tuning."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from exact_starts import TARGET, worst_score

from cosmoflow.samplers import (
    BouncyParticleSplitting,
    CoordinateSplitting,
    ForwardEventChainSplitting,
    HybridSplitting,
    Rotation,
    ZigZagSplitting,
)
from cosmoflow.samplers.splitting import _base
from cosmoflow.samplers.splitting._base import SplittingState, log_phi
from cosmoflow.targets import Banana

H, KIND = jnp.asarray(0.7), jnp.asarray(0, jnp.int32)


def flipped(state):
    return eqx.tree_at(lambda s: s.velocity, state, -state.velocity)


def starts(target, sampler, num):
    x = target.sample(jr.key(0), (num,))
    return jax.vmap(lambda x, k: sampler.init(target, x, key=k))(x, jr.split(jr.key(1), num))


@pytest.mark.soon(1)
@pytest.mark.parametrize(
    "sampler",
    [
        BouncyParticleSplitting(),
        BouncyParticleSplitting(motion=Rotation()),
        ZigZagSplitting(),
        ZigZagSplitting(motion=Rotation()),
    ],
    ids=["bouncy", "boomerang", "zig_zag", "factorised_boomerang"],
)
def test_there_and_back(sampler):
    """Where the same clocks fire on the way back, the start is found again and the log-acceptances cancel."""

    @jax.jit
    @jax.vmap
    def there_and_back(state, key):
        end, there, fired = sampler.propose(TARGET, state, H, KIND, key=key)
        again, back, _ = sampler.propose(TARGET, flipped(end), H, KIND, key=key)
        return flipped(again), there, back, fired

    state = starts(TARGET, sampler, 500)
    again, there, back, fired = there_and_back(state, jr.split(jr.key(2), 500))
    returned = np.max(np.abs(again.position - state.position), axis=1) < 1e-8
    assert np.sum(returned & fired) > 50 and np.sum(returned & ~np.asarray(fired)) > 50
    np.testing.assert_allclose(again.position[returned], state.position[returned], atol=1e-12)
    np.testing.assert_allclose(again.velocity[returned], state.velocity[returned], atol=1e-12)
    np.testing.assert_allclose((there + back)[returned], 0, atol=1e-12)
    assert np.max(np.abs(there)) > 0.1


class Scripted(ForwardEventChainSplitting):
    """Its jumps have a known outcome."""

    outcome: jax.Array = eqx.field(default_factory=lambda: jnp.zeros(2))

    def jump(self, gradient, velocity, fired, kind, *, key):
        return self.outcome


@pytest.mark.soon(1)
@pytest.mark.parametrize("sampler", [Scripted(), Scripted(motion=Rotation())], ids=["straight", "ellipse"])
def test_event_chain_accepts_by_the_ratio_of_its_paths(sampler):
    """With the densities of all that is drawn written out; and the way back cancels."""
    chain = ForwardEventChainSplitting(motion=sampler.motion)
    c = float(chain.jump_persistence)

    def log_path(gradient, before, after):
        """Log-density of the jump, its probability included."""
        norm = jnp.linalg.norm(gradient)
        n = gradient / norm
        old, new = before - (before @ n) * n, after - (after @ n) * n
        radius = -after @ n
        fire = jnp.log1p(-jnp.exp(-H * before @ gradient))
        noise = (new - c * old) @ (new - c * old) / (2 * (1 - c**2))
        return fire + jnp.log(radius) - radius**2 / 2 - noise

    @jax.jit
    @jax.vmap
    def both(state, key):
        end, there, fired = chain.propose(TARGET, state, H, KIND, key=key)
        x, before = chain.motion.move(state.position, state.velocity, H / 2)
        _, after = chain.motion.move(end.position, -end.velocity, H / 2)
        gradient = -jax.grad(TARGET.log_density)(x) - chain.motion.reference_gradient(x)
        back = eqx.tree_at(lambda s: s.outcome, sampler, -before)
        again, returning, fired_back = back.propose(TARGET, flipped(end), H, KIND, key=jr.fold_in(key, 1))
        total = state.potential + state.velocity @ state.velocity / 2
        rise = end.potential + end.velocity @ end.velocity / 2 - total
        ratio = log_path(gradient, after, -before) - log_path(gradient, before, -after) - rise
        return there, returning, ratio, fired, fired_back, again.position

    state = starts(TARGET, chain, 500)
    there, returning, ratio, fired, fired_back, again = both(state, jr.split(jr.key(3), 500))
    np.testing.assert_allclose(there[fired], ratio[fired], atol=1e-9)
    returned = np.asarray(fired & fired_back)
    assert np.sum(returned) > 30
    np.testing.assert_allclose((there + returning)[returned], 0, atol=1e-12)
    np.testing.assert_allclose(again[returned], state.position[returned], atol=1e-12)


def test_phi():
    rates = jnp.array([0.0, 1e-12, 1e-3, 1.0, 50.0])
    expected = [np.log(0.7), np.log(0.7), np.log(-np.expm1(-7e-4) / 1e-3), np.log(1 - np.exp(-0.7)), -np.log(50)]
    np.testing.assert_allclose(log_phi(H, rates), expected, atol=1e-10)


SAMPLERS = {
    "bouncy": lambda: BouncyParticleSplitting(1.5),
    "boomerang": lambda: BouncyParticleSplitting(0.8, motion=Rotation()),
    "event_chain": lambda: ForwardEventChainSplitting(1.5),
    "elliptic_event_chain": lambda: ForwardEventChainSplitting(0.8, motion=Rotation()),
    "zig_zag": lambda: ZigZagSplitting(1.5),
    "factorised_boomerang": lambda: ZigZagSplitting(1.0, motion=Rotation()),
    "coordinate": lambda: CoordinateSplitting(2.5),
    "hybrid": lambda: HybridSplitting(2.0, 1.5),
    "elliptic_hybrid": lambda: HybridSplitting(0.8, 0.8, motion=Rotation()),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_exact_draws_stay_exact(name):
    assert worst_score(SAMPLERS[name]()) < 5


class Unflipped(BouncyParticleSplitting):
    """It goes on in the same direction after a rejection."""

    def advance(self, target, state, *, key):
        new, steps = super().advance(target, state, key=key)
        stayed = jnp.all(new.position == state.position)
        return eqx.tree_at(lambda s: s.velocity, new, jnp.where(stayed, -new.velocity, new.velocity)), steps


class Hasty(BouncyParticleSplitting):
    """It refreshes to velocities that are too large, which ellipses turn into positions."""

    def refresh(self, velocity, kind, *, key):
        return 1.1 * super().refresh(velocity, kind, key=key)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler", [Unflipped(1.5, 1.0), Hasty(0.8, motion=Rotation())], ids=["no flip on rejection", "wrong refreshment"]
)
def test_wrong_twins_fail(sampler):
    assert worst_score(sampler) > 5


@pytest.mark.slow
def test_without_the_ratio_of_phi_event_chains_fail(monkeypatch):
    monkeypatch.setattr(_base, "log_phi", lambda h, rates: jnp.zeros_like(rates))
    assert worst_score(ForwardEventChainSplitting(1.5)) > 5


def test_steps_are_counted():
    sampler = HybridSplitting(num_steps=7)
    state = sampler.init(TARGET, jnp.zeros(2), key=jr.key(0))
    new, info = jax.jit(lambda s: sampler.step(TARGET, s, key=jr.key(1)))(state)
    assert int(info.num_gradients) == int(info.num_densities) == 7
    assert int(info.reflection_steps + info.event_chain_steps) == 7
    np.testing.assert_allclose(sampler.log_density(new), TARGET.log_density(new.position), atol=1e-12)


def test_infinite_walls_reject_and_nan_is_counted():
    class Walled(Banana):
        beyond: float = np.nan

        def log_density(self, x):
            return jnp.where(jnp.abs(x[0]) > 0, self.beyond, 0.0) + 0 * x[1]

    sampler = BouncyParticleSplitting()
    for beyond, count in ((np.nan, 1), (-np.inf, 0)):
        state = SplittingState(jnp.zeros(2), jnp.ones(2), jnp.asarray(0.0), jr.key(0), jnp.asarray(0, jnp.int32))
        new, info = sampler.step(Walled(beyond), state, key=jr.key(1))
        assert int(info.non_finite) == count
        np.testing.assert_array_equal(new.position, 0)


SPREAD_ONE = np.tile([[[-1.0, 1.0], [1.0, -1.0]]], (4, 1, 1))


@pytest.mark.parametrize(
    ("acceptance", "jumps", "change"), [(1.0, 0.2, 1), (0.5, 0.2, -1), (1.0, 0.9, -1), (0.9, 0.4, 0), (1.0, 0.5, 0)]
)
def test_a_bouncy_step_follows_acceptance_but_not_into_every_step_bouncing(acceptance, jumps, change):
    stats = {"acceptance_rate": np.array([[acceptance]]), "num_events": np.array([[jumps]])}
    tuned = BouncyParticleSplitting(0.1).retuned(SPREAD_ONE, stats, 0.1)
    assert np.sign(np.round(np.log(tuned.step_size / 0.1), 9)) == change


def test_each_step_of_the_hybrid_follows_its_own_acceptance_up_to_the_spread_of_the_draws():
    stats = {f"{kind}_{what}": np.array([[value]]) for kind, what, value in (
        ("reflection", "steps", 10), ("reflection", "acceptance", 10.0),
        ("event_chain", "steps", 10), ("event_chain", "acceptance", 5.0),
    )}  # fmt: skip
    tuned = HybridSplitting(1.0, 1.0).retuned(SPREAD_ONE, stats, 1.0)
    np.testing.assert_allclose([tuned.reflection_step, tuned.event_chain_step], [np.e, np.exp(-1.5)])
    assert HybridSplitting(3.0, 1.0).retuned(SPREAD_ONE, stats, 1.0).reflection_step == pytest.approx(4)
    assert HybridSplitting(3.0, motion=Rotation()).retuned(SPREAD_ONE, stats, 1.0).reflection_step < 1.6
    alone = stats | {"reflection_steps": np.array([[0]])}
    assert HybridSplitting().retuned(SPREAD_ONE, alone, 1.0).reflection_step == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HybridSplitting(reflection_step=0), "reflection_step is 0.0, but must be positive"),
        (lambda: HybridSplitting(reflection_probability=1), "reflection_probability is 1.0, but must lie"),
        (lambda: HybridSplitting(persistence=-1), "persistence is -1.0, but must lie"),
        (lambda: HybridSplitting(num_steps=0), "num_steps is 0, but a draw needs"),
        (lambda: ZigZagSplitting(step_size=-1), "ZigZagSplitting's step_size is -1.0"),
        (lambda: ZigZagSplitting(jitter=1.0), "ZigZagSplitting's jitter is 1.0"),
        (lambda: BouncyParticleSplitting(persistence=2), "BouncyParticleSplitting's persistence is 2.0"),
        (lambda: CoordinateSplitting(num_steps=0), "CoordinateSplitting's num_steps is 0"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
