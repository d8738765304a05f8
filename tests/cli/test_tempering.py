"""The shipped configurations of several modes, from one command."""

from pathlib import Path

import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.diagnostics import stepping_stone

CONFIGS = Path(__file__).parents[2] / "scripts" / "configs"


def run_of(cosmoflow, name, folder):
    assert cosmoflow("sample", str(CONFIGS / f"{name}.toml"), "--quiet").code == 0
    assert "by stepping stones" in (folder / f"{name}.txt").read_text()
    return Chain.from_file(folder / f"{name}.h5")


@pytest.mark.slow
def test_two_modes(cosmoflow, folder):
    chain = run_of(cosmoflow, "two_modes", folder)
    assert abs(np.mean(chain.posterior["x0"] > 0) - 0.7) < 0.02
    assert abs(stepping_stone(chain).log_evidence + 10 * np.log(40)) < 0.05


@pytest.mark.slow
def test_nine_modes(cosmoflow, folder):
    chain = run_of(cosmoflow, "nine_modes", folder)
    place = 3 * np.round(chain.posterior["x"] / 5) + np.round(chain.posterior["y"] / 5) + 4
    weights = [np.mean(place == k) for k in range(9)]
    np.testing.assert_allclose(weights, np.array([1, 2, 3, 2, 1, 2, 3, 2, 4]) / 20, atol=0.02)
    assert abs(stepping_stone(chain).log_evidence + 2 * np.log(20)) < 0.05
