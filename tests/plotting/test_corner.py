import sys

import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.plotting import corner

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
