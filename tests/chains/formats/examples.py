"""A chain with every dtype and with numbers that only 17 digits tell apart."""

import numpy as np

from cosmoflow.chains import Chain

NUM_CHAINS, NUM_DRAWS = 3, 20


def example() -> Chain:
    rng = np.random.default_rng(0)
    shape = (NUM_CHAINS, NUM_DRAWS)
    hard = rng.normal(size=shape) * 10.0 ** rng.integers(-300, 300, shape)
    hard[0, :6] = 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, np.inf, np.nan
    posterior = {
        "Omega_m": hard,
        "field": rng.normal(size=(*shape, 2, 3)),
        "single": rng.normal(size=shape).astype(np.float32),
        "count": rng.integers(-(2**53), 2**53, shape),
        "small": rng.integers(-128, 127, shape).astype(np.int8),
        "flag": rng.random(shape) > 0.5,
    }
    sample_stats = {"lp": rng.normal(size=shape), "diverging": rng.random(shape) > 0.9}
    labels = '{"Omega_m": "\\\\Omega_\\\\mathrm{m}", "field": "f"}'
    return Chain(posterior, sample_stats, {"labels": labels, "sampling_seconds": 2.5})


def assert_same_numbers(found: Chain, expected: Chain, *, same_dtypes: bool) -> None:
    """Equal to the bit once both are of the dtype expected; where that is asked, the dtypes are equal too."""
    assert list(found.posterior) == list(expected.posterior)
    for name, array in {**expected.posterior, "lp": expected.sample_stats["lp"]}.items():
        other = found.sample_stats["lp"] if name == "lp" else found.posterior[name]
        assert other.shape == array.shape
        assert other.astype(array.dtype).tobytes() == np.ascontiguousarray(array).tobytes(), name
        assert other.dtype == array.dtype or not same_dtypes
