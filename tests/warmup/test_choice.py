"""Which of the samplers that were tried is taken."""

import numpy as np
import pytest

from cosmoflow._results import RunError, Status
from cosmoflow.samplers import MCLMC
from cosmoflow.warmup._pilot import Outcome
from cosmoflow.warmup._warmup import best_of

EFFICIENCY = {"slow": 0.1, "fast": 0.2}


def outcome(status=Status.SUCCESSFUL, diverging=0.0):
    return Outcome(MCLMC(), np.zeros((4, 2)), np.zeros((4, 8, 2)), np.zeros((4, 8)), 1.0, status, diverging)


@pytest.mark.parametrize(
    ("slow", "fast", "best"),
    [
        (outcome(), outcome(), "fast"),
        (outcome(), outcome(diverging=0.005), "fast"),
        (outcome(), outcome(diverging=0.05), "slow"),
        (outcome(diverging=0.05), outcome(diverging=0.05), "fast"),
        (outcome(), outcome(Status.STUCK), "slow"),
    ],
)
def test_the_most_efficient_that_does_not_diverge(slow, fast, best):
    assert best_of({"slow": slow, "fast": fast}, EFFICIENCY) == best


def test_none_that_moves():
    with pytest.raises(RunError, match="could not move"):
        best_of(dict.fromkeys(EFFICIENCY, outcome(Status.STUCK)), EFFICIENCY)
