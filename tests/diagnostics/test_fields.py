"""Diagnostics of fields, on chains whose draws are made by hand from a known posterior."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow._record import Record
from cosmoflow.chains import Chain
from cosmoflow.diagnostics import observed_field, pooled_moments, summarize_fields
from cosmoflow.fields import ConfigurationLatents, FourierLatents, GaussianField, Grid, TabulatedPower
from cosmoflow.fields._grid import filtered
from cosmoflow.likelihoods import FieldLevel, GaussianNoise, JointLikelihood

GRID = Grid((16, 16), 160.0)
POWER = TabulatedPower(np.array([0.01, 1.0]), np.array([400.0, 4.0]))
SD = 0.3


def likelihood(latents):
    """That of a Gaussian field under white noise."""
    model = GaussianField(GRID, POWER, latents)
    truth = jr.normal(jr.key(0), GRID.shape)
    data = GaussianNoise(SD).sample(model.predict(truth, {}), key=jr.key(1))
    return FieldLevel(model, GaussianNoise(SD), data, truth={"white_noise": truth})


def exact_draws(field, key, shape):
    """White noise given the data: diagonal in the modes."""
    response = field.model.response({})
    gain = 1 / (1 + response**2 / SD**2)
    modes = filtered(GRID.modes(field.data), response * gain / SD**2)

    def draw(key):
        white = FourierLatents().modes(GRID, jr.normal(key, GRID.shape))
        return field.model.latents.latents(GRID, modes + filtered(white, jnp.sqrt(gain)))

    return jax.vmap(jax.vmap(draw))(jr.split(key, shape))


def chain_of(field, white_noise, *, observed=None):
    """What a run would have kept of these draws, shape (chain, draw, *grid)."""
    every = jax.jit(
        jax.vmap(jax.vmap(lambda x: (field.derived({"white_noise": x}), field.averaged({"white_noise": x}))))
    )
    derived, averaged = every(white_noise)
    moments = {}
    for name, array in averaged.items():
        draws = np.asarray(array)
        moments |= {f"{name}_mean": draws.mean(axis=1), f"{name}_sd": draws.std(axis=1, ddof=1)}
    return Chain(
        {name: np.asarray(draws) for name, draws in derived.items()},
        {"energy_change": np.full(white_noise.shape[:2], 2.0), "equipartition": np.ones(white_noise.shape[:2])},
        observed_data={name: np.asarray(array) for name, array in (observed or field.observed_data()).items()},
        moments=moments,
    )


@pytest.fixture(scope="module")
def exact():
    field = likelihood(FourierLatents())
    return field, chain_of(field, exact_draws(field, jr.key(2), (2, 400)))


@pytest.mark.slow
def test_the_exact_posterior_covers_the_truth(exact):
    _, chain = exact
    summary = summarize_fields(chain)
    shares = np.array([row.coverage for row in summary.bins])
    z_squared = np.array([row.z_squared for row in summary.bins])
    number = np.array([row.num_modes for row in summary.bins])
    assert number.sum() == GRID.num_cells - 1
    assert np.all(np.abs(shares - 0.683) < 5 * np.sqrt(0.683 * 0.317 / number))
    assert np.all(np.abs(z_squared - 1) < 5 * np.sqrt(2.1 / number))
    assert summary.ess > 400 and summary.rhat < 1.03
    assert summary.energy_variance == pytest.approx(4 / GRID.num_cells)


@pytest.mark.slow
def test_a_posterior_that_is_too_narrow_does_not(exact):
    _, chain = exact
    moments = chain.moments | {"modes_sd": 0.3 * chain.moments["modes_sd"]}
    narrow = Chain(**{**vars(chain), "moments": moments})
    rows = summarize_fields(narrow).bins
    assert max(abs(row.coverage - 0.683) / np.sqrt(0.683 * 0.317 / row.num_modes) for row in rows) > 5


def test_chains_that_disagree_are_seen(exact):
    _, chain = exact
    modes = chain.posterior["modes"].copy()
    modes[0, :, 3, 1] += 3
    rows = summarize_fields(Chain(**{**vars(chain), "posterior": chain.posterior | {"modes": modes}})).bins
    assert rows[3].rhat_worst > 1.1 > 1.03 > rows[3].rhat_median
    assert all(row.rhat_worst < 1.03 for row in rows[:3])


def test_spectra_of_the_draws(exact):
    field, chain = exact
    rows = summarize_fields(chain).bins
    np.testing.assert_allclose([row.power for row in rows], chain.posterior["power"].mean(axis=(0, 1)))
    np.testing.assert_allclose(chain.posterior["power"], chain.posterior["power_predicted"], rtol=1e-10)
    wiener = field.bins.average(1 / (1 + SD**2 / field.model.response({}) ** 2))  # the correlation of draw and truth
    number = np.array([row.num_modes for row in rows])
    assert np.all(np.abs(np.array([row.coherence for row in rows]) - wiener) < 5 / np.sqrt(number))
    known = observed_field(chain)
    np.testing.assert_allclose(known["truth_linear"], field.model.predict(field.truth["white_noise"], {}), rtol=1e-10)


def test_latents_of_both_kinds_tell_the_same():
    fourier, cells = likelihood(FourierLatents()), likelihood(ConfigurationLatents())
    white = jr.normal(jr.key(3), GRID.shape)
    hartley = {"white_noise": FourierLatents().latents(GRID, GRID.modes(white))}
    for name in ("derived", "averaged"):
        one, other = getattr(fourier, name)(hartley), getattr(cells, name)({"white_noise": white})
        for key in one.keys() - {"coherence", "transfer"}:
            np.testing.assert_allclose(one[key], other[key], atol=1e-10)


def test_several_likelihoods(exact):
    field, chain = exact
    joint = JointLikelihood({"sky": field})
    observed = {name: np.asarray(array) for name, array in joint.observed_data().items()}
    assert {"sky", "sky_wavenumber", "sky_truth_modes"} <= observed.keys()
    assert str(summarize_fields(Chain(**{**vars(chain), "observed_data": observed}))) == str(summarize_fields(chain))
    white = {"white_noise": jnp.zeros(GRID.shape)}
    assert joint.averaged(white).keys() == {"modes", "linear", "predicted"}
    assert Record({}, joint.derived, joint.averaged).averaged is not None


def test_pooled_moments(exact):
    _, chain = exact
    draws = np.random.default_rng(0).normal(size=(3, 50, 4)) + np.arange(3)[:, None, None]
    moments = {"x_mean": draws.mean(axis=1), "x_sd": draws.std(axis=1, ddof=1)}
    mean, sd = pooled_moments(Chain({"x": draws}, moments=moments), "x")
    np.testing.assert_allclose(mean, draws.mean(axis=(0, 1)))
    np.testing.assert_allclose(sd, draws.std(axis=(0, 1), ddof=1))
    with pytest.raises(ValueError, match="no moments of 'y'"):
        pooled_moments(chain, "y")


def test_the_table(exact):
    _, chain = exact
    summary = summarize_fields(chain)
    text = str(summary)
    assert "8 bins of |k|: 2 chains of 400 draws" in text and "coherence" in text and "variance 0.016 per cell" in text
    assert summary.to_dict()["bins"][0]["num_modes"] == 8
    bare = {name: a for name, a in chain.observed_data.items() if not name.startswith("truth")}
    posterior = {name: a for name, a in chain.posterior.items() if name not in ("coherence", "transfer")}
    silent = str(summarize_fields(Chain(posterior, {"lp": np.zeros((2, 400))}, observed_data=bare)))
    assert not any(word in silent for word in ("coherence", "1 sd", "Energy", "nan"))


def test_chains_of_something_else(exact):
    _, chain = exact
    with pytest.raises(ValueError, match="no observed field"):
        summarize_fields(Chain({"x": np.zeros((1, 9))}))
    with pytest.raises(ValueError, match="no modes"):
        summarize_fields(Chain({"x": np.zeros((1, 9))}, observed_data=chain.observed_data))


@pytest.mark.parametrize(
    ("truth", "complaint"),
    [({}, "lacks 'white_noise'"), ({"white_noise": np.zeros((2, 2))}, r"true white noise has shape \(2, 2\)")],
)
def test_truths_that_do_not_fit(truth, complaint):
    model = GaussianField(GRID, POWER)
    with pytest.raises(ValueError, match=complaint):
        FieldLevel(model, GaussianNoise(SD), np.zeros(GRID.shape), truth=truth)
