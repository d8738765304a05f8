"""Files of emcee, from it and to it."""

import h5py
import numpy as np
import pytest
from chains.formats.examples import example

from cosmoflow._results import StoreError
from cosmoflow.chains import export_chain, import_chain


def run(path, blobs=None, **options):
    emcee = pytest.importorskip("emcee")
    backend = emcee.backends.HDFBackend(str(path), **options)

    def log_probability(x):
        return -0.5 * x @ x if blobs is None else (-0.5 * x @ x, x[0] ** 2)

    sampler = emcee.EnsembleSampler(8, 2, log_probability, backend=backend, blobs_dtype=blobs)
    sampler.run_mcmc(np.random.default_rng(4).normal(size=(8, 2)), 30)
    return sampler


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "compression_opts": 9}, {"name": "other"}])
def test_what_emcee_wrote(tmp_path, options):
    sampler = run(tmp_path / "run.h5", **options)
    chain = import_chain(tmp_path / "run.h5", names=["a", "b"])
    assert np.array_equal(chain.posterior["b"], sampler.get_chain()[..., 1].T)
    assert np.array_equal(chain.sample_stats["lp"], sampler.get_log_prob().T)
    vector = import_chain(tmp_path / "run.h5").posterior["x"]
    assert np.array_equal(vector, sampler.get_chain().swapaxes(0, 1))
    with pytest.raises(StoreError, match="has 2 parameters; give as many names"):
        import_chain(tmp_path / "run.h5", names=["a"])


def test_blobs(tmp_path):
    sampler = run(tmp_path / "run.h5", float)
    assert np.array_equal(import_chain(tmp_path / "run.h5").sample_stats["blobs"], sampler.get_blobs().T)
    run(tmp_path / "named.h5", [("square", float)])
    chain = import_chain(tmp_path / "named.h5")
    assert list(chain.sample_stats) == ["lp"] and "blobs" in chain.attributes["import_notes"]


def test_emcee_reads_it(tmp_path):
    emcee = pytest.importorskip("emcee")
    chain = example()
    export_chain(chain, tmp_path / "run.h5", "emcee", parameters=["Omega_m", "field"])
    backend = emcee.backends.HDFBackend(str(tmp_path / "run.h5"), read_only=True)
    assert backend.get_chain().shape == (20, 3, 7) and backend.shape == (3, 7)
    assert backend.get_chain()[..., 0].T.tobytes() == chain.posterior["Omega_m"].tobytes()
    assert backend.get_log_prob().T.tobytes() == chain.sample_stats["lp"].tobytes()
    assert backend.get_blobs() is None and backend.iteration == 20
    assert np.all(backend.accepted >= 18)


def test_emcee_goes_on_from_it(tmp_path):
    emcee = pytest.importorskip("emcee")
    run(tmp_path / "first.h5")
    export_chain(import_chain(tmp_path / "first.h5"), tmp_path / "second.h5", "emcee")
    backend = emcee.backends.HDFBackend(str(tmp_path / "second.h5"))
    sampler = emcee.EnsembleSampler(8, 2, lambda x: -0.5 * x @ x, backend=backend)
    sampler.run_mcmc(backend.get_last_sample().coords, 5)
    assert import_chain(tmp_path / "second.h5").num_draws == 35


def test_steps_that_are_not_there_yet(tmp_path):
    run(tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file["mcmc"].attrs["iteration"] = 12
        file["mcmc/chain"].resize(10**9, axis=0)  # room made ahead, as emcee does
    assert import_chain(tmp_path / "run.h5").num_draws == 12
    for iteration in (31, 0, 10**9, "many", [1, 2]):
        with h5py.File(tmp_path / "run.h5", "r+") as file:
            file["mcmc"].attrs["iteration"] = iteration
        with pytest.raises(StoreError, match=r"steps|more data"):
            import_chain(tmp_path / "run.h5")
