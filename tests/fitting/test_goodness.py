import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from fitting.models import Model, linear
from scipy import stats

import cosmoflow as cf
from cosmoflow.fitting import Goodness, goodness_of_fit, maximum_posterior
from cosmoflow.likelihoods import JointLikelihood

NAMES = ("a", "b", "c")
NUM_MOCKS = 50
LEAST_P = 6e-7  # five sigma


def test_effective_number_of_parameters():
    likelihood, design, covariance = linear()
    sd = np.array([0.1, 0.5, 30.0])
    prior = cf.Prior({name: cf.Normal(0.0, s) for name, s in zip(NAMES, sd, strict=True)})
    (found, total) = goodness_of_fit(cf.Posterior(prior, likelihood), {})
    information = design.T @ np.linalg.solve(covariance, design)
    expected = np.trace(information @ np.linalg.inv(information + np.diag(sd**-2)))
    np.testing.assert_allclose(found.num_parameters, expected, atol=0.02)
    assert found.num_points == total.num_points == 12 and found.name == "Model"
    p = stats.chi2(12 - found.num_parameters).sf(found.chi2)
    np.testing.assert_allclose(found.p_value, p, rtol=1e-6)
    assert np.isnan(Goodness("", 1.0, 2, 2.5).p_value)


@pytest.fixture(scope="module")
def mocks():
    """Fits to data drawn from the model, at two probes that share their parameters; a flat prior far wider than both."""
    members = {name: linear(seed, names=tuple("abcdefgh"))[0] for seed, name in enumerate(("first", "second"))}
    prior = cf.Prior({name: cf.Uniform(-50.0, 50.0) for name in "abcdefgh"})
    truth = {name: jnp.asarray(0.5 * i - 2) for i, name in enumerate("abcdefgh")}
    rng = np.random.default_rng(5)
    found = []
    for _ in range(NUM_MOCKS):
        drawn = {}
        for name, member in members.items():
            noise = member.cholesky @ jnp.asarray(rng.normal(size=member.data.size))
            drawn[name] = eqx.tree_at(lambda m: m.data, member, member.predict(truth) + noise)
        posterior = cf.Posterior(prior, JointLikelihood(drawn))
        found.append(goodness_of_fit(posterior, maximum_posterior(posterior, start=truth).parameters))
    return found


def test_p_values_are_uniform(mocks):
    totals = [total for *_, total in mocks]
    assert {total.name for total in totals} == {"total"}
    np.testing.assert_allclose([total.degrees_of_freedom for total in totals], 16.0, atol=0.05)
    assert stats.kstest([total.p_value for total in totals], "uniform").pvalue > LEAST_P
    wrong = [total._replace(num_parameters=0.0).p_value for total in totals]
    assert stats.kstest(wrong, "uniform").pvalue < LEAST_P


def test_probes_have_the_chi2_that_they_should(mocks):
    for i in range(2):
        chi2 = np.array([each[i].chi2 for each in mocks])
        error = chi2.std(ddof=1) / np.sqrt(NUM_MOCKS)
        assert abs(chi2.mean() - mocks[0][i].degrees_of_freedom) < 5 * error
        assert abs(chi2.mean() - mocks[0][i].num_points) > 5 * error
        assert abs(np.sum([g.num_parameters for g in mocks[0][:2]]) - mocks[0][2].num_parameters) < 1e-9


def test_what_the_data_do_not_constrain_is_no_parameter():
    likelihood = Model(jnp.zeros(3), jnp.eye(3), lambda a, b: jnp.stack([a, a, 1e-3 * b]), ("a", "b"))
    prior = cf.Prior({"a": cf.Uniform(-100.0, 100.0), "b": cf.Uniform(-1.0, 1.0)})
    *_, total = goodness_of_fit(cf.Posterior(prior, likelihood), {})
    np.testing.assert_allclose(total.num_parameters, 1.0, atol=1e-3)
