"""Files of zeus."""

import h5py
import numpy as np
import pytest

from cosmoflow._results import StoreError
from cosmoflow.chains import import_chain


def write(path, blobs=None):
    """As zeus 2.5 does in its `SaveProgressCallback`."""
    rng = np.random.default_rng(5)
    arrays = {"samples": rng.normal(size=(40, 6, 2)), "logprob": rng.normal(size=(40, 6))}
    arrays |= {} if blobs is None else {"blobs": blobs}
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, compression="gzip", chunks=True, maxshape=(None, *array.shape[1:]))
    return arrays


def test_layout(tmp_path):
    arrays = write(tmp_path / "run.h5", np.zeros((40, 6)))
    chain = import_chain(tmp_path / "run.h5", names=["a", "b"])
    assert chain.attributes["imported_from"] == "zeus"
    assert np.array_equal(chain.posterior["a"], arrays["samples"][..., 0].T)
    assert np.array_equal(chain.sample_stats["lp"], arrays["logprob"].T)
    assert np.array_equal(chain.sample_stats["blobs"], np.zeros((6, 40)))


def test_blobs_that_are_no_numbers(tmp_path):
    write(tmp_path / "run.h5", np.full((40, 6), b"text"))
    assert "blobs" in import_chain(tmp_path / "run.h5").attributes["import_notes"]


def test_what_zeus_wrote(tmp_path):
    zeus = pytest.importorskip("zeus")
    sampler = zeus.EnsembleSampler(8, 2, lambda x: -0.5 * np.sum(x**2), verbose=False)
    callback = zeus.callbacks.SaveProgressCallback(str(tmp_path / "run.h5"), ncheck=10)
    sampler.run_mcmc(np.random.default_rng(6).normal(size=(8, 2)), 40, callbacks=[callback], progress=False)
    chain = import_chain(tmp_path / "run.h5")
    assert np.array_equal(chain.posterior["x"], sampler.get_chain()[: chain.num_draws].swapaxes(0, 1))
    assert np.array_equal(chain.sample_stats["lp"], sampler.get_log_prob()[: chain.num_draws].T)


def test_other_shapes(tmp_path):
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file["samples"], file["logprob"] = np.zeros((3, 4)), np.zeros(3)
    with pytest.raises(StoreError, match="not steps of walkers"):
        import_chain(tmp_path / "run.h5")
