from importlib.resources import files
from importlib.util import find_spec

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.linalg import solve_triangular
from scipy.stats import multivariate_normal

from cosmoflow.cosmology import AbstractCMBSpectra, CosmoPowerCMB
from cosmoflow.datasets import PlanckLiteData, planck2018_lite
from cosmoflow.likelihoods import PlanckLite

pytest.importorskip("cosmofit", reason="cosmofit ships the official files")
OFFICIAL = str(files("cosmofit") / "data" / "cmb" / "plik_lite")


class Tabulated(AbstractCMBSpectra):
    """Fixed spectra times `amplitude`, tilted by (ell / 500)^tilt."""

    table: dict[str, jax.Array]
    required: tuple[str, ...] = eqx.field(static=True, default=("amplitude",))
    optional: tuple[str, ...] = eqx.field(static=True, default=("tilt",))

    def __call__(self, parameters):
        ell = jnp.arange(1, 1 + self.table["TT"].size, dtype=parameters["amplitude"].dtype)
        tilt = parameters.get("tilt", jnp.zeros_like(parameters["amplitude"]))
        return {name: parameters["amplitude"] * (ell / 500) ** tilt * table for name, table in self.table.items()}


def tabulated(stop=2509):
    ell = np.arange(stop)
    rng = np.random.default_rng(0)
    return {
        name: jnp.asarray(scale * rng.normal(size=stop) / (10.0 + ell) ** 2)
        for name, scale in (("TT", 6e3), ("TE", 100), ("EE", 40))
    }


POINT = {name: jnp.asarray(value) for name, value in {"amplitude": 1.1, "tilt": 0.02, "A_planck": 1.001}.items()}


@pytest.fixture(scope="module")
def data():
    return planck2018_lite(OFFICIAL)


@pytest.fixture(scope="module")
def likelihood(data):
    return PlanckLite(data, Tabulated(tabulated()))


def test_published_chi2(data):
    """Cobaya's test suite has 584.24 for these parameters and one neutrino of 0.06 eV."""
    camb = pytest.importorskip("camb")
    parameters = camb.set_params(
        ombh2=0.022383, omch2=0.12011, cosmomc_theta=0.01040909, H0=None, mnu=0.06, num_massive_neutrinos=1, ns=0.96605,
        As=1e-10 * np.exp(3.0448), tau=0.0543, lmax=2600, lens_potential_accuracy=1,
    )  # fmt: skip
    power = camb.get_results(parameters).get_lensed_scalar_cls(lmax=2508, CMB_unit="muK", raw_cl=True)
    theory = Tabulated({name: jnp.asarray(power[:, i]) for name, i in (("TT", 0), ("TE", 3), ("EE", 1))})
    point = {"amplitude": jnp.asarray(1.0), "A_planck": jnp.asarray(1.00044)}
    np.testing.assert_allclose(PlanckLite(data, theory).chi2(point), 584.24, atol=0.1)


def test_binning_equals_a_loop(data, likelihood):
    theory = likelihood.spectra(POINT)
    expected = [
        sum(data.weight[ell] * theory[name][ell] for ell in range(low, high + 1)) / 1.001**2
        for name, low, high in zip(data.spectrum[::20], data.ell_min[::20], data.ell_max[::20], strict=True)
    ]
    np.testing.assert_allclose(likelihood.predict(POINT)[::20], expected, rtol=1e-12)


def test_bins_may_overlap_or_leave_gaps():
    data = PlanckLiteData(
        ("EE", "EE", "TT"), np.zeros(3), np.array([2, 3, 6]), np.array([4, 3, 7]), np.arange(8.0), np.eye(3)
    )
    theory = tabulated(8)
    expected = [
        sum(ell * theory["EE"][ell] for ell in (2, 3, 4)),
        3 * theory["EE"][3],
        6 * theory["TT"][6] + 7 * theory["TT"][7],
    ]
    point = {"amplitude": jnp.asarray(1.0)}
    np.testing.assert_allclose(PlanckLite(data, Tabulated(theory)).predict(point), expected, rtol=1e-12)


def test_normalisation(data, likelihood):
    error = np.sqrt(np.diagonal(data.covariance))  # in units of it SciPy finds no eigenvalue too small
    normal = multivariate_normal(likelihood.predict(POINT) / error, data.covariance / np.outer(error, error))
    expected = normal.logpdf(data.bandpower / error) - np.sum(np.log(error))
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), expected, rtol=1e-10)


def test_log_determinant(data, likelihood):
    log_norm = likelihood.log_likelihood(POINT) + 0.5 * likelihood.chi2(POINT)
    expected = -0.5 * np.linalg.slogdet(2 * np.pi * data.covariance)[1]
    np.testing.assert_allclose(log_norm, expected, rtol=1e-10)


def test_temperature_alone(likelihood):
    temperature = PlanckLite(planck2018_lite(OFFICIAL, spectra="TT"), likelihood.spectra)
    np.testing.assert_array_equal(temperature.predict(POINT), likelihood.predict(POINT)[:215])


def test_names(data, likelihood):
    assert likelihood.required == ("amplitude",)
    assert likelihood.optional == ("tilt", "A_planck")
    without = {name: value for name, value in POINT.items() if name != "A_planck"}
    np.testing.assert_allclose(
        likelihood.chi2(without), likelihood.chi2(without | {"A_planck": jnp.asarray(1.0)}), rtol=1e-14
    )


@pytest.mark.slow
def test_short_theory_is_named(data):
    with pytest.raises(ValueError, match="TT up to multipole 2508, but that of the theory ends at 1999"):
        PlanckLite(data, Tabulated(tabulated(2000))).predict(POINT)
    table = tabulated()
    del table["EE"]
    with pytest.raises(ValueError, match="EE up to multipole 1996, but that of the theory is missing"):
        PlanckLite(data, Tabulated(table)).predict(POINT)


@eqx.filter_jit
def value_and_gradient(likelihood, point):
    return jax.value_and_grad(lambda p: likelihood.log_likelihood(p))(point)


def check_gradient(likelihood, point, step):
    gradient = value_and_gradient(likelihood, point)[1]
    for name in point:
        inner, outer = (
            (
                value_and_gradient(likelihood, point | {name: point[name] + h})[0]
                - value_and_gradient(likelihood, point | {name: point[name] - h})[0]
            )
            / (2 * h)
            for h in (step, 2 * step)
        )
        np.testing.assert_allclose(gradient[name], (4 * inner - outer) / 3, rtol=1e-5, atol=1e-4, err_msg=name)
    return gradient


def test_gradient_equals_finite_differences(likelihood):
    check_gradient(likelihood, POINT, 1e-3)


def test_single_precision(likelihood):
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf, likelihood)
    parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), POINT)
    value, gradient = jax.jit(jax.value_and_grad(lambda p: single.log_likelihood(p)))(parameters)
    assert value.dtype == gradient["tilt"].dtype == jnp.float32
    np.testing.assert_allclose(value, likelihood.log_likelihood(POINT), rtol=1e-4)


def test_jit_and_vmap(likelihood):
    batch = jax.tree.map(lambda leaf: leaf * (1 + 0.01 * jnp.arange(3.0)), POINT)
    values = jax.jit(jax.vmap(likelihood.log_likelihood))(batch)
    np.testing.assert_allclose(values[0], likelihood.log_likelihood(POINT), rtol=1e-11)


@pytest.mark.skipif(find_spec("cosmopower_jax") is None, reason="cosmopower-jax is not installed")
class TestEmulator:
    """The shipped networks at omega_b .022383, omega_cdm .12011, and h of the theta of `test_published_chi2`."""

    point = {  # noqa: RUF012
        name: jnp.asarray(value)
        for name, value in {
            "Omega_m": 0.142493 / 0.67814985**2,
            "Omega_b": 0.022383 / 0.67814985**2,
            "h": 0.67814985,  # with massless neutrinos
            "n_s": 0.96605,
            "logA": 3.0448,
            "tau": 0.0543,
            "A_planck": 1.00044,
        }.items()
    }

    @pytest.mark.slow
    def test_chi2(self, data):
        """CAMB with massless neutrinos has 582.7, its data vector and that of the networks differ by 1.1 sigma."""
        np.testing.assert_allclose(PlanckLite(data, CosmoPowerCMB()).chi2(self.point), 585.52, atol=0.01)

    def test_gradient_equals_finite_differences(self, data):
        emulator = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), CosmoPowerCMB())
        gradient = check_gradient(PlanckLite(data, emulator), self.point, 1e-4)
        single = value_and_gradient(PlanckLite(data, CosmoPowerCMB()), self.point)[1]
        errors = (0.007, 0.0007, 0.005, 0.004, 0.014, 0.007, 0.0025)  # of the posterior
        for name, error in zip(self.point, errors, strict=True):
            np.testing.assert_allclose(error * single[name], error * gradient[name], atol=2e-3, err_msg=name)

    def test_outside_of_the_training_set(self, data):
        assert np.isnan(PlanckLite(data, CosmoPowerCMB()).log_likelihood(self.point | {"tau": jnp.asarray(0.005)}))

    @pytest.mark.slow
    def test_published_posterior(self, data):
        """Planck 2018 TT,TE,EE+lowE (arXiv:1807.06209, Table 2), with lowE as a prior of tau.

        omega_b .02236 +- .00015, omega_cdm .1202 +- .0014, h .6727 +- .0060 with a neutrino of 0.06 eV, which lowers it
        by 0.005, n_s .9649 +- .0044, logA 3.045 +- .016. Here by Gauss-Newton steps; the multipoles below 30 are left out.
        """
        likelihood = PlanckLite(data, CosmoPowerCMB())
        prior_mean = jnp.array([0, 0, 0, 0, 0, 0.0544, 1])
        prior_precision = jnp.array([0, 0, 0, 0, 0, 0.0078**-2, 0.0025**-2])

        def predict(likelihood, x):
            named = dict(zip(("n_s", "logA", "tau", "A_planck"), x[3:], strict=True))
            return likelihood.predict(
                named | {"Omega_b": x[0] / x[2] ** 2, "Omega_m": (x[0] + x[1]) / x[2] ** 2, "h": x[2]}
            )

        @eqx.filter_jit
        def improved(likelihood, x):
            value, jacobian = predict(likelihood, x), jax.jacfwd(lambda y: predict(likelihood, y))(x)
            residual, white = (
                solve_triangular(likelihood.cholesky, part, lower=True) for part in (likelihood.data - value, jacobian)
            )
            covariance = jnp.linalg.inv(white.T @ white + jnp.diag(prior_precision))
            return x + covariance @ (white.T @ residual - prior_precision * (x - prior_mean)), covariance

        x = jnp.array([0.0224, 0.12, 0.68, 0.965, 3.045, 0.0544, 1.0])
        for _ in range(3):
            x, covariance = improved(likelihood, x)
        published = np.array([0.02236, 0.1202, 0.6727 + 0.005, 0.9649, 3.045])
        error = np.array([0.00015, 0.0014, 0.0060, 0.0044, 0.016])
        assert np.all(np.abs(x[:5] - published) < np.array([0.5, 0.5, 0.5, 0.5, 1.0]) * error), x
        np.testing.assert_allclose(np.sqrt(np.diagonal(covariance))[:5], error, rtol=0.05)
