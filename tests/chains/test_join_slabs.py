"""Slabs of a field joined to one file, and what of them does not fit."""

import json

import h5py
import numpy as np
import pytest

from cosmoflow._merge import merge
from cosmoflow._results import StoreError
from cosmoflow.chains import SLAB, SLAB_AXES, Chain, ChainStore, _layout, check, join_slabs

NUM_DRAWS = 12
RNG = np.random.default_rng(0)
WHOLE = {
    "posterior": {"x": RNG.normal(size=(2, NUM_DRAWS)), "spectrum": RNG.normal(size=(2, NUM_DRAWS, 3))},
    "sample_stats": {
        "lp": RNG.normal(size=(2, NUM_DRAWS)),
        "squared_norm": RNG.normal(size=(2, NUM_DRAWS)),
        "diverging": RNG.normal(size=(2, NUM_DRAWS)) > 3,
    },
    "posterior_every_4": {"field": RNG.normal(size=(2, 3, 6, 4, 2)).astype(np.float32)},
}
MOMENTS = {"map_mean": RNG.normal(size=(2, 4, 6, 2)), "few_sd": RNG.normal(size=(2, 3))}
AXES = {"posterior_every_4/field": 2, "posterior_moments/map_mean": 2}


def slab(path, index, count, *, sizes=(4, 8), seed=1, finish=True):
    """What one of some processes leaves."""
    with ChainStore(path) as store:
        store.identify({"num_chains": 2, "seed": seed, SLAB: [index, count]})
        store.annotate({SLAB_AXES: json.dumps(AXES), "labels": "{}"})
        store.save_group("observed_data", {"data": np.arange(5.0)})
        for size in sizes:
            first, stop = store.num_draws, store.num_draws + size
            block = {
                group: {
                    name: np.array_split(array, count, AXES[f"{group}/{name}"])[index]
                    if f"{group}/{name}" in AXES
                    else array
                    for name, array in arrays.items()
                }
                for group, arrays in WHOLE.items()
            }
            block = {
                group: {
                    name: array[:, first // 4 : stop // 4] if group == "posterior_every_4" else array[:, first:stop]
                    for name, array in arrays.items()
                }
                for group, arrays in block.items()
            }
            moments = MOMENTS | {"map_mean": np.array_split(MOMENTS["map_mean"], count, 2)[index]}
            store.append_blocks([block], {"position": np.zeros((2, 5))}, {"seconds": 1.5}, moments)
        if finish:
            store.finish()
    return path


@pytest.mark.parametrize(("count", "room"), [(1, 2**24), (2, 40), (4, 200)])
def test_the_whole_is_what_the_slabs_are_of(tmp_path, monkeypatch, count, room):
    """However little of it is in memory at a time; with four slabs their thickness differs."""
    paths = [slab(tmp_path / f"{index}.h5", index, count) for index in range(count)]
    monkeypatch.setattr(_layout, "_SLAB_BYTES", room)
    chain = merge(paths[::-1], tmp_path / "run.h5")
    assert chain.attributes["sampling_seconds"] == 3.0 * count and SLAB_AXES not in chain.attributes
    assert "few_sd" in chain.moments
    whole = Chain.from_file(tmp_path / "run.h5")
    for name, array in WHOLE["posterior"].items():
        np.testing.assert_array_equal(whole.posterior[name], array)
    for name, array in WHOLE["sample_stats"].items():
        np.testing.assert_array_equal(whole.sample_stats[name], array)
        assert whole.sample_stats[name].dtype == array.dtype
    fields = Chain.from_file(tmp_path / "run.h5", group="posterior_every_4").posterior
    np.testing.assert_array_equal(fields["field"], WHOLE["posterior_every_4"]["field"])
    for name, array in MOMENTS.items():
        np.testing.assert_array_equal(whole.moments[name], array)
    np.testing.assert_array_equal(whole.observed_data["data"], np.arange(5.0))
    found = check(tmp_path / "run.h5")
    assert found.problems == () and found.num_draws == NUM_DRAWS
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(
            file["posterior_every_4/field"][1, 2, :, 3], WHOLE["posterior_every_4"]["field"][1, 2, :, 3]
        )
    with ChainStore(tmp_path / "run.h5", mode="resume") as store:
        assert store.load_state() == {}
        store.identify({"num_chains": 2, "seed": 1})


def test_what_is_large_is_not_read_where_little_is_asked_for(tmp_path):
    paths = [slab(tmp_path / f"{index}.h5", index, 2) for index in range(2)]
    merge(paths, tmp_path / "run.h5")
    assert list(Chain.from_file(tmp_path / "run.h5", max_size=3).moments) == ["few_sd"]


def test_slabs_that_do_not_fit(tmp_path):
    first, second = (slab(tmp_path / f"{index}.h5", index, 2) for index in range(2))
    short = slab(tmp_path / "short.h5", 1, 2, sizes=(4, 4))
    other = slab(tmp_path / "other.h5", 1, 2, seed=2)
    running = slab(tmp_path / "running.h5", 1, 2, finish=False)
    with ChainStore(tmp_path / "whole.h5") as store:
        store.append({"x": np.zeros((2, 3))}, {"lp": np.zeros((2, 3))}, {})
        store.finish()
    for parts, words in (
        ([first], r"slabs \[0\] are given, but the run has 2"),
        ([second, second, first], r"slabs \[0, 1, 1\] are given"),
        ([first, short], "8 draws, but .* has 12; resume them together"),
        ([first, other], "slab of another run"),
        ([first, running], "not finished; resume it, with all processes"),
        ([first, tmp_path / "whole.h5"], "has all of its field"),
    ):
        with pytest.raises(StoreError, match=words):
            join_slabs(parts, tmp_path / "run.h5", attributes={})
        assert not (tmp_path / "run.h5").exists()
    with pytest.raises(StoreError, match="already holds a run"):
        join_slabs([first, second], tmp_path / "whole.h5", attributes={})
    join_slabs([first, second], tmp_path / "whole.h5", attributes={}, overwrite=True)
    assert Chain.from_file(tmp_path / "whole.h5").num_draws == NUM_DRAWS
