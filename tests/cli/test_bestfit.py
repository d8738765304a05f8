"""The table of a best fit."""

import pytest


def row(out, name):
    return next(line.split() for line in out.splitlines() if line.startswith(name))


def test_desi(cosmoflow, folder):
    outcome = cosmoflow("bestfit", "bao.toml", "--starts", "2")
    assert outcome.code == 0 and outcome.err == "", outcome
    assert row(outcome.out, "Omega_m") == ["Omega_m", "0.29746", "0.00858"]
    assert row(outcome.out, "desi_dr2_bao")[:3] == ["desi_dr2_bao", "10.27", "13"]
    assert "maximum posterior" not in outcome.out
    assert sorted(path.name for path in folder.iterdir()) == ["bao.toml"]


def test_a_normal_prior_and_an_edge(cosmoflow, folder):
    config = folder / "bao.toml"
    text = config.read_text().replace("low = 0.01", "low = 0.32")
    config.write_text(text.replace('"uniform", low = 10.0, high = 1000.0', '"normal", mean = 99.0, sd = 0.5'))
    outcome = cosmoflow("bestfit", "bao.toml", "--starts", "1")
    assert outcome.code == 0 and outcome.err.count("where the prior ends") == 2, outcome
    _, likelihood, posterior, sd = row(outcome.out, "h_r_d")
    assert float(likelihood) > float(posterior) > 99.0 and float(sd) < 0.5
    assert "maximum posterior" in outcome.out


@pytest.mark.parametrize(
    ("old", "new", "words"), [("[run]", "[run", ("not TOML",)), ("h_r_d", "#", ("h_r_d is missing",))]
)
def test_bad_configurations(cosmoflow, folder, old, new, words):
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace(old, new, 1))
    outcome = cosmoflow("bestfit", "bao.toml")
    assert outcome.code == 2 and outcome.is_one_sentence("bao.toml", *words), outcome


def test_data_that_are_not_gaussian(cosmoflow, folder):
    config = folder / "bao.toml"
    mixture = '[likelihood.gaussian_mixture]\nparameters = ["Omega_m"]\nweights = [1.0]\nmeans = [[0.3]]\n[prior]'
    config.write_text(config.read_text().replace("[prior]", mixture))
    outcome = cosmoflow("bestfit", "bao.toml")
    assert outcome.code == 2 and outcome.is_one_sentence("bao.toml", "gaussian_mixture", "no Gaussian data"), outcome
