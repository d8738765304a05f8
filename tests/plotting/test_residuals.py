"""Data minus what the posterior predicts: distances and supernovae."""

import jax.numpy as jnp
import numpy as np
import pytest

from cosmoflow.chains import Chain
from cosmoflow.datasets import SupernovaData, desi_dr2_bao, union3
from cosmoflow.likelihoods import BAO, Supernovae
from cosmoflow.plotting import distance_residuals, magnitude_residuals
from cosmoflow.plotting._magnitudes import binned
from cosmoflow.plotting._predictions import NUM_DRAWS, errors, predictions

pytest.importorskip("matplotlib")


def make(spread=0.0) -> Chain:
    rng = np.random.default_rng(0)
    return Chain(
        {
            "Omega_m": 0.3 + spread * rng.normal(size=(2, 80)),
            "h_r_d": 101.5 + 50 * spread * rng.normal(size=(2, 80)),
            "M": np.full((2, 80), -19.3),
            "h": np.full((2, 80), 0.7),
        }
    )


def points(axes):
    """Abscissae, ordinates and errors of the data."""
    (container,) = axes.containers
    line, _, (bars,) = container.lines
    x, y = line.get_data()
    sizes = [0.5 * (segment[1, 1] - segment[0, 1]) for segment in bars.get_segments()]
    return np.asarray(x), np.asarray(y), np.array(sizes)


def test_predictions_are_those_of_the_draws():
    likelihood, chain = BAO(desi_dr2_bao()), make(0.01)
    found = predictions(likelihood, chain)
    assert found.shape == (NUM_DRAWS, 13)
    first = {name: jnp.asarray(draws[0, 0]) for name, draws in chain.posterior.items()}
    np.testing.assert_allclose(found[0], likelihood.predict(first), rtol=1e-12)
    np.testing.assert_allclose(errors(likelihood), np.sqrt(np.diagonal(desi_dr2_bao().covariance)), rtol=1e-12)
    with pytest.raises(ValueError, match="no parameter 'h_r_d'"):
        predictions(likelihood, Chain({"Omega_m": chain.posterior["Omega_m"]}))


def test_distances_over_their_prediction():
    data = desi_dr2_bao()
    likelihood = BAO(data)
    figure = distance_residuals(likelihood, make(0.005))
    assert [axes.get_ylabel() for axes in figure.axes] == [
        r"$D_\mathrm{M} / r_\mathrm{d}$",
        r"$D_\mathrm{H} / r_\mathrm{d}$",
        r"$D_\mathrm{V} / r_\mathrm{d}$",
    ]
    expected = predictions(likelihood, make(0.005))
    there = np.array(data.quantity) == "DH_over_rd"
    x, y, size = points(figure.axes[1])
    np.testing.assert_array_equal(x, data.redshift[there])
    np.testing.assert_allclose(y, data.value[there] / np.median(expected[:, there], axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        size, np.sqrt(np.diagonal(data.covariance))[there] / np.median(expected[:, there], axis=0)
    )
    outer, inner = (collection.get_paths()[0].vertices[:, 1] for collection in figure.axes[0].collections[:2])
    assert np.ptp(outer) > np.ptp(inner) > 0


@pytest.mark.parametrize("absolute_magnitude", ["marginalized", "free"])
def test_supernovae_minus_their_prediction(absolute_magnitude):
    data = union3()
    likelihood = Supernovae(data, absolute_magnitude=absolute_magnitude)
    figure = magnitude_residuals(likelihood, data, make())
    _, residual, size = points(figure.axes[0])
    parameters = {name: jnp.asarray(draws[0, 0]) for name, draws in make().posterior.items()}
    inverse = np.linalg.inv(data.covariance)
    if absolute_magnitude == "marginalized":
        # about whatever offset, the least chi^2 over offsets is the marginal one
        offset = inverse.sum(axis=0) @ residual / inverse.sum()
        least = (residual - offset) @ inverse @ (residual - offset)
        assert least == pytest.approx(float(likelihood.chi2(parameters)), rel=1e-6)
        assert residual @ (1 / np.diagonal(data.covariance)) == pytest.approx(0.0, abs=1e-6)
        # an offset that all share is in no difference, so it adds nothing to the errors
        offset = SupernovaData(data.redshift, data.distance_modulus, data.covariance + 1.0)
        _, _, same = points(magnitude_residuals(likelihood, offset, make()).axes[0])
        assert np.all(size < np.sqrt(np.diagonal(data.covariance)))
        np.testing.assert_allclose(same[-1], size[-1], rtol=0.1)
    else:
        np.testing.assert_allclose(residual, data.distance_modulus - likelihood.predict(parameters), atol=1e-9)
        np.testing.assert_allclose(size, np.sqrt(np.diagonal(data.covariance)), rtol=1e-6)


def test_many_supernovae_are_binned():
    rng = np.random.default_rng(1)
    redshift = np.sort(rng.uniform(0.01, 1.0, 200))
    covariance = np.diag(rng.uniform(0.01, 0.04, 200)) + 0.001
    where, mean, sd = binned(redshift, np.full(200, 0.3), covariance)
    assert where.size == 20 and np.all(np.diff(where) > 0)
    np.testing.assert_allclose(mean, 0.3)
    weight = 1 / np.diagonal(covariance)[:10]
    weight /= weight.sum()
    assert sd[0] == pytest.approx(np.sqrt(weight @ covariance[:10, :10] @ weight))
    assert np.all(sd > np.sqrt(0.001))
    data = SupernovaData(redshift, 5 * np.log10(redshift) + 43, covariance)
    figure = magnitude_residuals(Supernovae(data), data, make())
    assert len(points(figure.axes[0])[0]) == 20
