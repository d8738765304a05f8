"""Runs that are extended, that end by a criterion, and that have little time."""

import json

import numpy as np
import pytest
from cli.test_sample import assert_identical

from cosmoflow.chains import Chain


@pytest.fixture
def configure(folder):
    """Write `bao.toml` with other draws and more keys of [run]."""
    given = (folder / "bao.toml").read_text()

    def write(num_draws, more=""):
        (folder / "bao.toml").write_text(given.replace("num_draws = 300", f"num_draws = {num_draws}") + more)

    return write


def status(folder):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads((folder / "bao.status.json").read_text(), parse_constant=refuse)


@pytest.mark.slow
def test_an_extended_run_equals_a_long_one(folder, cosmoflow, configure):
    configure(130)
    assert cosmoflow("sample", "bao.toml", "--quiet").code == 0
    configure(300)
    assert cosmoflow("sample", "bao.toml", "--quiet", "--resume").code == 0
    assert cosmoflow("sample", "bao.toml", "--quiet", "--output", "long.h5").code == 0
    assert_identical("bao.h5", "long.h5")


def test_until(folder, cosmoflow, configure):
    configure(2000, "until_ess = 150\nuntil_rhat = 1.05\n")
    outcome = cosmoflow("sample", "bao.toml")
    assert outcome.code == 0 and "reached its stop criterion" in outcome.out
    num_draws = Chain.from_file("bao.h5").num_draws
    assert 100 <= num_draws < 2000 and not (folder / "bao.h5.segments").exists()
    found = status(folder)
    assert (found["stage"], found["status"], found["draws"]) == ("finished", "CONVERGED", num_draws)
    assert found["ess"] >= 150 and found["rhat"] <= 1.05

    before = (folder / "bao.h5").read_bytes()
    assert cosmoflow("sample", "bao.toml", "--quiet", "--resume").code == 0
    assert (folder / "bao.h5").read_bytes() == before

    configure(num_draws + 10, "until_ess = 1e9\n")
    outcome = cosmoflow("sample", "bao.toml", "--quiet", "--resume")
    assert outcome.code == 1 and outcome.is_one_sentence("without reaching its stop criterion", "num_draws")
    assert status(folder)["status"] == "NOT_CONVERGED"


def test_the_budget_covers_the_whole_command(folder, cosmoflow, configure):
    """The posterior alone took longer to build than there was time: the warm-up does not begin."""
    outcome = cosmoflow("sample", "bao.toml", "--max-time", "0.001")
    assert outcome.code == 75 and outcome.is_one_sentence("time budget", "--max-time 0.001 --resume")
    assert "Warming up: 0/4000 gradients" in outcome.out and "Sampling" not in outcome.out
    assert not any(f"{count}/4000" in outcome.out for count in range(1, 4000))
    found = status(folder)
    assert (found["stage"], found["status"]) == ("stopped", "OUT_OF_TIME")
    configure(300, "max_time = 0.001\n")
    assert cosmoflow("sample", "bao.toml", "--resume", "--max-time", "600", "--quiet").code == 0


def test_a_time_budget_is_positive(cosmoflow):
    outcome = cosmoflow("sample", "bao.toml", "--max-time", "-1")
    assert outcome.code == 2 and outcome.is_one_sentence("run.max_time", "greater than 0")


def test_a_status_file_that_cannot_be_written_ends_nothing(folder, cosmoflow):
    (folder / "bao.status.json").mkdir()
    assert cosmoflow("sample", "bao.toml", "--quiet") == (0, "", "")
    assert sorted(path.name for path in folder.glob("*.tmp")) == []
    assert np.isfinite(Chain.from_file("bao.h5").posterior["Omega_m"]).all()
