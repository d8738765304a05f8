import sys

import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.plotting import corner
from cosmoflow.plotting._corner import _inner_ticks

pytest.importorskip("getdist")


def make(seed: int = 0) -> Chain:
    rng = np.random.default_rng(seed)
    return Chain(
        {"Omega_m": 0.3 + 0.01 * rng.normal(size=(2, 400)), "w": rng.normal(size=(2, 400, 2))},
        attributes={"labels": '{"w": "w_\\\\mathrm{DE}"}'},
    )


def panels(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


@pytest.mark.slow
def test_one_chain(capsys, tmp_path):
    figure = corner(make())
    assert len(panels(figure)) == 6
    labels = [axes.get_xlabel() for axes in panels(figure)]
    assert r"$\Omega_\mathrm{m}$" in labels
    assert r"$w_\mathrm{DE}[1]$" in labels
    assert capsys.readouterr().out == ""
    figure.savefig(tmp_path / "corner.pdf")
    assert (tmp_path / "corner.pdf").stat().st_size > 5000


def test_labels_are_not_clipped():
    figure = corner(make())
    renderer = figure.canvas.get_renderer()
    box = figure.bbox
    for axes in panels(figure):
        for label in (axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()):
            if label.get_text() and label.get_visible():
                extent = label.get_window_extent(renderer)
                assert box.x0 <= extent.x0
                assert box.y0 <= extent.y0
                assert extent.y1 <= box.y1


def test_several_chains():
    chains = {"one": make(0), "two": make(1)}
    figure = corner(chains, ["Omega_m", "w[0]"], truth={"Omega_m": 0.3})
    assert len(panels(figure)) == 3
    assert [text.get_text() for legend in figure.legends for text in legend.get_texts()] == ["one", "two"]


def test_common_parameters():
    other = Chain({"Omega_m": make(1).posterior["Omega_m"]})
    assert len(panels(corner({"one": make(), "two": other}))) == 1


def test_global_state_is_left_alone():
    import matplotlib
    from matplotlib import pyplot

    corner(make(), ["Omega_m"])
    before = dict(matplotlib.rcParams)
    corner(make(), ["Omega_m"])
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


def test_unknown_parameter():
    with pytest.raises(ValueError, match="no parameter"):
        corner(make(), ["h"])


def test_missing_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "getdist", None)
    with pytest.raises(ImportError, match="extra 'plot'"):
        corner(make())
    with pytest.raises(ImportError, match="extra 'plot'"):
        make().to_getdist()


def test_a_density_reaches_the_end_of_its_prior(caplog):
    rng = np.random.default_rng(0)
    draws = {"Omega_m": rng.normal(size=(4, 500)), "h": rng.uniform(0.5, 0.9, (4, 500))}
    given = Chain(draws, attributes={"bounds": '{"h": [0.5, 0.9], "Omega_m": [null, null], "w0": [-3.0, 1.0]}'})
    assert given.bounds == {"h": (0.5, 0.9), "Omega_m": (None, None)}
    for chain in (given, Chain(draws)):
        (axes,) = panels(corner(chain, ["h"]))
        x, density = axes.lines[0].get_data()
        inside = (x >= 0.5) & (x <= 0.9)
        assert (density[inside].min() > 0.75) == (chain is given)
        assert (axes.get_xlim() == pytest.approx((0.5, 0.9), abs=1e-3)) == (chain is given)
    assert caplog.records == []


@pytest.mark.parametrize("limits", [(1.2e-9, 4.4e-9), (0.2, 0.33), (-1.3, 0.4), (1.0, 1.1)])
def test_two_ticks_tell_a_scale(limits):
    ticks = _inner_ticks(limits)
    assert 2 <= len(ticks) <= 4 and min(ticks) > limits[0] and max(ticks) < limits[1]
