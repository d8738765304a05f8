"""Two-point functions with the bands of a posterior; compiling the theory takes a while."""

import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.datasets import RedshiftDistribution, TwoPointData
from cosmoflow.likelihoods import TwoPoint
from cosmoflow.plotting import two_point
from cosmoflow.plotting._predictions import predictions

pytest.importorskip("matplotlib")


def make():
    redshift = np.linspace(0, 2, 201)
    density = np.exp(-0.5 * ((redshift - 0.7) / 0.2) ** 2)
    bins = {
        name: RedshiftDistribution(redshift, density / np.trapezoid(density, redshift)) for name in ("src0", "lens0")
    }
    rows = [("xi_plus", "src0", "src0")] * 3 + [("w", "lens0", "lens0")] * 2
    statistic, first, second = zip(*rows, strict=True)
    value = np.array([3e-5, 1e-5, 3e-6, 0.1, 0.02])
    angle = np.array([5.0, 20.0, 80.0, 20.0, 80.0])
    return TwoPointData(statistic, first, second, angle, value, np.diag((0.1 * value) ** 2), bins)


@pytest.mark.slow
def test_a_figure_for_each_statistic():
    data = make()
    likelihood = TwoPoint(data, amplitude="sigma8")
    values = {"Omega_m": 0.3, "Omega_b": 0.05, "h": 0.7, "n_s": 0.96, "sigma8": 0.8, "b_lens0": 1.5}
    chain = Chain({name: value * (1 + 0.01 * np.linspace(-1, 1, 40)).reshape(2, 20) for name, value in values.items()})
    figures = two_point(likelihood, data, chain)
    assert list(figures) == ["xi_plus", "w"]
    (axes,) = figures["w"].axes
    line, _, _ = axes.containers[0].lines
    np.testing.assert_allclose(line.get_ydata(), data.value[3:] * data.angle[3:])
    middle = np.median(predictions(likelihood, chain)[:, :3], axis=0) * data.angle[:3] / 1e-4
    np.testing.assert_allclose(figures["xi_plus"].axes[0].lines[0].get_ydata(), middle, rtol=1e-6)
