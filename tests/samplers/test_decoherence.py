"""The persistence of momenta, tuned to the spread of the draws."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.samplers import MCLMC, Langevin
from cosmoflow.samplers._decoherence import longest_scale
from cosmoflow.targets import Banana
from cosmoflow.warmup._tuner import Tuner


def correlated(shape, scales, memory, seed):
    """Draws of autoregressive chains with N(0, scales^2) as their law."""
    rng = np.random.default_rng(seed)
    chains, draws = shape
    x = [rng.standard_normal((chains, len(scales)))]
    for _ in range(draws - 1):
        x.append(memory * x[-1] + np.sqrt(1 - memory**2) * rng.standard_normal(x[0].shape))
    return np.stack(x, axis=1) * scales


def pooled(positions):
    """The same from the eigenvalues of the pooled covariance, which few draws inflate."""
    eigenvalues = np.linalg.eigvalsh(np.cov(positions.reshape(-1, positions.shape[-1]), rowvar=False))
    return np.sqrt(np.sum(eigenvalues**2) / np.sum(eigenvalues))


@pytest.mark.parametrize(("num_chains", "tolerance"), [(1, 0.35), (2, 0.25), (4, 0.05), (8, 0.05)])
def test_few_correlated_draws_in_many_dimensions_are_little_bias(num_chains, tolerance):
    """Pieces of one chain are not quite independent, chains are."""
    shape = (num_chains, 100 // num_chains)
    draws = [correlated(shape, np.ones(200), 0.7, seed) + 50 for seed in range(20)]
    found = np.sqrt(np.mean([longest_scale(x) ** 2 for x in draws]))
    assert abs(found - 1) < tolerance
    assert np.mean([pooled(x) for x in draws]) > 1.5


@pytest.mark.parametrize("num_chains", [2, 3])
def test_what_few_chains_remember_is_not_taken_for_a_scale(num_chains):
    """Pieces of one chain that were paired across would make it sqrt(3000) times their correlation."""
    draws = [correlated((num_chains, 28), np.ones(3000), 0.8, seed) for seed in range(5)]
    assert np.mean([longest_scale(x) for x in draws]) < 3


def test_the_longest_axes_count():
    scales = np.array([10.0, 1, 1, 1])
    found = [longest_scale(correlated((4, 250), scales, 0.5, seed)) for seed in range(20)]
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(found))), np.sqrt(10003 / 103), rtol=0.05)


def test_many_draws_are_thinned_and_none_is_left_out():
    """A mode that only the end of a window sees is seen."""
    x = correlated((4, 1000), np.ones(2), 0.0, 0)
    x[:2, 900:] += 30
    assert longest_scale(x) > 2


@pytest.mark.parametrize("sampler", [Langevin(), MCLMC()])
def test_draws_that_tell_nothing_leave_it_alone(sampler):
    for shape in ((4, 25, 3), (1, 1, 3)):
        stats = {name: np.ones(shape[:2]) for name in ("acceptance_rate", "energy_change")}
        moved = sampler.retuned(
            np.zeros(shape), stats | {"non_finite": np.zeros(shape[:2]), "diverging": np.zeros(shape[:2], bool)}, 2.0
        )
        assert moved.decoherence == sampler.decoherence


@pytest.mark.parametrize("sampler", [Langevin(), MCLMC()])
def test_it_is_found_where_scales_differ_and_kept_where_they_do_not(sampler):
    for scale in (1.0, 9.0):
        tuner = Tuner(sampler)
        for seed in range(16):
            positions = correlated((4, 100), np.full(5, scale), 0.5, seed).astype(np.float32)
            stats = {"acceptance_rate": np.full((4, 100), 0.95), "energy_change": np.full((4, 100), 0.05)}
            tuner.update(positions, stats | {"non_finite": np.zeros((4, 100)), "diverging": np.zeros((4, 100), bool)})
        tuned = tuner.tuned().decoherence
        assert abs(tuned / scale - 1) < 0.1
        assert tuned.dtype == sampler.decoherence.dtype


@pytest.mark.slow
def test_the_banana_mixes_faster():
    """MCLMC moves along it several times faster than with the default, made for whitened targets."""
    target = Banana()
    start = target.sample(jr.key(0), (4,))

    def moved(sampler):
        """Mean square distance along it between draws 20 apart, of independent draws one."""
        states = jax.vmap(lambda x, k: sampler.init(target, x, key=k))(start, jr.split(jr.key(1), 4))
        run = jax.jit(lambda s, n: sampler.run_chunk(target, s, n, capacity=20_000)[1])
        x = np.asarray(run(states, jnp.asarray(20_000)).position[..., 0])
        return np.mean((x[:, 20:] - x[:, :-20]) ** 2) / 200

    scale = longest_scale(np.asarray(target.sample(jr.key(2), (4, 250))))
    assert moved(MCLMC(step_size=0.65, decoherence=scale)) > 2 * moved(MCLMC(step_size=0.65))
