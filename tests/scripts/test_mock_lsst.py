"""The mock surveys: their bins, their parameters, their data and the file."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from cosmoflow.datasets import RedshiftDistribution, TwoPointData, read_sacc

PATH = Path(__file__).parents[2] / "scripts" / "data" / "mock_lsst_3x2pt.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("mock_lsst_3x2pt", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mock_lsst_3x2pt"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mock_lsst_3x2pt"]


@pytest.mark.parametrize("survey", ["lsst", "euclid", "deep"])
def test_bins_hold_the_galaxies_of_the_sample(script, survey):
    sources = script.SURVEYS[survey].sources
    numbers = [number for _, number in sources.bins()]
    assert sum(numbers) == pytest.approx(sources.number * script.PER_STERADIAN, rel=0.02)
    np.testing.assert_allclose(numbers, np.mean(numbers), rtol=0.15)  # photometric errors mix them
    means = [script._mean(distribution) for distribution, _ in sources.bins()]
    assert np.all(np.diff(means) > 0)


def test_numbers_of_parameters(script):
    assert len(script.nuisances("lsst")) == 37
    assert len(script.nuisances(*script.SURVEYS)) == 157
    assert set(script.nuisances(*script.SURVEYS)) <= set(script.fiducial(*script.SURVEYS))


def test_scale_cuts(script):
    given = {name: distribution for name, (distribution, _) in script.distributions("lsst").items()}
    last = {}
    for kind, first, _, band in script._rows("lsst", given):
        last[kind, first] = max(last.get((kind, first), 0), int(script.EDGES[band + 1]))
    assert last["cl_ee", "lsst_src0"] == 3000
    # 0.3 h/Mpc at a mean redshift of 0.26, about 740 Mpc/h away, and of 1.15
    assert 100 < last["cl_gg", "lsst_lens0"] <= 222
    assert 500 < last["cl_ge", "lsst_lens9"] <= 0.3 * 2600


def test_file(script, tmp_path):
    pytest.importorskip("sacc", reason="writing the mock needs the package sacc")
    z = np.linspace(0, 2, 101)
    bump = np.exp(-(((z - 0.8) / 0.2) ** 2) / 2)
    bump = RedshiftDistribution(z, bump / np.trapezoid(bump, z))
    ell = np.arange(20.0, 40.0)
    window = np.where([ell < 30, ell >= 30, ell < 30], 0.1, 0.0)
    data = TwoPointData(
        statistic=("cl_ee", "cl_ge", "cl_gg"),
        first=("a", "b", "b"),
        second=("a", "a", "b"),
        angle=window @ ell,
        value=np.array([1.0, 2.0, 3.0]),
        covariance=np.diag([1.0, 2.0, 3.0]),
        distributions={"a": bump, "b": bump},
        window=(ell, window),
    )
    script.write(data, tmp_path / "mock.sacc")
    found = read_sacc(tmp_path / "mock.sacc")
    assert (found.statistic, found.first, found.second) == (data.statistic, data.first, data.second)
    assert (found.sources, found.lenses) == (("a",), ("b",))
    for one, other in ((found.value, data.value), (found.covariance, data.covariance), (found.angle, data.angle)):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found.window[1], window)


@pytest.mark.slow
def test_data_scatter_about_the_model_by_their_covariance(script):
    data, smooth = script.mock("lsst"), script.mock("lsst", scatter=False)
    assert set(data.statistic) == {"cl_ee", "cl_ge", "cl_gg"}
    np.testing.assert_array_equal(data.value, script.mock("lsst").value)
    difference = data.value - smooth.value
    chi2, size = difference @ np.linalg.solve(data.covariance, difference), data.value.size
    assert abs(chi2 - size) < 4 * np.sqrt(2 * size)
    significance = np.sqrt(smooth.value @ np.linalg.solve(data.covariance, smooth.value))
    assert significance > 500
