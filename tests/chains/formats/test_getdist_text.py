"""GetDist's text files, from GetDist and Cobaya and to GetDist and anesthetic."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from cosmoflow._results import StoreError
from cosmoflow.chains import Chain, export_chain, import_chain

COBAYA = """\
#    weight    minuslogpost         Omega_m             H0  minuslogprior minuslogprior__0           chi2
        1          8.3012          0.3125           67.5           1.5              1.5        13.6024
        3          7.2500          0.2500           70.0           1.5              1.5        11.5000
"""


def normal_chain() -> Chain:
    draws = np.random.default_rng(2).normal(size=(2, 500))
    return Chain({"Omega_m": draws, "w": draws**2}, {"lp": -0.5 * draws**2})


def test_getdist_reads_it(tmp_path, capsys):
    getdist = pytest.importorskip("getdist")
    chain = normal_chain()
    export_chain(chain, tmp_path / "run", "getdist")
    samples = getdist.loadMCSamples(str(tmp_path / "run"), no_cache=True, settings={"ignore_rows": 0})
    assert samples.samples[:, 0].tobytes() == chain.posterior["Omega_m"].tobytes()
    assert samples.loglikes.tobytes() == (-chain.sample_stats["lp"]).tobytes()
    assert samples.getParamNames().labels() == [r"\Omega_\mathrm{m}", "w"]
    assert list(samples.chain_offsets) == [0, 500, 1000]


def test_a_chain_that_never_moved_takes_no_parameter_from_the_others():
    pytest.importorskip("getdist")
    chain = normal_chain()
    chain.posterior["Omega_m"][0] = 0.3
    samples = chain.to_getdist()
    assert samples.getParamNames().list() == ["Omega_m", "w"] and samples.numrows == 1000


def test_bounds_there_and_back(tmp_path, capsys):
    getdist = pytest.importorskip("getdist")
    plain = normal_chain()
    chain = Chain(plain.posterior, plain.sample_stats, {"bounds": '{"Omega_m": [-5.5, null], "w": [null, null]}'})
    export_chain(chain, tmp_path / "run", "getdist")
    ranges = getdist.loadMCSamples(str(tmp_path / "run"), no_cache=True).ranges
    assert (ranges.getLower("Omega_m"), ranges.getUpper("Omega_m"), ranges.getLower("w")) == (-5.5, None, None)
    assert import_chain(tmp_path / "run").bounds == chain.bounds
    (tmp_path / "run.ranges").write_text("Omega_m 0 half\n")
    with pytest.raises(StoreError, match=r"run.ranges gives the range '0 half' of Omega_m, which is neither"):
        import_chain(tmp_path / "run")


def test_anesthetic_reads_it(tmp_path):
    chain = normal_chain()
    export_chain(chain, tmp_path / "run", "getdist")
    script = (  # in a process of its own, because anesthetic changes pandas for all
        "import anesthetic, sys\n"
        "samples = anesthetic.read_chains(sys.argv[1])\n"
        "assert samples.get_label('Omega_m') == r'$\\Omega_\\mathrm{m}$'\n"
        "sys.stdout.buffer.write(samples['Omega_m'].to_numpy().tobytes() + samples.logL.to_numpy().tobytes())"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "run")]
    read = subprocess.run(command, capture_output=True, check=True).stdout
    assert read == chain.posterior["Omega_m"].tobytes() + chain.sample_stats["lp"].tobytes()


@pytest.mark.parametrize("index", [None, 0])
def test_what_getdist_saved(tmp_path, index, capsys):
    getdist = pytest.importorskip("getdist")
    rng = np.random.default_rng(3)
    draws, weights = rng.normal(size=(50, 2)), rng.integers(1, 4, 50)
    samples = getdist.MCSamples(
        samples=draws, weights=weights, loglikes=np.arange(50.0), names=["a", "b"], labels=["x^2", r"\beta"]
    )
    samples.saveAsText(str(tmp_path / "run"), chain_index=index)
    chain = import_chain(tmp_path / "run")
    assert chain.posterior["a"].shape == (1, weights.sum())
    assert np.allclose(chain.posterior["b"][0], np.repeat(draws[:, 1], weights), rtol=1e-7)
    assert np.array_equal(chain.sample_stats["lp"][0], -np.repeat(np.arange(50.0), weights))
    assert chain.labels == {"a": "x^2", "b": r"\beta"}


def test_what_cobaya_wrote(tmp_path):
    (tmp_path / "run.1.txt").write_text(COBAYA)
    (tmp_path / "run.2.txt").write_text(COBAYA + COBAYA.splitlines()[1] + "\n        1      8.3")
    chain = import_chain(tmp_path / "run")
    assert np.array_equal(chain.posterior["Omega_m"], [[0.3125, 0.25, 0.25, 0.25]] * 2)
    assert np.array_equal(chain.sample_stats["lp"][0], [-8.3012, -7.25, -7.25, -7.25])
    assert list(chain.posterior) == ["Omega_m", "H0"]
    assert list(chain.sample_stats) == ["lp", "minuslogprior", "minuslogprior__0", "chi2"]
    assert chain.attributes["num_dropped_draws"] == "1"
    assert chain.attributes["import_notes"].splitlines() == [
        "The last row of run.2.txt is incomplete and was left out.",
        "Draws left out at the ends of longer chains, to make all equally long: 1.",
    ]
    assert import_chain(tmp_path / "run.2.txt").num_draws == 5


def test_what_cobaya_runs_wrote(tmp_path):
    cobaya = pytest.importorskip("cobaya")
    information = {
        "params": {"a": {"prior": {"min": -5, "max": 5}, "ref": 0, "proposal": 1.0, "latex": r"\alpha"}},
        "likelihood": {"one": {"external": lambda a: -0.5 * a**2}},
        "sampler": {"mcmc": {"max_samples": 60, "Rminus1_stop": 1e-9, "seed": 1}},
        "output": str(tmp_path / "run"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, sampler = cobaya.run(information, no_mpi=True)
        samples = sampler.samples()
    chain = import_chain(tmp_path / "run")
    weights = samples["weight"].to_numpy().astype(int)
    assert np.allclose(chain.posterior["a"][0], np.repeat(samples["a"].to_numpy(), weights), rtol=1e-7)
    assert np.allclose(chain.sample_stats["lp"][0], -np.repeat(samples["minuslogpost"].to_numpy(), weights), rtol=1e-7)


def test_weights(tmp_path):
    (tmp_path / "run.paramnames").write_text("a* x#derived\nb\ty y\n")
    path = tmp_path / "run_1.txt"
    path.write_text("0.25 1 1.5 2\n0.25 1 2.5 3\n")
    assert import_chain(path).num_draws == 2
    assert import_chain(path).labels == {"a": "x", "b": "y y"}
    for rows, words in {
        "1 1 1 2\n0.5 1 2 3\n": "Row 2 .* weight 0.5, which is no whole number",
        "-1 1 1 2\n": "weight -1",
        "nan 1 1 2\n": "weight nan",
        "1e15 1 1 2\n": r"amount to 1e\+15 draws",
        "0 1 1 2\n": "no draws",
        "1 1 2\n": "3 columns where",
        "1 1 1 x\n": "not a table of numbers",
        "1 1 1 2\n1 1 1 2 3\n1 1 1 1\n": "row 2 has another number of columns",
    }.items():
        path.write_text(rows)
        with pytest.raises(StoreError, match=words):
            import_chain(path, "getdist")
    (tmp_path / "run.paramnames").unlink()
    path.write_text("1 1 1 2\n")
    with pytest.raises(StoreError, match=r"no names; put .*paramnames beside"):
        import_chain(path, "getdist")
