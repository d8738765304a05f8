"""What a pilot run keeps of its draws."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow._budget import Budget
from cosmoflow._progress import Stage
from cosmoflow.samplers import Independence
from cosmoflow.targets import CorrelatedGaussian, Pullback
from cosmoflow.warmup._coordinates import identity
from cosmoflow.warmup._pilot import MAX_JUDGED, Pilot
from cosmoflow.warmup._windows import Window, Windows


class Numbered(Windows):
    """Draws whose coordinates are their own numbers."""

    capacity = 25

    def __init__(self, dim):
        self._dim = dim

    def start(self, target, sampler, positions, key):
        pass

    def draw(self, sampler, num_draws):
        positions = np.broadcast_to(np.arange(float(self._dim)), (2, num_draws, self._dim))
        ones = np.ones((2, num_draws), int)
        return Window(positions, {}, {"lp": 1.0 * ones, "num_gradients": ones})


@pytest.mark.parametrize("dim", [40, 2000])
def test_watched_coordinates_come_first(dim):
    pilot = Pilot(2, Numbered(dim), Budget(lambda: False, None), Stage("warmup", 100, 0, dict, []), {})
    target = Pullback(CorrelatedGaussian(np.zeros(dim), np.eye(dim)), identity(dim))
    outcome = pilot.run(target, Independence(), jnp.zeros((2, dim)), jr.key(0), 100, watched=(dim - 1, 3))
    kept = outcome.draws[0, 0]
    assert kept[:2].tolist() == [dim - 1, 3] and MAX_JUDGED <= kept.size <= MAX_JUDGED + 2
