import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from helpers import official_supernovae
from scipy.integrate import quad
from scipy.linalg import solve_triangular
from scipy.stats import multivariate_normal

from cosmoflow.cosmology import Cosmology, distance_modulus, transverse_comoving_distance
from cosmoflow.datasets import SupernovaData, des_dovekie, pantheon_plus, union3
from cosmoflow.likelihoods import Supernovae

POINT = {"Omega_m": jnp.asarray(0.315524)}
RADIATION = POINT | {"h": jnp.asarray(0.672653), "N_eff": jnp.asarray(3.046), "m_nu": jnp.asarray(0.06)}
EVERYTHING = {
    "Omega_m": 0.31,
    "Omega_k": 0.02,
    "h": 0.68,
    "w0": -0.9,
    "wa": -0.2,
    "M": -19.3,
    "T_cmb": 2.7255,
    "N_eff": 3.1,
    "m_nu": 0.1,
}


def corners_and_inside(*, number, seed):
    """Omega_m, w0, wa and Omega_k over the prior: the corners of the polygon, and points drawn inside."""
    random = np.random.default_rng(seed)
    polygon = np.array([(-3.0, -3.0), (1.0, -3.0), (1.0, -1.01), (-2.0, 1.99), (-3.0, 2.0), (-1.0, 0.0)])
    inside = random.dirichlet(np.ones(6), number) @ polygon
    densities = np.concatenate([np.repeat([0.05, 0.3, 0.95], 6), random.uniform(0.05, 0.95, number)])
    curvature = np.concatenate([np.zeros(18), random.uniform(-0.05, 0.05, number)])
    return np.column_stack([densities, np.concatenate([polygon, polygon, polygon, inside]), curvature])


@pytest.fixture(scope="module")
def many():
    """300 magnitudes with correlated errors, at redshifts that differ between the frames."""
    random = np.random.default_rng(0)
    redshift = np.exp(random.uniform(np.log(0.01), np.log(2.3), 300))
    heliocentric = redshift + random.uniform(-1e-3, 1e-3, 300)
    systematics = random.normal(scale=0.02, size=(300, 5))
    covariance = np.diag(random.uniform(0.1, 0.3, 300) ** 2) + systematics @ systematics.T
    magnitude = apparent(Cosmology(0.3, h=0.7), redshift, heliocentric) - 19.3
    measured = magnitude + np.linalg.cholesky(covariance) @ random.normal(size=300)
    return SupernovaData(redshift, measured, covariance, heliocentric)


def apparent(cosmology, redshift, heliocentric):
    distance = np.asarray(transverse_comoving_distance(cosmology, redshift, num_nodes=100))
    return 5 * np.log10((1 + heliocentric) * distance) + 25


@jax.jit
def moduli(points, redshift, heliocentric):
    """Exact moduli, without interpolation."""

    def at(p):
        cosmology = Cosmology(p[0], h=1.0, w0=p[1], wa=p[2], Omega_k=p[3])
        return jnp.log10((1 + heliocentric) * transverse_comoving_distance(cosmology, redshift, num_nodes=40))

    return 5 * jax.lax.map(at, points) + 25


def exact_chi2(data, model):
    """The minimum over M of chi^2(M), for models in rows."""
    cholesky = np.linalg.cholesky(data.covariance)
    white = solve_triangular(cholesky, (data.distance_modulus - model).T, lower=True)
    ones = solve_triangular(cholesky, np.ones(data.redshift.size), lower=True)
    return np.sum(white**2, axis=0) - (ones @ white) ** 2 / (ones @ ones)


def chi2_of_points(likelihood, points):
    names = ("Omega_m", "w0", "wa", "Omega_k")
    return jax.jit(jax.vmap(lambda p: likelihood.chi2(dict(zip(names, p, strict=True)))))(jnp.asarray(points))


def test_published_chi2():
    """Cobaya's test suite, at the Planck 2015 best fit, with radiation off."""
    np.testing.assert_allclose(Supernovae(union3()).chi2(POINT), 26.35, atol=0.01)


def test_chi2_with_radiation():
    """CAMB 2.0.5 at the same point with one neutrino of 0.06 eV."""
    np.testing.assert_allclose(Supernovae(union3(), radiation=True).chi2(RADIATION), 26.3311, atol=1e-3)


def test_chi2_is_the_minimum_over_the_offset():
    data = union3()
    residual = data.distance_modulus - np.asarray(distance_modulus(Cosmology(0.315524), data.redshift))
    precision, ones = np.linalg.inv(data.covariance), np.ones(22)
    offset = (ones @ precision @ residual) / (ones @ precision @ ones)
    minimum = (residual - offset) @ precision @ (residual - offset)
    np.testing.assert_allclose(Supernovae(data).chi2(POINT), minimum, rtol=1e-9)


def test_log_likelihood_is_the_integral_over_the_offset():
    data = union3()
    model = np.asarray(distance_modulus(Cosmology(0.315524), data.redshift))
    best = np.mean(data.distance_modulus - model)
    peak = Supernovae(data).log_likelihood(POINT)

    def density(offset):
        return np.exp(multivariate_normal(model + offset, data.covariance).logpdf(data.distance_modulus) - peak)

    integral = quad(density, best - 1.5, best + 1.5, points=[best], epsabs=0, epsrel=1e-9, limit=200)[0]
    np.testing.assert_allclose(integral, 1.0, rtol=1e-7)


def test_reference_does_not_matter():
    data, order = union3(), np.random.default_rng(1).permutation(22)
    shuffled = SupernovaData(
        data.redshift[order], data.distance_modulus[order] + 3.0, data.covariance[np.ix_(order, order)]
    )
    for method in ("chi2", "log_likelihood"):
        ours, theirs = (getattr(Supernovae(d), method)(POINT) for d in (data, shuffled))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_chi2_and_log_likelihood_are_consistent():
    likelihood = Supernovae(union3())
    other = {"Omega_m": jnp.asarray(0.4)}
    difference = likelihood.log_likelihood(other) - likelihood.log_likelihood(POINT)
    np.testing.assert_allclose(difference, -0.5 * (likelihood.chi2(other) - likelihood.chi2(POINT)), rtol=1e-10)


def test_names():
    assert Supernovae(union3()).required == ("Omega_m",)
    assert Supernovae(union3()).optional == ("Omega_k", "w0", "wa")
    assert Supernovae(union3(), radiation=True).required == ("Omega_m", "h")
    with pytest.raises(ValueError, match="'Omega_m'"):
        Supernovae(union3()).predict({})


@pytest.mark.slow
def test_names_with_a_free_magnitude(many):
    likelihood = Supernovae(many, absolute_magnitude="free", radiation=True)
    assert likelihood.required == ("Omega_m", "h", "M")
    assert likelihood.optional == ("Omega_k", "w0", "wa", "T_cmb", "N_eff", "m_nu")


def test_free_magnitude_is_that_of_the_distance(many):
    """m = 5 log10((1 + z_hel) D_M(z) / 10 pc) + M."""
    likelihood = Supernovae(many, absolute_magnitude="free")
    parameters = {"Omega_m": jnp.asarray(0.25), "h": jnp.asarray(0.73), "M": jnp.asarray(-19.25)}
    model = apparent(Cosmology(0.25, h=0.73), many.redshift, many.heliocentric_redshift) - 19.25
    np.testing.assert_allclose(likelihood.predict(parameters), model, rtol=0, atol=1e-9)
    expected = multivariate_normal(model, many.covariance).logpdf(many.distance_modulus)
    np.testing.assert_allclose(likelihood.log_likelihood(parameters), expected, rtol=1e-10)


def test_marginal_is_the_integral_over_the_free_magnitude(many):
    marginal = Supernovae(many).log_likelihood(POINT)
    free = Supernovae(many, absolute_magnitude="free")
    magnitudes = jnp.linspace(-19.6, -19.0, 4001)
    log = jax.jit(jax.vmap(lambda m: free.log_likelihood(POINT | {"h": jnp.asarray(0.7), "M": m})))(magnitudes)
    np.testing.assert_allclose(np.sum(np.exp(log - marginal)) * 0.6 / 4000, 1.0, rtol=1e-8)


@pytest.mark.parametrize("num_nodes", [48, None])
def test_chi2_is_exact_over_the_prior(many, num_nodes):
    points = corners_and_inside(number=20, seed=1)
    exact = exact_chi2(many, np.asarray(moduli(points, many.redshift, many.heliocentric_redshift)))
    likelihood = Supernovae(many, num_nodes=num_nodes)
    np.testing.assert_allclose(chi2_of_points(likelihood, points), exact, rtol=0, atol=1e-5)


def test_few_nodes_are_noticed(many):
    points = corners_and_inside(number=20, seed=1)
    difference = chi2_of_points(Supernovae(many, num_nodes=12), points) - chi2_of_points(Supernovae(many), points)
    assert np.max(np.abs(difference)) > 1e-2


@pytest.mark.parametrize("absolute_magnitude", ["marginalized", "free"])
def test_chi2_is_that_of_the_prediction(many, absolute_magnitude):
    likelihood = Supernovae(many, absolute_magnitude=absolute_magnitude, radiation=True)
    parameters = {name: jnp.asarray(EVERYTHING[name]) for name in (*likelihood.required, *likelihood.optional)}
    residual = likelihood.data - likelihood.predict(parameters)
    expected = np.sum(solve_triangular(likelihood.cholesky, residual, lower=True) ** 2)
    np.testing.assert_allclose(likelihood.chi2(parameters), expected, rtol=1e-11)


def test_derivatives_of_the_residual_are_those_of_the_prediction(many):
    """The short residual has the same Fisher matrix."""
    likelihood, point = Supernovae(many), jnp.array([0.3, -0.9, 0.1])

    def jacobian(method):
        return jax.jit(jax.jacfwd(lambda p: method(dict(zip(("Omega_m", "w0", "wa"), p, strict=True)))))(point)

    short = jacobian(likelihood.residual)
    white = solve_triangular(likelihood.cholesky, jacobian(likelihood.predict), lower=True)
    assert short.shape == (49, 3)
    np.testing.assert_allclose(short.T @ short, white.T @ white, rtol=1e-9)


@pytest.mark.parametrize("absolute_magnitude", ["marginalized", "free"])
def test_gradient_equals_finite_differences(many, absolute_magnitude):
    likelihood = Supernovae(many, absolute_magnitude=absolute_magnitude, radiation=True)
    names = (*likelihood.required, *likelihood.optional)
    point = np.array([EVERYTHING[name] for name in names])

    @jax.jit
    def value_and_gradient(values):
        def log_likelihood(values):
            return likelihood.log_likelihood(dict(zip(names, values, strict=True)))

        return jax.value_and_grad(log_likelihood)(values)

    gradient = value_and_gradient(jnp.asarray(point))[1]
    for i, name in enumerate(names):
        step = 1e-3 * np.eye(len(names))[i]
        up, down = ([value_and_gradient(point + s * k * step)[0] for k in (1, 2)] for s in (1, -1))
        inner, outer = ((up[k - 1] - down[k - 1]) / (2e-3 * k) for k in (1, 2))
        np.testing.assert_allclose(gradient[i], (4 * inner - outer) / 3, rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.soon(1)
@pytest.mark.parametrize("absolute_magnitude", ["marginalized", "free"])
def test_single_precision(many, absolute_magnitude):
    likelihood = Supernovae(many, absolute_magnitude=absolute_magnitude, radiation=True)
    names = (*likelihood.required, *likelihood.optional)
    double = {name: jnp.asarray(EVERYTHING[name]) for name in names}
    single, parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (likelihood, double))
    value, gradient = jax.jit(jax.value_and_grad(lambda p: single.log_likelihood(p)))(parameters)
    exact, slope = jax.jit(jax.value_and_grad(lambda p: likelihood.log_likelihood(p)))(double)
    assert value.dtype == gradient["wa"].dtype == single.predict(parameters).dtype == jnp.float32
    np.testing.assert_allclose(value, exact, atol=3e-3)
    for name in names:
        np.testing.assert_allclose(gradient[name], slope[name], rtol=1e-2, atol=1e-3, err_msg=name)


def test_leaves_are_strong_arrays(many):
    leaves = jax.tree.leaves(Supernovae(many))
    assert all(leaf.dtype == jnp.float64 and not leaf.weak_type for leaf in leaves)


def test_bad_options_are_named(many, monkeypatch):
    with pytest.raises(ValueError, match="at least two"):
        Supernovae(many, num_nodes=1)
    with pytest.raises(ValueError, match="covariance of the supernovae is not positive definite"):
        Supernovae(SupernovaData(many.redshift, many.distance_modulus, -many.covariance))
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the test suite's own checks come first
    with pytest.raises(ValueError, match="marginalized or free, not 'fixed'"):
        Supernovae(many, absolute_magnitude="fixed")


@pytest.fixture(scope="module")
def pantheon():
    return pantheon_plus(official_supernovae("pantheon_plus"))


@pytest.fixture(scope="module")
def dovekie():
    return des_dovekie(official_supernovae("des_dovekie"))


@pytest.mark.soon(1)
@pytest.mark.parametrize(
    ("name", "with_radiation", "without"), [("pantheon", 1403.69, 1403.72), ("dovekie", 1632.35, None)]
)
def test_published_chi2_of_official_files(request, name, with_radiation, without):
    """Cobaya's test suite, which has neutrinos of the mass 0.06 eV; and with radiation off."""
    data = request.getfixturevalue(name)
    np.testing.assert_allclose(Supernovae(data, radiation=True).chi2(RADIATION), with_radiation, atol=0.02)
    if without is not None:
        np.testing.assert_allclose(Supernovae(data).chi2(POINT), without, atol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pantheon", "dovekie"])
def test_official_chi2_is_exact_over_the_prior(request, name):
    data, points = request.getfixturevalue(name), corners_and_inside(number=30, seed=2)
    exact = exact_chi2(data, np.asarray(moduli(points, data.redshift, data.heliocentric_redshift)))
    np.testing.assert_allclose(chi2_of_points(Supernovae(data), points), exact, rtol=0, atol=1e-5)


PUBLISHED = {
    "union": (0.356, 0.028, 0.026, 0.001),  # arXiv:2311.12098
    "pantheon": (0.334, 0.018, 0.018, 0.003),  # arXiv:2202.04077
    "dovekie": (0.330, 0.015, 0.015, 0.002),  # arXiv:2511.07517
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_posterior(request, name):
    """Omega_m of flat LCDM, by a grid integral."""
    middle, above, below, tolerance = PUBLISHED[name]
    likelihood = Supernovae(union3() if name == "union" else request.getfixturevalue(name))
    density = np.linspace(0.2, 0.55, 701)
    log = jax.vmap(lambda m: likelihood.log_likelihood({"Omega_m": m}))(jnp.asarray(density))
    cumulative = np.cumsum(np.exp(log - log.max()))
    low, median, high = np.interp((0.1587, 0.5, 0.8413), cumulative / cumulative[-1], density)
    np.testing.assert_allclose((median, high - median, median - low), (middle, above, below), atol=tolerance)
