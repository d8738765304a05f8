"""CosmoSIS text chains."""

import numpy as np
import pytest
from chains.formats.examples import example

from cosmoflow._results import StoreError
from cosmoflow.chains import export_chain, import_chain

ENSEMBLE = """\
#cosmological_parameters--omega_m\tcosmological_parameters--h0\tPLANCK--a\tprior\tpost
#sampler=emcee
#n_varied=3
#walkers=2 #how many
## START_OF_PARAMS_INI
## [runtime]
## END_OF_PARAMS_INI
0.1\t0.7\t1\t-1.0\t-5.0
0.2\t0.8\t2\t-1.0\t-6.0
0.3\t0.7\t3\t-1.0\t-7.0
0.4\t0.8\t4\t-1.0\t-8.0
#nsample=4
"""


def test_the_layout(tmp_path):
    files = export_chain(example(), tmp_path / "run.txt", "cosmosis", parameters=["Omega_m", "count"])
    assert [file.name for file in files] == ["run_1.txt", "run_2.txt", "run_3.txt"]
    lines = files[1].read_text().splitlines()
    assert lines[:3] == ["#parameters--Omega_m\tparameters--count\tpost", "#sampler=metropolis", "#n_varied=2"]
    numbers = np.loadtxt(files[1], delimiter="\t")
    assert numbers[:, 0].tobytes() == example().posterior["Omega_m"][1].tobytes()
    assert numbers[:, 2].tobytes() == example().sample_stats["lp"][1].tobytes()


def test_walkers_become_chains(tmp_path):
    (tmp_path / "run.txt").write_text(ENSEMBLE)
    chain = import_chain(tmp_path / "run.txt")
    assert np.array_equal(chain.posterior["omega_m"], [[0.1, 0.3], [0.2, 0.4]])
    assert np.array_equal(chain.sample_stats["lp"], [[-5, -7], [-6, -8]])
    assert list(chain.posterior) == ["omega_m", "h0", "a"] and list(chain.sample_stats) == ["lp", "prior"]


def test_sections_stay_where_they_tell_names_apart(tmp_path):
    (tmp_path / "run.txt").write_text("#one--a\ttwo--a\tpost\n1.0\t2.0\t3.0\n")
    assert list(import_chain(tmp_path / "run").posterior) == ["one--a", "two--a"]


def test_weights(tmp_path):
    path = tmp_path / "run.txt"
    path.write_text("#a--x\tweight\told_weight\tpost\n1.5\t2\t3\t0.5\n2.5\t1\t0\t0.5\n")
    assert np.array_equal(import_chain(path).posterior["x"], [[1.5] * 6])
    for text, words in {
        "#a--x\tlog_weight\tpost\n1.0\t2.0\t3.0\n": "log_weight",
        "#a--x\tweight\tpost\n1.0\t2.0\t3.0\n1.0\t0.5\t3.0\n": "weight 0.5",
        "#a--x\tpost\n1.0\t2.0\t3.0\n": "does not name its 3 columns",
        "#a--x\ta--x\tpost\n1.0\t2.0\t3.0\n": "each differently",
        "#a--x\tpost\n": "does not name its 0 columns",
    }.items():
        path.write_text(text)
        with pytest.raises(StoreError, match=words):
            import_chain(path)
