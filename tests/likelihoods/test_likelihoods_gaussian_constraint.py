import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from cosmoflow.datasets import bbn_schoeneberg2024, h0_shoes2022
from cosmoflow.likelihoods import GaussianConstraint

POINT = {"Omega_m": 0.3, "h": 0.7, "Omega_b": 0.046, "sigma8": 0.8, "tau": 0.06, "w0": -0.9}
POINT = {name: jnp.asarray(value) for name, value in POINT.items()}
CONSTRAINTS = {
    "H0": (73.04, 1.04, 70.0),
    "omega_b": (0.02218, 0.00055, 0.046 * 0.49),
    "omega_m": (0.143, 0.001, 0.3 * 0.49),
    "S8": (0.78, 0.02, 0.8),
    "tau": (0.0544, 0.0073, 0.06),
    "w0": (-1.0, 0.1, -0.9),
}


@pytest.mark.parametrize("quantity", CONSTRAINTS)
def test_density(quantity):
    mean, sd, value = CONSTRAINTS[quantity]
    likelihood = GaussianConstraint(quantity, mean, sd)
    np.testing.assert_allclose(likelihood.predict(POINT), [value], rtol=1e-12)
    np.testing.assert_allclose(likelihood.log_likelihood(POINT), norm(mean, sd).logpdf(value), rtol=1e-12)


@pytest.mark.parametrize("quantity", CONSTRAINTS)
def test_gradient_equals_finite_differences(quantity):
    likelihood = GaussianConstraint(quantity, *CONSTRAINTS[quantity][:2])
    gradient = jax.grad(likelihood.log_likelihood)({name: POINT[name] for name in likelihood.required})
    for name in likelihood.required:
        up, down = (likelihood.log_likelihood(POINT | {name: POINT[name] + step}) for step in (1e-6, -1e-6))
        np.testing.assert_allclose(gradient[name], (up - down) / 2e-6, rtol=1e-4, atol=1e-7)


def test_published_constraints():
    assert GaussianConstraint(*h0_shoes2022()).required == ("h",)
    assert GaussianConstraint(*bbn_schoeneberg2024()).required == ("Omega_b", "h")
    np.testing.assert_allclose(GaussianConstraint(*h0_shoes2022()).chi2(POINT), (3.04 / 1.04) ** 2, rtol=1e-12)


def test_leaves_are_arrays_of_the_default_precision():
    assert [leaf.dtype for leaf in jax.tree.leaves(GaussianConstraint("H0", 73, 1))] == [jnp.float64] * 2


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("age", 13.8, 0.1), "'age' cannot be constrained; use one of H0, omega_b"),
        (("H0", 73.0, 0.0), "sd > 0"),
        (("H0", 73.0, -1.0), "sd > 0"),
        (("H0", float("nan"), 1.0), "finite mean"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        GaussianConstraint(*arguments)


def test_missing_parameter_is_named():
    with pytest.raises(ValueError, match="omega_b needs the parameter 'Omega_b'"):
        GaussianConstraint("omega_b", 0.022, 0.001).predict({"h": jnp.asarray(0.7)})
