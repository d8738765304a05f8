import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.fields import Grid, WavenumberBins
from cosmoflow.plotting import plot_fields

pytest.importorskip("matplotlib")


def make(shape, *, truth=True) -> Chain:
    rng, grid = np.random.default_rng(0), Grid(shape, 100.0)
    bins, draws = WavenumberBins(grid), (2, 40)
    spectra = {name: rng.gamma(9.0, size=(*draws, len(bins))) for name in ("power", "power_predicted")}
    observed = {
        "sky": rng.normal(size=shape),
        "sky_mask": rng.random(shape) > 0.2,
        "sky_box_size": np.array(grid.box_size),
        "sky_wavenumber": bins.wavenumber,
        "sky_wavenumber_edges": np.array(bins.edges),
    }
    if truth:
        observed |= {f"sky_truth_{name}": rng.normal(size=shape) for name in ("modes", "linear", "predicted")}
        observed |= {f"sky_truth_{name}": values.mean(axis=(0, 1)) for name, values in spectra.items()}
        spectra |= {name: rng.random((*draws, len(bins))) for name in ("coherence", "transfer")}
    moments = {f"{name}_mean": rng.normal(size=(2, *shape)) for name in ("modes", "linear", "predicted")}
    moments |= {f"{name}_sd": rng.random((2, *shape)) + 0.1 for name in ("modes", "linear", "predicted")}
    modes = {"modes": rng.normal(size=(*draws, len(bins), 2))}
    return Chain(spectra | modes, observed_data=observed, moments=moments)


def images(figure):
    return {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.images and axes.get_title()}


def test_a_mock_box(tmp_path):
    chain = make((8, 8, 16))
    figures = plot_fields(chain)
    assert list(figures) == ["power", "maps", "coherence", "modes"]
    assert figures["power"].axes[0].get_ylabel() == "$P(k)$ [(Mpc/$h$)$^3$]"
    assert figures["coherence"].axes[-1].get_xlabel() == "$k$ [$h$/Mpc]"
    maps = images(figures["maps"])
    assert list(maps)[:4] == ["truth, predicted", "data", "mean, predicted", "sd, predicted"] and len(maps) == 7
    slab = chain.observed_data["sky_truth_predicted"][:, :, 7:9].mean(axis=2)
    np.testing.assert_allclose(maps["truth, predicted"], slab)
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5000


def test_an_observed_map():
    figures = plot_fields(make((16, 8), truth=False))
    assert list(figures) == ["power", "maps", "modes"]
    assert figures["power"].axes[1].get_xlabel() == figures["modes"].axes[1].get_xlabel() == "$k$ [1/rad]"
    maps = images(figures["maps"])
    assert "data" in maps and "truth, predicted" not in maps and maps["data"].shape == (16, 8)


def test_a_chain_without_moments():
    chain = make((8, 8))
    assert "maps" not in plot_fields(Chain(chain.posterior, observed_data=chain.observed_data))
