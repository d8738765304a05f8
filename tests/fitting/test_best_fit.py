import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from fitting.models import BAO, LCDM, W0WA, Model, linear
from scipy import optimize, stats

import cosmoflow as cf
from cosmoflow._results import StartError
from cosmoflow.fitting import FitStatus, best_fit, fisher, laplace_whitening, maximum_posterior
from cosmoflow.likelihoods import GaussianMixture, JointLikelihood, Supernovae
from cosmoflow.targets import AbstractTransport, Delta

NORMAL = {"a": cf.Normal(0.3, 0.5), "b": cf.Normal(-0.2, 2.0), "c": cf.Normal(0.0, 1.0)}


def with_sd(data, sd=1.0):
    return jnp.asarray(data, float), sd * jnp.eye(len(data))


def test_linear_problems_take_one_step():
    likelihood, design, covariance = linear()
    posterior, data = cf.Posterior(cf.Prior(NORMAL), likelihood), np.asarray(likelihood.data)
    weight = np.linalg.inv(covariance)
    mean = np.array([0.3, -0.2, 0.0])
    precision = np.diag([1 / 0.25, 1 / 4, 1.0])
    information = design.T @ weight @ design
    for fit, expected in (
        (best_fit(posterior), np.linalg.solve(information, design.T @ weight @ data)),
        (
            maximum_posterior(posterior),
            np.linalg.solve(information + precision, design.T @ weight @ data + precision @ mean),
        ),
    ):
        np.testing.assert_allclose([fit.parameters[name] for name in "abc"], expected, rtol=1e-9)
        residual, offset = data - design @ expected, expected - mean
        np.testing.assert_allclose(fit.chi2, residual @ weight @ residual, rtol=1e-9)
        assert fit.num_jacobians == 2 and fit.status is FitStatus.CONVERGED
    np.testing.assert_allclose(fit.penalty, offset @ precision @ offset, rtol=1e-9)
    np.testing.assert_allclose(posterior.prior.forward(fit.position)["a"], fit.parameters["a"], rtol=1e-12)


def test_whitening_of_a_linear_problem_is_exact():
    posterior = cf.Posterior(cf.Prior(NORMAL), linear()[0])
    whitened = cf.Pullback(posterior, laplace_whitening(posterior))
    for z in (jnp.zeros(3), jnp.array([1.0, -2.0, 0.5])):
        np.testing.assert_allclose(jax.grad(whitened.log_density)(z), -z, atol=1e-9)


def test_desi_alone():
    fit = best_fit(cf.Posterior(cf.Prior(LCDM), BAO))
    np.testing.assert_allclose(fit.chi2, 10.273, atol=0.005)
    np.testing.assert_allclose(fit.parameters["Omega_m"], 0.2975, atol=0.0005)
    np.testing.assert_allclose(fit.parameters["h_r_d"], 101.54, atol=0.03)
    assert fit.num_jacobians < 15 and fit.status is FitStatus.CONVERGED


@pytest.mark.slow
def test_agrees_with_scipy():
    likelihood = JointLikelihood({"bao": BAO, "sn": Supernovae(cf.datasets.union3())})
    posterior = cf.Posterior(cf.Prior(W0WA), likelihood)
    fit = best_fit(posterior)
    names = posterior.prior.names

    @jax.jit
    def chi2(x):
        return sum(likelihood.chi2(dict(zip(names, x, strict=True))).values())

    start = np.array([0.3, 100.0, -0.9, -0.2])
    end = optimize.minimize(
        chi2, start, jac=jax.jit(jax.grad(chi2)), method="trust-exact", hess=jax.jit(jax.hessian(chi2)), tol=1e-10
    )
    sd = fisher(posterior, fit.parameters).sd
    for name, expected in zip(names, end.x, strict=True):
        assert abs(fit.parameters[name] - expected) < 1e-3 * sd[name]
    np.testing.assert_allclose(fit.chi2, end.fun, atol=1e-6)
    assert fit.num_jacobians < 15
    again = maximum_posterior(posterior, start=fit.parameters)
    assert again.num_jacobians <= 2 and again.penalty == 0


def test_a_prior_that_ends_before_the_minimum():
    prior = cf.Prior(LCDM | {"Omega_m": cf.Uniform(0.32, 0.99)})
    fit = best_fit(cf.Posterior(prior, BAO))
    held = best_fit(cf.Posterior(cf.Prior(LCDM | {"Omega_m": Delta(0.32)}), BAO))
    assert fit.status is FitStatus.AT_THE_EDGE and fit.status.good and held.status is FitStatus.CONVERGED
    np.testing.assert_allclose(fit.parameters["Omega_m"], 0.32, atol=1e-6)
    np.testing.assert_allclose(fit.parameters["h_r_d"], held.parameters["h_r_d"], rtol=1e-5)
    np.testing.assert_allclose(fit.chi2, held.chi2, atol=1e-3)


@pytest.mark.slow
def test_densities_of_the_priors_count():
    """Against a simplex search of the density in the parameters."""
    likelihood = Model(*with_sd([1.2, 0.9, 1.4]), lambda a, b, c: jnp.stack([a * b, b + c**2, c]), ("a", "b", "c"))
    prior = {"a": cf.LogNormal(0.1, 0.6), "b": cf.TruncatedNormal(0.2, 0.4, 0.0, np.inf), "c": cf.Normal(0.5, 0.2)}
    fit = maximum_posterior(cf.Posterior(cf.Prior(prior), likelihood))

    def energy(x):
        a, b, c = x
        chi2 = (a * b - 1.2) ** 2 + (b + c**2 - 0.9) ** 2 + (c - 1.4) ** 2
        log_prior = stats.lognorm(0.6, scale=np.exp(0.1)).logpdf(a) + stats.norm(0.5, 0.2).logpdf(c)
        return 0.5 * chi2 - log_prior + 0.5 * ((b - 0.2) / 0.4) ** 2

    end = optimize.minimize(
        energy, [1.0, 0.5, 0.5], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-13, "maxiter": 4000}
    )
    np.testing.assert_allclose([fit.parameters[name] for name in "abc"], end.x, atol=2e-4)
    assert fit.status is FitStatus.CONVERGED


def test_the_best_of_several_starts():
    likelihood = Model(*with_sd([1.0, 1 / 3], 0.1), lambda x: jnp.stack([x**2, x / 3]), ("x",))
    posterior = cf.Posterior(cf.Prior({"x": cf.Uniform(-2.0, 2.0)}), likelihood)
    from_left = {"start": {"x": -1.5}}
    assert best_fit(posterior, **from_left).parameters["x"] < 0
    several = best_fit(posterior, num_starts=5, key=jr.key(0), **from_left)
    np.testing.assert_allclose(several.parameters["x"], 1.0, atol=1e-4)
    np.testing.assert_allclose(several.chi2, 0.0, atol=1e-6)


@pytest.mark.slow
def test_single_precision():
    with jax.enable_x64(False):
        prior = {"Omega_m": cf.Uniform(0.01, 0.99), "h_r_d": cf.Uniform(10.0, 1000.0)}
        fit = best_fit(cf.Posterior(cf.Prior(prior), cf.likelihoods.BAO(cf.datasets.desi_dr2_bao())))
        assert fit.position.dtype == jnp.float32
    assert fit.status is FitStatus.CONVERGED
    np.testing.assert_allclose(fit.chi2, 10.273, atol=0.005)
    np.testing.assert_allclose(fit.parameters["Omega_m"], 0.2975, atol=0.001)


@jax.custom_jvp
def misled(x):
    return x


@misled.defjvp
def _(primals, tangents):
    return primals[0], -tangents[0]


def test_a_wrong_gradient_stalls():
    likelihood = Model(*with_sd([1.0, 3.0]), lambda x: jnp.stack([misled(x), misled(2 * x)]), ("x",))
    fit = best_fit(cf.Posterior(cf.Prior({"x": cf.Normal(0.0, 1.0)}), likelihood))
    assert fit.status is FitStatus.STALLED and not fit.status.good and fit.position == 0


def test_models_that_are_not_finite():
    """A wall in the way is stepped back from; a start beyond it is refused."""
    likelihood = Model(*with_sd([0.1, -2.3], 0.1), lambda x: jnp.stack([x, jnp.log(x)]), ("x",))
    fit = best_fit(cf.Posterior(cf.Prior({"x": cf.Normal(2.0, 1.0)}), likelihood))
    assert fit.status is FitStatus.CONVERGED
    np.testing.assert_allclose(fit.parameters["x"], 0.1, atol=1e-2)
    with pytest.raises(StartError, match="x = "):
        best_fit(cf.Posterior(cf.Prior({"x": cf.Normal(-1.0, 1.0)}), likelihood))


class Cubed(AbstractTransport):
    """A prior of which only the transport is known."""

    shape: tuple[int, ...] = ()

    def forward(self, z):
        return z**3

    def inverse(self, x):
        return jnp.cbrt(x)


def test_refusals():
    posterior = cf.Posterior(cf.Prior(LCDM), BAO)
    mixture = GaussianMixture(["Omega_m"], [1.0], [[0.3]])
    for likelihood, prior in (
        (JointLikelihood({"bao": BAO, "toy": mixture}), LCDM),
        (mixture, {"Omega_m": cf.Uniform(0.0, 1.0)}),
    ):
        for function in (best_fit, maximum_posterior, lambda p: fisher(p, {})):
            with pytest.raises(ValueError, match="no Gaussian data vector"):
                function(cf.Posterior(cf.Prior(prior), likelihood))
    for settings, words in (
        ({"num_starts": 3}, "key"),
        ({"num_starts": 0}, "num_starts"),
        ({"start": {"Omega_m": 1.5}}, "Omega_m = 1.5 lies outside"),
        ({"start": {"omega_m": 0.3}}, "'omega_m'"),
    ):
        with pytest.raises(ValueError, match=words):
            best_fit(posterior, **settings)
    unknown = cf.Posterior(cf.Prior({"x": Cubed()}), Model(*with_sd([1.0]), lambda x: x[None], ("x",)))
    with pytest.raises(ValueError, match="Cubed"):
        maximum_posterior(unknown, start={"x": 0.5})
