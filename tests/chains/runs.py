"""A run whose draws depend on nothing but their number, so that any interruption must leave it the same."""

import numpy as np

NUM_CHAINS = 3


def draws(first: int, stop: int) -> tuple[dict, dict, dict]:
    number = np.arange(first, stop, dtype=float)
    chain = np.arange(NUM_CHAINS, dtype=float)[:, None]
    posterior = {
        "Omega_m": np.sin(number + chain),
        "field": np.cos(number + chain)[..., None, None] * np.arange(6.0).reshape(2, 3),
        "count": (number + 10 * chain).astype(np.int64),
    }
    sample_stats = {"lp": -((number - chain) ** 2), "diverging": (number + chain) % 7 == 0}
    state = {".position": np.full((NUM_CHAINS, 2, 2), float(stop)), ".key:threefry2x32": np.full((2,), stop, np.uint32)}
    return posterior, sample_stats, state


def append(store, size: int) -> None:
    posterior, sample_stats, state = draws(store.num_draws, store.num_draws + size)
    store.append(posterior, sample_stats, state, {"seconds": 0.5})


def assert_holds(chain, num_draws: int) -> None:
    posterior, sample_stats, _ = draws(0, num_draws)
    assert chain.num_draws == num_draws
    for expected, found in ((posterior, chain.posterior), (sample_stats, chain.sample_stats)):
        assert list(expected) == list(found)
        for name, array in expected.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
