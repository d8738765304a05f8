import json

import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.plotting import rank, trace
from cosmoflow.plotting._rank import NUM_BINS, rank_shares
from cosmoflow.plotting._trace import MAX_POINTS

pytest.importorskip("matplotlib")


def make(num_draws=300, shift=0.0) -> Chain:
    draws = np.random.default_rng(0).normal(size=(3, num_draws))
    draws[0] += shift
    return Chain(
        {"Omega_m": draws, "w": np.stack([draws, -draws], axis=2)},
        {"lp": -0.5 * draws**2, "num_events": np.ones((3, num_draws), int)},
        {"labels": json.dumps({"Omega_m": r"\Omega_\mathrm{m}"})},
    )


@pytest.mark.parametrize("plot", [trace, rank])
def test_a_panel_for_each_scalar_in_order(plot, tmp_path):
    figure = plot(make(), ["w[1]", "lp", "Omega_m"])
    assert [axes.get_ylabel() for axes in figure.axes] == ["$w[1]$", r"$\log \pi$", r"$\Omega_\mathrm{m}$"]
    figure.savefig(tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").stat().st_size > 3000
    assert len(plot(make()).axes) == 3
    with pytest.raises(ValueError, match="no parameter 'h'"):
        plot(make(), ["h"])


def test_lines_are_the_draws():
    chain = make(10 * MAX_POINTS + 7)
    (axes,) = trace(chain, ["Omega_m"]).axes
    assert len(axes.lines) == 3
    for line, draws in zip(axes.lines, chain.posterior["Omega_m"], strict=True):
        x, y = line.get_data()
        assert MAX_POINTS <= len(x) <= 1.1 * MAX_POINTS
        np.testing.assert_array_equal(y, draws[x])
    assert len({line.get_linestyle() for line in axes.lines}) == 3  # they differ without colour


def test_ranks_of_chains_that_agree_and_of_one_that_does_not():
    share = rank_shares(make(4000).posterior["Omega_m"])
    assert share.shape == (3, NUM_BINS) and share.sum(axis=1) == pytest.approx(NUM_BINS)
    assert share.mean(axis=0) == pytest.approx(1.0, abs=0.01)
    assert abs(share - 1).max() < 5 * (NUM_BINS / 4000) ** 0.5
    shifted = rank_shares(make(4000, shift=1.0).posterior["Omega_m"])
    assert shifted[0, 0] < 0.5 < 1.5 < shifted[0, -1]


def test_draws_that_are_alike_share_their_rank():
    share = rank_shares(np.repeat(np.arange(2.0), 10).reshape(1, 20)[[0, 0]])
    assert share[0].tolist() == share[1].tolist()
