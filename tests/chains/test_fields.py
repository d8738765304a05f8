"""Fields on the disk: how large, how they are read in slices, and what stays in memory."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from cosmoflow.chains import Chain, ChainStore, _compaction

SHAPE = (64, 64, 64)
GROUP = "posterior_every_10"


def append(store, num_fields, *, num_chains=2, state=0):
    """Draws of which every tenth field is kept, the moments of one map, and a state of so many fields."""
    rng = np.random.default_rng(store.num_draws)
    num_draws = 10 * num_fields // num_chains
    fields = rng.normal(size=(num_chains, num_draws // 10, *SHAPE)).astype(np.float32)
    maps = {"modes_mean": fields[:, -1], "modes_sd": fields[:, -1] ** 2}
    draws = {
        "posterior": {"power": rng.normal(size=(num_chains, num_draws, 16))},
        "sample_stats": {"lp": rng.normal(size=(num_chains, num_draws))},
        GROUP: {"white_noise": fields},
    }
    store.append_blocks([draws], {str(i): fields[:, -1] for i in range(state)}, {}, maps)
    return fields


def test_two_thousand_fields_fit(tmp_path):
    """Of two files the difference is what fields take, the rest is there once."""
    sizes = {}
    for num_fields in (4, 12):
        path = tmp_path / f"{num_fields}.h5"
        with ChainStore(path) as store:
            fields = [append(store, 4, state=5) for _ in range(num_fields // 4)]
            store.finish()
        sizes[num_fields] = path.stat().st_size
    each = (sizes[12] - sizes[4]) / 8
    assert sizes[4] + 1996 * each < 2.2e9
    assert each < 1.01 * 4 * np.prod(SHAPE)

    with h5py.File(path) as file:
        stored = file[f"{GROUP}/white_noise"]
        assert stored.dtype == np.float32 and np.prod(stored.chunks) * 4 <= 2**18
        assert np.prod(np.divide(SHAPE, stored.chunks[2:])) == 4
        np.testing.assert_array_equal(stored[1, 5, :, 32], fields[-1][1, 1, :, 32])
        np.testing.assert_array_equal(file["posterior_moments/modes_sd"], fields[-1][:, -1] ** 2)
    assert list(Chain.from_file(path).posterior) == ["power"]
    np.testing.assert_array_equal(Chain.from_file(path).moments["modes_mean"], fields[-1][:, -1])


def test_states_do_not_keep_small_segments_apart(tmp_path, monkeypatch):
    """A state larger than what is joined, as that of a large field, is kept once of those that are joined."""
    monkeypatch.setattr(_compaction, "LARGEST", 2**20)
    state = {"position": np.zeros((2, 2**17), np.float32)}
    with ChainStore(tmp_path / "run.h5") as store:
        for _ in range(9):
            store.append({"x": np.zeros((2, 3))}, {"lp": np.zeros((2, 3))}, state)
        assert len(list(tmp_path.rglob("seg-*"))) == 2  # the last one can be undone
        store.abandon()


MEMORY = """
import resource, sys
import numpy as np
from pathlib import Path
from cosmoflow.chains import ChainStore
sys.path.insert(0, sys.argv[2])
from test_fields import append

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

with ChainStore(Path(sys.argv[1])) as store:
    append(store, 16)
    before = peak()
    for _ in range(23):
        append(store, 16)
    store.finish()
    print(peak() - before)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_fields(tmp_path):
    """400 MB of fields are written and merged in a fraction of that."""
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "run.h5"), __file__.rsplit("/", 1)[0]]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert float(outcome.stdout) < 150, outcome.stderr
