import jax.numpy as jnp
import numpy as np
from fitting.models import BAO, LCDM, W0WA, Model, linear

import cosmoflow as cf
from cosmoflow.fitting import best_fit, fisher
from cosmoflow.targets import Delta


def test_linear_model():
    likelihood, design, covariance = linear()
    prior = cf.Prior(
        {"a": cf.Normal(0.3, 0.5), "b": cf.Uniform(-5.0, 5.0), "c": cf.TruncatedNormal(0.0, 2.0, -1.0, 9.0)}
    )
    found = fisher(cf.Posterior(prior, likelihood), {"a": 1.0, "b": 2.0})
    information = design.T @ np.linalg.solve(covariance, design)
    np.testing.assert_allclose(found.likelihood, information, rtol=1e-10)
    np.testing.assert_allclose(found.prior, np.diag([4.0, 0.0, 0.25]), rtol=1e-10)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(information + found.prior), rtol=1e-10)
    np.testing.assert_allclose(found.sd["b"], np.sqrt(found.covariance[1, 1]))


def test_log_normal_priors():
    """The curvature of (log x - mu)^2 / (2 sigma^2) + log x, less what vanishes at the mode."""
    likelihood = Model(jnp.zeros(1), jnp.full((1, 1), 1e6), lambda x: x[None], ("x",))
    mode = np.exp(0.2 - 0.3**2)
    found = fisher(cf.Posterior(cf.Prior({"x": cf.LogNormal(0.2, 0.3)}), likelihood), {"x": mode})
    np.testing.assert_allclose(found.matrix[0, 0], 1 / (0.3 * mode) ** 2, rtol=1e-6)


def test_desi():
    posterior = cf.Posterior(cf.Prior(LCDM), BAO)
    sd = fisher(posterior, best_fit(posterior).parameters).sd
    np.testing.assert_allclose([sd["Omega_m"], sd["h_r_d"]], [0.0086, 0.73], rtol=0.02)


def test_derivatives_against_differences():
    posterior = cf.Posterior(cf.Prior(W0WA), BAO)
    point = {"Omega_m": 0.31, "h_r_d": 100.0, "w0": -0.8, "wa": -0.4}
    columns = []
    for name, value in point.items():
        step = 1e-4 * abs(value)
        ends = [{n: jnp.asarray(v) for n, v in (point | {name: value + s * step}).items()} for s in (1, -1)]
        columns.append((BAO.residual(ends[0]) - BAO.residual(ends[1])) / (2 * step))
    jacobian = np.stack(columns, axis=1)
    np.testing.assert_allclose(fisher(posterior, point).matrix, jacobian.T @ jacobian, rtol=1e-5)


def test_vectors_fixed_parameters_and_directions_without_information():
    likelihood = Model(jnp.zeros(3), jnp.eye(3), lambda x, y, z: jnp.stack([x[0], x[0] + y * x[0], z]), ("x", "y", "z"))
    prior = cf.Prior({"x": cf.Normal(jnp.zeros(2), 10.0), "y": Delta(1.0), "z": cf.Uniform(-1.0, 1.0)})
    found = fisher(cf.Posterior(prior, likelihood), {})
    assert found.names == ("x[0]", "x[1]", "z")
    np.testing.assert_allclose(found.sd["x[1]"], 10.0)
    flat = cf.Prior({"x": cf.Uniform(-jnp.ones(2), 1.0), "y": Delta(1.0), "z": cf.Uniform(-1.0, 1.0)})
    unknown = fisher(cf.Posterior(flat, likelihood), {})
    assert unknown.sd["x[1]"] > 1e6
    np.testing.assert_allclose(unknown.sd["x[0]"], 1 / np.sqrt(5))
