import flowjax.distributions as fd
import jax.numpy as jnp
import jax.random as jr
import pytest

from cosmoflow.flows import fixed_kinetic_flow
from cosmoflow.plotting import phase_portrait
from cosmoflow.targets import CorrelatedGaussian

pytest.importorskip("matplotlib")

TARGET = CorrelatedGaussian(jnp.zeros(2), jnp.eye(2))


def make(num_maps: int):
    return fixed_kinetic_flow(2, num_steps=3, num_maps=num_maps, width=8, base=fd.StandardNormal((4,)), key=jr.key(0))


def test_paths_start_at_the_base_and_have_a_point_for_each_step():
    figure = phase_portrait(make(1), TARGET, coordinate=1, num_trajectories=5, key=jr.key(1))
    left, right = figure.axes
    assert len(left.lines) == 2
    paths = [line for line in right.lines if len(line.get_xdata()) == 4]
    assert len(paths) == 5
    # the quarter turn of an untrained flow of unit mass carries the momenta of the base to positions
    starts = [line for line in right.lines if len(line.get_xdata()) == 1]
    for path, start in zip(paths, starts, strict=True):
        q, p = path.get_data()
        assert (q[0], p[0]) == (start.get_xdata()[0], start.get_ydata()[0])
        assert q[-1] == pytest.approx(1.035 * p[0], rel=0.02)
        assert p[-1] == pytest.approx(-q[0] / 1.035, rel=0.02)


def test_of_one_map_and_a_coordinate_that_there_is():
    with pytest.raises(ValueError, match="one map"):
        phase_portrait(make(2), TARGET, key=jr.key(1))
    with pytest.raises(ValueError, match="2 coordinates, and none of number 2"):
        phase_portrait(make(1), TARGET, coordinate=2, key=jr.key(1))
