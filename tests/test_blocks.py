"""Blocks of chains: how they are divided, and that parts of a run are the run."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import cosmoflow as cf
from cosmoflow._blocks import Blocks, default_size, shared_out
from cosmoflow._results import StoreError
from cosmoflow.samplers import GHMC
from cosmoflow.targets import Skewed

TARGET = Skewed(jnp.array([1.0, 3.0]))
RUN = {"num_draws": 60, "num_chains": 6, "block": 2, "chunk": 25, "key": jr.key(5)}


@pytest.mark.parametrize(
    ("num_chains", "size"), [(1, 1), (3, 3), (4, 4), (6, 6), (8, 4), (10, 5), (12, 4), (64, 8), (100, 20)]
)
def test_default_size(num_chains, size):
    assert default_size(num_chains) == size


@pytest.mark.parametrize(
    ("count", "devices"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (4, [0, 0, 1, 2]), (6, [0, 0, 1, 1, 2, 2])]
)
def test_blocks_are_divided_evenly(count, devices):
    assert shared_out(count, 3) == devices


def test_one_device_is_left_to_jax():
    assert Blocks.arranged(8, 2, TARGET).devices == (None,) * 4


def test_a_block_divides_the_chains():
    with pytest.raises(ValueError, match="6 chains cannot be computed in blocks of 4"):
        cf.sample(TARGET, GHMC(), **RUN | {"block": 4})
    with pytest.raises(ValueError, match="between blocks of 2"):
        cf.sample(TARGET, GHMC(), chains=range(3), **RUN)


def assert_same(one, other):
    for a, b in ((one.posterior, other.posterior), (one.sample_stats, other.sample_stats)):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_parts_of_a_run_are_the_run(tmp_path):
    whole = cf.sample(TARGET, GHMC(), **RUN)
    parts = [range(0, 2), range(2, 6)]
    for number, chains in enumerate(parts):
        with cf.ChainStore(tmp_path / f"{number}.h5") as store:
            part = cf.sample(TARGET, GHMC(), chains=chains, store=store, **RUN)
            np.testing.assert_array_equal(part.posterior["x"], whole.posterior["x"][chains.start : chains.stop])
    merged = cf.merge([tmp_path / "1.h5", tmp_path / "0.h5"], tmp_path / "run.h5")
    assert_same(merged, whole)
    for converged, status in ((True, "CONVERGED"), (False, "NOT_CONVERGED")):
        paths = [tmp_path / "0.h5", tmp_path / "1.h5"]
        assert cf.merge(paths, tmp_path / "other.h5", converged=converged, overwrite=True).status.name == status
    with cf.ChainStore(tmp_path / "run.h5", mode="resume") as store:
        longer = cf.sample(TARGET, GHMC(), store=store, **RUN | {"num_draws": 80})
    assert_same(longer, cf.sample(TARGET, GHMC(), **RUN | {"num_draws": 80}))
    with (
        cf.ChainStore(tmp_path / "run.h5", mode="resume") as store,
        pytest.raises(StoreError, match="block was 2, is 3"),
    ):
        cf.sample(TARGET, GHMC(), store=store, **RUN | {"num_draws": 90, "block": 3})


def test_chains_do_not_depend_on_devices_given():
    whole = cf.sample(TARGET, GHMC(), **RUN)
    assert_same(cf.sample(TARGET, GHMC(), devices=jax.local_devices(), **RUN), whole)
