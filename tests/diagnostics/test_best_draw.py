import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.diagnostics import best_draw
from cosmoflow.likelihoods import GaussianConstraint, GaussianMixture, JointLikelihood

LIKELIHOOD = JointLikelihood(
    {
        "ladder": GaussianConstraint("H0", 70.0, 2.0),
        "cloud": GaussianMixture(parameters=("h",), weights=(1.0,), means=((0.7,),), sd=1.0),
    }
)


def test_the_draw_of_highest_likelihood_and_its_chi2():
    h = np.array([[0.6, 0.72, np.nan], [0.69, 0.8, 0.5]])
    found = best_draw(Chain({"h": h, "x": np.arange(12.0).reshape(2, 3, 2)}), LIKELIHOOD)
    assert found.parameters["h"] == 0.69 and found.parameters["x"].tolist() == [6.0, 7.0]
    assert found.chi2 == {"ladder": pytest.approx(0.25)}  # the other has no data


def test_a_density_that_is_nowhere_finite():
    assert "ladder" in best_draw(Chain({"h": np.full((1, 2), np.nan)}), LIKELIHOOD).chi2
