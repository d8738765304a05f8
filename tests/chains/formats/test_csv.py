"""Comma-separated values."""

import numpy as np
import pytest
from chains.formats.examples import example

from cosmoflow._results import StoreError
from cosmoflow.chains import export_chain, import_chain


def test_pandas_reads_it(tmp_path):
    pandas = pytest.importorskip("pandas")
    chain = example()
    export_chain(chain, tmp_path / "run.csv", "csv")
    table = pandas.read_csv(tmp_path / "run.csv")
    assert list(table)[:4] == ["chain", "draw", "Omega_m", "field[0,0]"] and list(table)[-1] == "lp"
    assert list(table["draw"][:21]) == [*range(20), 0]
    assert table["Omega_m"].to_numpy().tobytes() == chain.posterior["Omega_m"].tobytes()
    assert np.array_equal(table["flag"].to_numpy().reshape(3, 20), chain.posterior["flag"])


def test_any_table_with_names(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text('"a/b", h\n1.5,2\n2.5,3\n')
    chain = import_chain(path)
    assert list(chain.posterior) == ["a_b", "h"] and "'a/b' is now called 'a_b'" in chain.attributes["import_notes"]
    assert np.array_equal(chain.posterior["h"], [[2, 3]])


def test_chains_of_different_lengths(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("chain,draw,x\n0,0,1.5\n1,0,2.5\n1,1,3.5\n")
    chain = import_chain(path)
    assert np.array_equal(chain.posterior["x"], [[1.5], [2.5]]) and chain.attributes["num_dropped_draws"] == "1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,a\n1,2\n", "each differently"),
        ("a,b\n", "does not name its 0 columns"),
        ("a,b\n1,\n", "not a table of numbers"),
        ("a,b\n1,True\n2,yes\n", "neither True nor False"),
        ("chain,draw\n0,0\n", "no columns but"),
    ],
)
def test_bad_tables(tmp_path, text, words):
    (tmp_path / "run.csv").write_text(text)
    with pytest.raises(StoreError, match=words):
        import_chain(tmp_path / "run.csv")
