import numpy as np
import pytest

from cosmoflow.plotting import ratios

pytest.importorskip("matplotlib")


def test_a_mark_for_each_method_and_the_range_of_seeds():
    table = {"banana": {"zig-zag": [1.0, 4.0], "NUTS": 0.5}, "funnel": {"NUTS": 2.0}}
    (axes,) = ratios(table, label="over HMC").axes
    assert axes.get_xlabel() == "over HMC" and [t.get_text() for t in axes.get_yticklabels()] == ["banana", "funnel"]
    marked = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    assert list(marked) == ["zig-zag", "NUTS"]
    np.testing.assert_allclose(marked["zig-zag"].get_xdata(), [2.0])
    np.testing.assert_allclose(marked["NUTS"].get_xdata(), [0.5, 2.0])
    assert marked["zig-zag"].get_marker() != marked["NUTS"].get_marker()
    ranges = [sorted(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert [1.0, 4.0] in ranges


def test_a_ratio_that_is_none():
    with pytest.raises(ValueError, match="NUTS for banana is not positive"):
        ratios({"banana": {"NUTS": 0.0}})
