import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.cosmology import AbstractCMBSpectra
from cosmoflow.datasets import PlanckLiteData
from cosmoflow.likelihoods import PlanckLite
from cosmoflow.plotting import cmb_spectra

pytest.importorskip("matplotlib")

ELL = np.arange(40)


class Flat(AbstractCMBSpectra):
    """l (l + 1) C_l / 2 pi is A for TT and A / 10 for EE."""

    required: tuple[str, ...] = ("A",)
    optional: tuple[str, ...] = ()

    def __call__(self, parameters):
        power = jnp.asarray(2 * np.pi / np.maximum(ELL * (ELL + 1), 1)) * parameters["A"]
        return {"TT": power, "EE": power / 10}


def make():
    first = np.array([10, 20, 30] * 2)
    weight = np.where(ELL >= 10, 1.0, 0.0)
    inside = [np.arange(low, low + 10) for low in first]
    mean = np.array([np.sum(2 * np.pi / (ell * (ell + 1))) for ell in inside])
    value = 1000 * mean * np.array([1] * 3 + [0.1] * 3)
    return PlanckLiteData(("TT",) * 3 + ("EE",) * 3, value, first, first + 9, weight, np.diag((0.1 * value) ** 2))


def test_data_and_prediction_agree_where_they_should():
    data = make()
    chain = Chain({"A": np.full((2, 60), 1200.0)})
    figure = cmb_spectra(PlanckLite(data, Flat()), data, chain)
    above, below, *_ = figure.axes
    assert above.get_ylabel() == r"$D_\ell^\mathrm{TT}$ [$\mu \mathrm{K}^2$]" and len(figure.axes) == 4
    np.testing.assert_allclose(below.lines[1].get_ydata(), -2.0, rtol=1e-6)  # 20 % too high, errors of 10 %
    multipole = below.lines[1].get_xdata()
    np.testing.assert_allclose(multipole, [14.5, 24.5, 34.5])


def test_a_chain_of_something_else():
    data = make()
    with pytest.raises(ValueError, match="no parameter 'A'"):
        cmb_spectra(PlanckLite(data, Flat()), data, Chain({"h": np.zeros((1, 10))}))
