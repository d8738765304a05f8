import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow.plotting import paths
from cosmoflow.plotting._paths import POINTS, path_points
from cosmoflow.samplers.pdmp import Boomerang, ZigZag, skeleton
from cosmoflow.targets import CorrelatedGaussian

pytest.importorskip("matplotlib")

TARGET = CorrelatedGaussian(jnp.zeros(2), jnp.array([[1.0, 0.6], [0.6, 1.0]]))


def follow(sampler, num_events=12):
    keys = jr.split(jr.key(0), 2)
    states = jax.vmap(lambda key: sampler.init(TARGET, jr.normal(key, (2,)), key=key))(keys)
    return skeleton(TARGET, sampler, states, num_events)[0]


@pytest.mark.parametrize("sampler", [ZigZag(), Boomerang()], ids=lambda s: type(s).__name__)
def test_points_are_those_of_the_motion(sampler):
    found = follow(sampler)
    points = path_points(found)
    assert points.shape == (2, 12 * POINTS, 2)
    np.testing.assert_allclose(points[:, ::POINTS], found.positions[:, :-1], atol=1e-12)
    np.testing.assert_allclose(points[:, POINTS - 1 :: POINTS], found.positions[:, 1:], atol=1e-9)
    time = 0.5 * float(found.times[:, -1].min())
    there = np.asarray(found.at(jnp.array([time])))[:, 0]
    nearest = np.abs(points - there[:, None]).sum(axis=2).min(axis=1)
    assert np.all(nearest < np.abs(np.diff(points, axis=1)).sum(axis=2).max())


def test_events_are_marked():
    figure = paths(follow(ZigZag()), coordinates=(1, 0))
    (axes,) = figure.axes
    assert axes.get_xlabel() == "$x_{1}$" and len(axes.lines) == 4
    assert [len(line.get_xdata()) for line in axes.lines[1::2]] == [13, 13]
    with pytest.raises(ValueError, match="2 coordinates, and none of number 2"):
        paths(follow(ZigZag()), coordinates=(0, 2))
