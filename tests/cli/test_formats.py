"""`cosmoflow export` and `cosmoflow import`."""

import numpy as np
import pytest

from cosmoflow.chains import Chain

OUTPUTS = {
    "getdist": ["run_getdist.paramnames", "run_getdist_1.txt", "run_getdist_2.txt"],
    "cosmosis": ["run_cosmosis_1.txt", "run_cosmosis_2.txt"],
    "netcdf": ["run.nc"],
    "csv": ["run.csv"],
    "emcee": ["run_emcee.h5"],
}


@pytest.fixture
def run(folder):
    draws = np.random.default_rng(0).normal(size=(2, 200))
    chain = Chain({"Omega_m": draws, "x": np.stack([draws, draws**2], axis=-1)}, {"lp": -0.5 * draws**2})
    chain.save(folder / "run.h5")
    return chain


@pytest.mark.soon(1)
@pytest.mark.parametrize("format", OUTPUTS)
def test_there_and_back(run, folder, cosmoflow, format):
    before = set(folder.iterdir())
    outcome = cosmoflow("export", "run.h5", "--to", format)
    assert outcome.code == 0 and outcome.err == ""
    written = sorted(set(folder.iterdir()) - before)
    assert [path.name for path in written] == OUTPUTS[format]
    assert all(path.name in outcome.out for path in written)

    outcome = cosmoflow("export", "run.h5", "--to", format)
    assert outcome.code == 2 and outcome.is_one_sentence("already", "--force")
    assert cosmoflow("export", "run.h5", "--to", format, "--force").code == 0

    source = OUTPUTS[format][0].replace(".paramnames", "").replace("_1.txt", "")
    outcome = cosmoflow("import", source, "--output", "again.h5")
    assert outcome.code == 0 and outcome.out == "2 chains of 200 draws are in again.h5\n"
    again = Chain.from_file(folder / "again.h5")
    assert all(np.array_equal(again.posterior[name], draws) for name, draws in run.posterior.items())
    assert cosmoflow("summarize", "again.h5").out.startswith("2 chains of 200 draws")
    assert cosmoflow("plot", "again.h5").code == 0
    assert cosmoflow("import", source, "--output", "again.h5").is_one_sentence("again.h5", "already")
    assert cosmoflow("import", source, "--output", "again.h5", "--force").code == 0


def test_options(run, folder, cosmoflow):
    assert cosmoflow("export", "run.h5", "--to", "csv", "--output", "a.csv", "--parameters", "x[1],Omega_m").code == 0
    outcome = cosmoflow("import", "a.csv", "--output", "a.h5", "--format", "csv")
    assert outcome.out.splitlines()[0] == "The parameter 'x[1]' is now called 'x_1'."
    cosmoflow("export", "a.h5", "--to", "emcee")
    assert cosmoflow("import", "a_emcee.h5", "--output", "b.h5", "--names", "u, v").code == 0
    assert list(Chain.from_file(folder / "b.h5").posterior) == ["u", "v"]


def test_bad_input(run, folder, cosmoflow):
    (folder / "garbage.txt").write_text("hello\n")
    (folder / "other.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for arguments, words in (
        (("export", "run.h5", "--to", "fits"), ("'fits'", "getdist")),
        (("export", "missing.h5", "--to", "csv"), ("missing.h5",)),
        (("export", "run.h5", "--to", "csv", "--parameters", "h"), ("'h'", "Omega_m")),
        (("export", "run.h5", "--to", "csv", "--output", "missing/a.csv"), ("missing/a.csv", "folder is missing")),
        (("import", "garbage.txt", "--output", "a.h5"), ("garbage.txt", "known format", "zeus")),
        (("import", "other.h5", "--output", "a.h5"), ("other.h5",)),
        (("import", "missing", "--output", "a.h5"), ("missing", "check the path")),
        (("import", "run.h5", "--output", "a.txt"), ("a.txt", ".h5")),
        (("import", "run.h5", "--output", "a.h5", "--format", "pickle"), ("'pickle'", "getdist")),
        (("import", "run.h5", "--output", "other.h5", "--force"), ("other.h5",)),
    ):
        outcome = cosmoflow(*arguments)
        assert outcome.code == 2 and outcome.is_one_sentence(*words), outcome
        assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before, arguments
